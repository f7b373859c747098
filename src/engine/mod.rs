//! Where rooms are kept, and how polls wait.
//!
//! [`Engine`] is the contract and the only way in, implemented for one machine (`memory`) and for several (`redis`). An
//! engine adds what the domain must not know: locks, the clock, waiting, the network. It knows nothing of HTTP.

mod counters;
mod lifecycle_log;
mod memory;
mod redis;
mod waiters;

use std::{sync::Arc, time::Duration};

pub use counters::{BUCKETS_MICROS, Counts};
pub use memory::Memory;
pub use redis::{Address as RedisAddress, Login as RedisLogin, Redis, TlsFiles as RedisTlsFiles};

use crate::{
    clock::Clock,
    domain::{
        Accepted, Batch, Card, Created, CreatorId, Joined, Page, PeerId, Post, Refusal, RoomName, RoomPlan, RoomView,
        Seq, Timestamp, Visitor,
    },
    engine::waiters::Wake,
};

/// Keeps rooms and mailboxes. What every engine promises, and the suite in `tests/it/engine/contract.rs` checks:
///
/// * **Atomic.** An operation happens whole or not at all, and operations on one room happen in one order that all of
///   its members see: in every mailbox joins and leaves have the same order, and the messages of one sender theirs.
/// * **Kept until acknowledged.** What was accepted stays in the mailbox until its owner reads with a cursor at or past
///   it, for as long as the owner lives. Reading removes nothing.
/// * **Honest cursors.** `seq` rises by one without a hole. A cursor ahead of the mailbox, or before what it still has,
///   is refused by name and never answered with a guess.
/// * **Once.** A keyed request that comes again gets its first answer and has no second effect.
/// * **Bounded.** Every limit of [`crate::domain::Limits`] is kept by refusing the one who asks for more.
/// * **One waiter.** Of the polls of one peer the newest waits; an older one ends with [`Refusal::PollSuperseded`], or,
///   when both are the same page's, with an empty batch. Of the pages that say which they are, the one that joined last
///   has the seat. A poll that its client drops leaves nothing behind.
/// * **Leases.** A peer that is not heard of for the length of its lease is gone, the others are told, once, and the
///   seat is free. Time does this, not traffic.
///
/// A wake-up is a hint and the read is the truth: a poll looks again after each.
#[derive(Clone, Debug)]
pub enum Engine {
    Memory(Arc<Memory>),
    Redis(Arc<Redis>),
}

/// What a poll says of itself: its cursor, and which page it is from.
#[derive(Clone, Copy, Debug, Default)]
pub struct Asked {
    pub after: Option<Seq>,
    pub page: Option<Page>,
}

/// Figures for people and monitors.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    pub rooms: usize,
    pub peers: usize,
    pub parked: usize,
    /// What all rooms cost, in bytes of memory.
    pub rooms_bytes: usize,
    pub flow: Counts,
}

impl Engine {
    pub async fn create(&self, name: &RoomName, plan: RoomPlan, creator: CreatorId) -> Result<Created, Refusal> {
        match self {
            Engine::Memory(memory) => memory.create(name, plan, creator),
            Engine::Redis(redis) => Box::pin(redis.create(name, plan, creator)).await,
        }
    }

    pub async fn join(&self, name: &RoomName, visitor: Visitor) -> Result<Joined, Refusal> {
        match self {
            Engine::Memory(memory) => memory.join(name, visitor),
            Engine::Redis(redis) => Box::pin(redis.join(name, visitor)).await,
        }
    }

    pub async fn post(&self, name: &RoomName, from: PeerId, post: Post) -> Result<Accepted, Refusal> {
        match self {
            Engine::Memory(memory) => memory.post(name, from, post),
            Engine::Redis(redis) => Box::pin(redis.post(name, from, post)).await,
        }
    }

    pub async fn leave(&self, name: &RoomName, peer: PeerId) -> Result<(), Refusal> {
        match self {
            Engine::Memory(memory) => memory.leave(name, peer),
            Engine::Redis(redis) => Box::pin(redis.leave(name, peer)).await,
        }
    }

    pub async fn say_goodbye(&self, name: &RoomName, peer: PeerId) -> Result<(), Refusal> {
        match self {
            Engine::Memory(memory) => memory.say_goodbye(name, peer),
            Engine::Redis(redis) => Box::pin(redis.say_goodbye(name, peer)).await,
        }
    }

    pub async fn kick(&self, name: &RoomName, creator: CreatorId, peer: PeerId) -> Result<(), Refusal> {
        match self {
            Engine::Memory(memory) => memory.kick(name, creator, peer),
            Engine::Redis(redis) => Box::pin(redis.kick(name, creator, peer)).await,
        }
    }

    pub async fn lock(&self, name: &RoomName, creator: CreatorId, locked: bool) -> Result<RoomView, Refusal> {
        match self {
            Engine::Memory(memory) => memory.lock(name, creator, locked),
            Engine::Redis(redis) => Box::pin(redis.lock(name, creator, locked)).await,
        }
    }

    pub async fn close(&self, name: &RoomName, creator: CreatorId) -> Result<(), Refusal> {
        match self {
            Engine::Memory(memory) => memory.close(name, creator),
            Engine::Redis(redis) => Box::pin(redis.close(name, creator)).await,
        }
    }

    pub async fn view(&self, name: &RoomName) -> Result<RoomView, Refusal> {
        match self {
            Engine::Memory(memory) => memory.view(name),
            Engine::Redis(redis) => Box::pin(redis.view(name)).await,
        }
    }

    pub async fn roster(&self, name: &RoomName, peer: PeerId) -> Result<Vec<Arc<Card>>, Refusal> {
        match self {
            Engine::Memory(memory) => memory.roster(name, peer),
            Engine::Redis(redis) => Box::pin(redis.roster(name, peer)).await,
        }
    }

    /// The messages after a cursor. When there are none, waits up to `hold` for one; an empty batch says that none came.
    pub async fn receive(&self, name: &RoomName, peer: PeerId, asked: Asked, hold: Duration) -> Result<Batch, Refusal> {
        match self {
            Engine::Memory(memory) => Memory::receive(memory, name, peer, asked, hold).await,
            // What waits for the network is large, and is not to weigh on those who do not use it.
            Engine::Redis(redis) => Box::pin(redis.receive(name, peer, asked, hold)).await,
        }
    }

    /// Answers every parked poll with [`Refusal::Draining`], now and from now on.
    pub fn drain(&self) {
        match self {
            Engine::Memory(memory) => memory.drain(),
            Engine::Redis(redis) => redis.drain(),
        }
    }

    pub fn is_draining(&self) -> bool {
        match self {
            Engine::Memory(memory) => memory.is_draining(),
            Engine::Redis(redis) => redis.is_draining(),
        }
    }

    /// Whether it can do what it is asked for now.
    pub fn check_ready(&self) -> Result<(), Refusal> {
        match self {
            _ if self.is_draining() => Err(Refusal::Draining),
            Engine::Redis(redis) if !redis.is_up() => Err(Refusal::EngineUnavailable { perhaps_done: false }),
            Engine::Memory(_) | Engine::Redis(_) => Ok(()),
        }
    }

    pub async fn stats(&self) -> Stats {
        match self {
            Engine::Memory(memory) => memory.stats(),
            Engine::Redis(redis) => Box::pin(redis.stats()).await,
        }
    }

    /// Ends leases as they run out, for as long as it is polled.
    pub async fn sweep(&self) {
        match self {
            Engine::Memory(memory) => memory.sweep().await,
            Engine::Redis(redis) => Box::pin(redis.sweep()).await,
        }
    }
}

/// Waits for a wake-up, or for the end of the hold, after which a last look finds an empty mailbox or a late message.
async fn wait(clock: &Clock, woken: impl Future<Output = Wake>, until: Timestamp) -> Wake {
    tokio::select! {
        wake = woken => wake,
        () = clock.sleep_until(until) => Wake::News,
    }
}

//! Stores rooms and parks polls.
//!
//! [`Engine`] is the contract and the only way in. It has two implementations: `memory` for one node, `redis` for several. An
//! engine adds to the domain what that must not know: locks, the clock, waiting, the network. It knows nothing of HTTP.

mod counters;
pub mod latest_stats;
mod lifecycle_log;
mod memory;
mod redis;
mod waiters;

use std::{sync::Arc, time::Duration};

pub use counters::{BUCKETS_MICROS, Counts};
pub use memory::Memory;
pub use redis::{Address as RedisAddress, Login as RedisLogin, Redis, TlsFiles as RedisTlsFiles};

use crate::domain::{
    Accepted, Batch, Created, CreatorId, Joined, Page, PeerId, Post, Refusal, RoomName, RoomPlan, RoomView, Roster,
    Seq, Visitor,
};

/// Stores rooms and mailboxes, and parks polls. Both engines guarantee the following; `tests/it/engine/contract.rs`
/// checks it for each, and `tests/it/engine/differential` compares them.
///
/// **Atomicity.** An operation takes effect as a whole or not at all. The operations on a room have one order, and all of its
/// mailboxes agree with it: joins and leaves are in the same order everywhere, and one sender's messages in the order of its
/// posts.
///
/// **Delivery.** An accepted message stays in the mailbox until the mailbox's owner reads with a cursor at or past it, as long as
/// the owner is in the room. Reading removes nothing, so a lost response can be fetched again.
///
/// **Cursors.** The numbers of a mailbox rise by one, without gaps. A cursor past the newest message is refused with
/// [`Refusal::CursorAhead`], one before the oldest with [`Refusal::CursorGone`]; neither is ever guessed. If messages may have
/// been lost, as after a restart, the mailbox starts at a higher number, so that old cursors are gone.
///
/// **Idempotency.** A join, creation or post that is repeated with its [`KeyedRequest`](crate::domain::KeyedRequest) has the
/// first one's result and no second effect.
///
/// **Polls.** Each peer has at most one parked poll, its newest. A poll that has been replaced ends with
/// [`Refusal::PollSuperseded`], or with an empty batch if the newer poll is from the same [`Page`]. Among pages that name
/// themselves, the one that joined last has the seat. Dropping the future of a poll releases all that it holds.
///
/// **Wake-ups.** A message that arrives between a poll's empty read and its parking wakes it. A wake-up is only a hint to read
/// again: a spurious one costs time, never a message.
///
/// **Leases.** A peer that makes no request for the length of its lease is removed. The others are told once, and its seat is
/// free. No operation sees a lease that has ended, whether or not the sweeper has run.
///
/// **Limits.** Each limit of [`Limits`](crate::domain::Limits) is enforced by refusing the caller that would exceed it. Server
/// events are never refused.
///
/// **Failure.** [`Refusal::EngineUnavailable`] says whether the operation may have been done. The memory engine never
/// returns it.
///
/// **Draining.** After [`Engine::drain`], creations, joins, posts and polls with a hold are refused with
/// [`Refusal::Draining`], and so are parked polls. Everything else still works.
#[derive(Clone, Debug)]
pub enum Engine {
    Memory(Arc<Memory>),
    Redis(Arc<Redis>),
}

/// A poll's cursor, and the page that it is from.
#[derive(Clone, Copy, Debug, Default)]
pub struct PollRequest {
    pub after: Option<Seq>,
    pub page: Option<Page>,
}

/// Figures for metrics and health checks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    pub rooms: usize,
    pub peers: usize,
    pub parked: usize,
    /// Bytes of memory that all rooms take, as estimated; 0 if they are in Redis.
    pub rooms_bytes: usize,
    pub counters: Counts,
}

/// Calls the method of either engine. The future of a Redis call is boxed: it is large, and would be part of every connection's
/// future with the memory engine, too.
macro_rules! dispatch {
    ($engine:ident.$method:ident($($argument:expr),*)) => {
        match $engine {
            Engine::Memory(memory) => memory.$method($($argument),*),
            Engine::Redis(redis) => Box::pin(redis.$method($($argument),*)).await,
        }
    };
}

impl Engine {
    pub async fn create(&self, name: &RoomName, plan: RoomPlan, creator: CreatorId) -> Result<Created, Refusal> {
        dispatch!(self.create(name, plan, creator))
    }

    pub async fn join(&self, name: &RoomName, visitor: Visitor) -> Result<Joined, Refusal> {
        dispatch!(self.join(name, visitor))
    }

    pub async fn post(&self, name: &RoomName, from: PeerId, post: Post) -> Result<Accepted, Refusal> {
        dispatch!(self.post(name, from, post))
    }

    pub async fn leave(&self, name: &RoomName, peer: PeerId) -> Result<(), Refusal> {
        dispatch!(self.leave(name, peer))
    }

    /// The peer's page is going away: its lease shrinks to the grace period unless it joins again.
    pub async fn say_goodbye(&self, name: &RoomName, peer: PeerId) -> Result<(), Refusal> {
        dispatch!(self.say_goodbye(name, peer))
    }

    pub async fn kick(&self, name: &RoomName, creator: CreatorId, peer: PeerId) -> Result<(), Refusal> {
        dispatch!(self.kick(name, creator, peer))
    }

    pub async fn lock(&self, name: &RoomName, creator: CreatorId, locked: bool) -> Result<RoomView, Refusal> {
        dispatch!(self.lock(name, creator, locked))
    }

    pub async fn close(&self, name: &RoomName, creator: CreatorId) -> Result<(), Refusal> {
        dispatch!(self.close(name, creator))
    }

    pub async fn view(&self, name: &RoomName) -> Result<RoomView, Refusal> {
        dispatch!(self.view(name))
    }

    /// Every peer in the room, in the order of joining.
    pub async fn roster(&self, name: &RoomName, peer: PeerId) -> Result<Roster, Refusal> {
        dispatch!(self.roster(name, peer))
    }

    /// Where the relays of all nodes are reached, after this node has said where its own is and for how long that holds.
    pub async fn relays(&self, host: &str, lifetime: Duration) -> Result<Vec<String>, Refusal> {
        match self {
            Engine::Memory(_) => Ok(vec![host.to_owned()]),
            Engine::Redis(redis) => Box::pin(redis.relays(host, lifetime)).await,
        }
    }

    /// Which of these peers are in the room. Unlike their own requests, this renews no lease.
    pub async fn seated(&self, name: &RoomName, peers: &[PeerId]) -> Result<Vec<PeerId>, Refusal> {
        dispatch!(self.seated(name, peers))
    }

    /// The messages after a cursor. If there are none, waits up to `hold` for one; then the batch is empty.
    pub async fn receive(
        &self,
        name: &RoomName,
        peer: PeerId,
        request: PollRequest,
        hold: Duration,
    ) -> Result<Batch, Refusal> {
        match self {
            Engine::Memory(memory) => memory.receive(name, peer, request, hold).await,
            Engine::Redis(redis) => Box::pin(redis.receive(name, peer, request, hold)).await,
        }
    }

    /// Ends all parked polls, now and from now on.
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

    /// The readiness check.
    pub fn check_ready(&self) -> Result<(), Refusal> {
        match self {
            _ if self.is_draining() => Err(Refusal::Draining),
            Engine::Redis(redis) if !redis.is_up() => Err(Refusal::EngineUnavailable { perhaps_done: false }),
            Engine::Memory(_) | Engine::Redis(_) => Ok(()),
        }
    }

    pub async fn stats(&self) -> Stats {
        dispatch!(self.stats())
    }

    /// Ends leases when they are over, until it is dropped.
    pub async fn sweep(&self) {
        match self {
            Engine::Memory(memory) => memory.sweep().await,
            Engine::Redis(redis) => Box::pin(redis.sweep()).await,
        }
    }
}

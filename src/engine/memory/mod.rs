//! The engine for one machine: rooms in shards, each under one lock that is held for as long as a domain call takes.
//!
//! [`Memory`] is the engine; a `Shard` is what one lock guards, rooms and the polls that wait for them.

mod parked;
mod sweep;
mod usage;

use std::{
    hash::{BuildHasher, RandomState},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use crate::{
    clock::Clock,
    domain::{
        Accepted, Batch, Card, Created, CreatorId, Joined, Left, Limits, PeerId, Post, Read, Refusal, RoomKey,
        RoomName, RoomPlan, RoomView, Rooms, Timestamp, Visitor,
    },
    engine::{
        Asked, Stats,
        counters::Flow,
        lifecycle_log,
        memory::{
            parked::Parked,
            usage::{Part, Totals},
        },
        waiters::{Waiters, Wake, Woken},
    },
};
use parking_lot::{Mutex, MutexGuard};

/// Enough that two workers rarely meet, few enough to sweep them all without noticing.
const SHARDS: u64 = 64;

#[derive(Debug)]
pub struct Memory {
    /// One lock for each shard: rooms and waiters change together, so that no message falls between an empty read and
    /// a parked poll.
    shards: Box<[Mutex<Shard>]>,
    hasher: RandomState,
    clock: Clock,
    limits: Arc<Limits>,
    totals: Totals,
    draining: AtomicBool,
    flow: Flow,
}

#[derive(Debug)]
struct Shard {
    rooms: Rooms,
    waiters: Waiters,
}

/// What a look into a mailbox found.
#[derive(Debug)]
enum Look {
    Ready(Batch),
    /// Nothing yet: the poll has its place among the waiters.
    Parked(Parked),
}

impl Memory {
    pub fn new(limits: Arc<Limits>, clock: Clock) -> Arc<Self> {
        let shard = || Mutex::new(Shard { rooms: Rooms::new(limits.clone()), waiters: Waiters::default() });
        Arc::new(Self {
            shards: std::iter::repeat_with(shard).take(SHARDS as usize).collect(),
            hasher: RandomState::new(),
            clock,
            totals: Totals::default(),
            draining: AtomicBool::new(false),
            flow: Flow::default(),
            limits,
        })
    }

    pub fn create(&self, name: &RoomName, plan: RoomPlan, creator: CreatorId) -> Result<Created, Refusal> {
        self.refuse_when_draining()?;
        let key = self.key(name);
        self.with_room_to_add(key, |shard, now, left| {
            (shard.rooms.create(now, key, plan, creator, left), Woken::default())
        })
    }

    pub fn join(&self, name: &RoomName, visitor: Visitor) -> Result<Joined, Refusal> {
        self.refuse_when_draining()?;
        let key = self.key(name);
        self.with_room_to_add(key, |shard, now, left| {
            let mut joined = shard.rooms.join(now, key, visitor, left);
            let wake = joined.as_mut().map(|joined| std::mem::take(&mut joined.wake)).unwrap_or_default();
            (joined, shard.waiters.take(wake))
        })
    }

    pub fn post(&self, name: &RoomName, from: PeerId, post: Post) -> Result<Accepted, Refusal> {
        self.refuse_when_draining()?;
        let key = self.key(name);
        let accepted = self.with_shard(key, |shard, now| {
            let accepted = shard.rooms.post(now, key, from, post, self.totals.left(false, &self.limits));
            let places = accepted.iter().flat_map(|accepted| &accepted.places);
            let woken = shard.waiters.take(places.map(|(peer, _)| *peer));
            (accepted, woken)
        })?;
        self.flow.accepted(&accepted);
        Ok(accepted)
    }

    pub fn leave(&self, name: &RoomName, peer: PeerId) -> Result<(), Refusal> {
        let key = self.key(name);
        self.telling(key, |rooms, now| rooms.leave(now, key, peer))
    }

    pub fn say_goodbye(&self, name: &RoomName, peer: PeerId) -> Result<(), Refusal> {
        let key = self.key(name);
        self.quietly(key, |rooms, now| rooms.say_goodbye(now, key, peer))
    }

    pub fn kick(&self, name: &RoomName, creator: CreatorId, peer: PeerId) -> Result<(), Refusal> {
        let key = self.key(name);
        self.telling(key, |rooms, now| rooms.kick(now, key, creator, peer))
    }

    pub fn lock(&self, name: &RoomName, creator: CreatorId, locked: bool) -> Result<RoomView, Refusal> {
        let key = self.key(name);
        self.quietly(key, |rooms, _| rooms.lock(key, creator, locked))
    }

    pub fn close(&self, name: &RoomName, creator: CreatorId) -> Result<(), Refusal> {
        let key = self.key(name);
        self.telling(key, |rooms, now| rooms.close(now, key, creator))
    }

    pub fn view(&self, name: &RoomName) -> Result<RoomView, Refusal> {
        let key = self.key(name);
        self.quietly(key, |rooms, _| rooms.view(key))
    }

    pub fn roster(&self, name: &RoomName, peer: PeerId) -> Result<Vec<Arc<Card>>, Refusal> {
        let key = self.key(name);
        self.quietly(key, |rooms, now| rooms.roster(now, key, peer))
    }

    pub async fn receive(
        this: &Arc<Self>,
        name: &RoomName,
        peer: PeerId,
        asked: Asked,
        hold: Duration,
    ) -> Result<Batch, Refusal> {
        let mut now = this.clock.now();
        let until = now + hold;
        let key = this.key(name);
        let mut poll = None;
        loop {
            let mut parked = match Self::look(this, key, peer, asked, [now, until], poll)? {
                Look::Ready(batch) => return Ok(batch),
                Look::Parked(parked) => parked,
            };
            poll = Some(parked.poll);
            match crate::engine::wait(&this.clock, parked.woken(), until).await {
                Wake::News | Wake::Lost => now = this.clock.now(),
                Wake::Draining => return Err(Refusal::Draining),
            }
        }
    }

    /// Reads a mailbox and, if there is nothing and time is left, parks the poll, under one lock. A poll that looks
    /// again says which it was.
    fn look(
        this: &Arc<Self>,
        key: RoomKey<'_>,
        peer: PeerId,
        Asked { after, page }: Asked,
        [now, until]: [Timestamp; 2],
        poll: Option<u64>,
    ) -> Result<Look, Refusal> {
        let may_park = until > now;
        if may_park && this.is_draining() {
            return Err(Refusal::Draining);
        }
        let mut shard = this.shard(key.hash).lock();
        let expired = this.expire(&mut shard, now);
        let held_until = may_park.then_some(until);
        let read = poll.map_or(Read::Arriving { held_until, page }, |poll| Read::Again { poll, page });
        let before = Part::of(&shard.rooms);
        let batch = shard.rooms.read(now, key, peer, after, read);
        this.totals.reckon(before, &shard.rooms);
        let mut older = None;
        let look = batch.map(|batch| {
            let Some(poll) = batch.poll else { return Look::Ready(batch) };
            older = Some(shard.waiters.take([peer]));
            if batch.messages.is_empty() && may_park {
                let receiver = shard.waiters.park(peer, poll);
                Look::Parked(Parked {
                    memory: this.clone(),
                    name: key.name.clone(),
                    hash: key.hash,
                    peer,
                    poll,
                    receiver,
                })
            } else {
                Look::Ready(batch)
            }
        });
        this.release(shard);
        expired.wake(Wake::News);
        if let Some(older) = older {
            // It looks again, and learns that there is a newer one.
            older.wake(Wake::News);
        }
        if let Ok(Look::Ready(batch)) = &look {
            this.flow.delivered(batch, now);
        }
        // A drain that came between the check above and the parking has found nobody: look after the polls it missed.
        if matches!(look, Ok(Look::Parked(_))) && this.is_draining() {
            return Err(Refusal::Draining);
        }
        look
    }

    pub fn drain(&self) {
        self.draining.store(true, Ordering::Release);
        for shard in &self.shards {
            let woken = shard.lock().waiters.take_all();
            woken.wake(Wake::Draining);
        }
    }

    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }

    pub fn stats(&self) -> Stats {
        let mut stats = Stats { rooms_bytes: self.totals.cost(), ..Stats::default() };
        for shard in &self.shards {
            let shard = shard.lock();
            stats.rooms += shard.rooms.len();
            stats.peers += shard.rooms.peers();
            stats.parked += shard.waiters.len();
        }
        // Last: who is gone from the shards has been counted.
        stats.flow = self.flow.counts();
        stats
    }

    /// Nothing is accepted any more that nobody could still read.
    fn refuse_when_draining(&self) -> Result<(), Refusal> {
        if self.is_draining() { Err(Refusal::Draining) } else { Ok(()) }
    }

    /// One operation on one room: what is over ends first, and whoever is to be woken is woken after the lock is gone.
    fn with_shard<T>(
        &self,
        key: RoomKey<'_>,
        operation: impl FnOnce(&mut Shard, Timestamp) -> (Result<T, Refusal>, Woken),
    ) -> Result<T, Refusal> {
        let now = self.clock.now();
        let mut shard = self.shard(key.hash).lock();
        let expired = self.expire(&mut shard, now);
        let before = Part::of(&shard.rooms);
        let (result, woken) = operation(&mut shard, now);
        self.totals.reckon(before, &shard.rooms);
        self.release(shard);
        expired.wake(Wake::News);
        woken.wake(Wake::News);
        result
    }

    /// The same for an operation of which peers are to be told.
    fn telling(
        &self,
        key: RoomKey<'_>,
        operation: impl FnOnce(&mut Rooms, Timestamp) -> Result<Vec<PeerId>, Refusal>,
    ) -> Result<(), Refusal> {
        self.with_shard(key, |shard, now| match operation(&mut shard.rooms, now) {
            Ok(wake) => (Ok(()), shard.waiters.take(wake)),
            Err(refusal) => (Err(refusal), Woken::default()),
        })
    }

    /// The same for one that nobody waits for.
    fn quietly<T>(
        &self,
        key: RoomKey<'_>,
        operation: impl FnOnce(&mut Rooms, Timestamp) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        self.with_shard(key, |shard, now| (operation(&mut shard.rooms, now), Woken::default()))
    }

    /// The same for one that may add a room. The place is taken before and given back if it was not used.
    fn with_room_to_add<T>(
        &self,
        key: RoomKey<'_>,
        operation: impl FnOnce(&mut Shard, Timestamp, Left) -> (Result<T, Refusal>, Woken),
    ) -> Result<T, Refusal> {
        self.with_shard(key, |shard, now| {
            if shard.rooms.contains(key) {
                return operation(shard, now, self.totals.left(false, &self.limits));
            }
            let reserved = self.totals.take_room(&self.limits);
            let outcome = operation(shard, now, self.totals.left(reserved, &self.limits));
            if reserved && !shard.rooms.contains(key) {
                self.totals.give_room_back();
            }
            outcome
        })
    }

    fn expire(&self, shard: &mut Shard, now: Timestamp) -> Woken {
        if shard.rooms.next_deadline().is_none_or(|next| next > now) {
            return Woken::default();
        }
        let before = Part::of(&shard.rooms);
        let expired = shard.rooms.expire(now);
        self.totals.reckon(before, &shard.rooms);
        shard.waiters.take(expired)
    }

    /// Counts under the lock, so that nobody is gone who is not counted; logs after it, because a log may stand still.
    fn release(&self, mut shard: MutexGuard<'_, Shard>) {
        let lifecycle = shard.rooms.take_lifecycle();
        if !lifecycle.is_empty() {
            self.flow.expired(&lifecycle);
            drop(shard);
            lifecycle_log::log(&lifecycle, &self.hasher);
        }
    }

    fn key<'a>(&self, name: &'a RoomName) -> RoomKey<'a> {
        RoomKey { name, hash: self.hasher.hash_one(name) }
    }

    /// By bits of the hash that the shard's table makes no use of.
    fn shard(&self, hash: u64) -> &Mutex<Shard> {
        &self.shards[(hash >> 40 & (SHARDS - 1)) as usize]
    }
}

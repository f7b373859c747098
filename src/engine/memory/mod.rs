//! The engine for one node: rooms in shards, each under a lock that is held for one call into the domain.

mod accounts;
mod receive;
mod sweep;
mod usage;

use std::{
    hash::{BuildHasher, RandomState},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use parking_lot::{Mutex, MutexGuard};

use crate::{
    clock::Clock,
    domain::{
        Accepted, Account, Created, CreatorId, Headroom, Joined, Limits, PeerId, Post, Refusal, RoomKey, RoomName,
        RoomPlan, RoomView, Rooms, Roster, Timestamp, Visitor,
    },
    engine::{
        Stats,
        counters::Counters,
        lifecycle_log,
        memory::{
            accounts::Accounts,
            usage::{ShardUsage, Totals},
        },
        waiters::{Waiters, Wake},
    },
};

/// Enough that two workers rarely contend, few enough to sweep them all.
const SHARDS: u64 = 64;

#[derive(Debug)]
pub struct Memory {
    shards: Box<[Mutex<Shard>]>,
    hasher: RandomState,
    clock: Clock,
    limits: Arc<Limits>,
    totals: Totals,
    accounts: Accounts,
    draining: AtomicBool,
    counters: Counters,
}

/// Rooms and their waiters are under one lock, so that no message falls between an empty read and a parked poll.
#[derive(Debug)]
struct Shard {
    rooms: Rooms,
    waiters: Waiters,
}

impl Memory {
    pub fn new(limits: Arc<Limits>, clock: Clock) -> Arc<Self> {
        let shard = || Mutex::new(Shard { rooms: Rooms::new(limits.clone()), waiters: Waiters::default() });
        Arc::new(Self {
            shards: std::iter::repeat_with(shard).take(SHARDS as usize).collect(),
            hasher: RandomState::new(),
            clock,
            totals: Totals::default(),
            accounts: Accounts::default(),
            draining: AtomicBool::new(false),
            counters: Counters::default(),
            limits,
        })
    }

    pub fn create(&self, name: &RoomName, plan: RoomPlan, creator: CreatorId) -> Result<Created, Refusal> {
        self.refuse_when_draining()?;
        let account = self.accounts.of(plan.source);
        self.with_new_room(name, &account, |rooms, key, now, headroom| {
            rooms.create(now, key, plan, creator, &account, headroom)
        })
    }

    pub fn join(&self, name: &RoomName, visitor: Visitor) -> Result<Joined, Refusal> {
        self.refuse_when_draining()?;
        let account = self.accounts.of(visitor.source);
        self.with_new_room(name, &account, |rooms, key, now, headroom| {
            rooms.join(now, key, visitor, &account, headroom)
        })
    }

    pub fn post(&self, name: &RoomName, from: PeerId, post: Post) -> Result<Accepted, Refusal> {
        self.refuse_when_draining()?;
        let accepted = self.with_shard(name, |rooms, key, now| {
            rooms.post(now, key, from, post, self.totals.headroom(false, &self.limits))
        })?;
        self.counters.accepted(&accepted);
        Ok(accepted)
    }

    pub fn leave(&self, name: &RoomName, peer: PeerId) -> Result<(), Refusal> {
        self.with_shard(name, |rooms, key, now| rooms.leave(now, key, peer))
    }

    pub fn say_goodbye(&self, name: &RoomName, peer: PeerId) -> Result<(), Refusal> {
        self.with_shard(name, |rooms, key, now| rooms.say_goodbye(now, key, peer))
    }

    pub fn kick(&self, name: &RoomName, creator: CreatorId, peer: PeerId) -> Result<(), Refusal> {
        self.with_shard(name, |rooms, key, now| rooms.kick(now, key, creator, peer))
    }

    pub fn lock(&self, name: &RoomName, creator: CreatorId, locked: bool) -> Result<RoomView, Refusal> {
        self.with_shard(name, |rooms, key, _| rooms.lock(key, creator, locked))
    }

    pub fn close(&self, name: &RoomName, creator: CreatorId) -> Result<(), Refusal> {
        self.with_shard(name, |rooms, key, now| rooms.close(now, key, creator))
    }

    pub fn view(&self, name: &RoomName) -> Result<RoomView, Refusal> {
        self.with_shard(name, |rooms, key, _| rooms.view(key))
    }

    pub fn roster(&self, name: &RoomName, peer: PeerId) -> Result<Roster, Refusal> {
        self.with_shard(name, |rooms, key, now| rooms.roster(now, key, peer))
    }

    pub fn seated(&self, name: &RoomName, peers: &[PeerId]) -> Result<Vec<PeerId>, Refusal> {
        self.with_shard(name, |rooms, key, _| Ok(rooms.seated(key, peers)))
    }

    pub fn drain(&self) {
        self.draining.store(true, Ordering::Release);
        for shard in &self.shards {
            let parked = shard.lock().waiters.take_all();
            parked.wake(Wake::Draining);
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
        // Last, so that every peer missing from the shards is counted as gone.
        stats.counters = self.counters.snapshot();
        stats
    }

    fn refuse_when_draining(&self) -> Result<(), Refusal> {
        if self.is_draining() { Err(Refusal::Draining) } else { Ok(()) }
    }

    /// Runs one operation on one room.
    fn with_shard<T>(
        &self,
        name: &RoomName,
        operation: impl FnOnce(&mut Rooms, RoomKey<'_>, Timestamp) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let (key, now) = (self.key(name), self.clock.now());
        let mut shard = self.shard(key.hash).lock();
        let result = self.in_shard(&mut shard.rooms, now, |rooms| operation(rooms, key, now));
        self.finish(shard);
        result
    }

    /// The same for an operation that may create the room, which is counted beforehand.
    fn with_new_room<T>(
        &self,
        name: &RoomName,
        account: &Account,
        operation: impl FnOnce(&mut Rooms, RoomKey<'_>, Timestamp, Headroom) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        self.with_shard(name, |rooms, key, now| {
            let reserved = !rooms.contains(key) && self.totals.reserve_room(account, &self.limits);
            let result = operation(rooms, key, now, self.totals.headroom(reserved, &self.limits));
            if reserved && !rooms.contains(key) {
                self.totals.release_room();
            }
            result
        })
    }

    /// Ends leases first, so that no operation sees one that is over.
    fn in_shard<T>(&self, rooms: &mut Rooms, now: Timestamp, operation: impl FnOnce(&mut Rooms) -> T) -> T {
        self.expire(rooms, now);
        let before = ShardUsage::of(rooms);
        let result = operation(rooms);
        self.totals.update(before, rooms);
        result
    }

    fn expire(&self, rooms: &mut Rooms, now: Timestamp) {
        if rooms.next_deadline().is_some_and(|next| next <= now) {
            let before = ShardUsage::of(rooms);
            rooms.expire(now);
            self.totals.update(before, rooms);
        }
    }

    /// Releases the lock, and then wakes polls and logs, which may block. Counts before that, so that no peer is gone and not
    /// counted.
    fn finish(&self, mut shard: MutexGuard<'_, Shard>) {
        let Shard { rooms, waiters } = &mut *shard;
        let parked = waiters.take(rooms.drain_wake());
        let lifecycle = rooms.take_lifecycle();
        if !lifecycle.is_empty() {
            self.counters.expired(&lifecycle);
        }
        drop(shard);
        parked.wake(Wake::Changed);
        if !lifecycle.is_empty() {
            lifecycle_log::log(&lifecycle, &self.hasher);
        }
    }

    fn key<'a>(&self, name: &'a RoomName) -> RoomKey<'a> {
        RoomKey { name, hash: self.hasher.hash_one(name) }
    }

    /// By bits of the hash that the shard's table does not use.
    fn shard(&self, hash: u64) -> &Mutex<Shard> {
        &self.shards[(hash >> 40 & (SHARDS - 1)) as usize]
    }
}

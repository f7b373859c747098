//! The engine for one machine: rooms in shards, each under one lock that is held for as long as a domain call takes.

use std::{
    hash::{BuildHasher, RandomState},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::{
    Asked, Stats,
    flow::Flow,
    lifecycle,
    totals::{Part, Totals},
    waiters::{Waiters, Wake},
};
use crate::{
    clock::Clock,
    domain::{
        Accepted, Batch, Card, Created, CreatorId, Joined, Left, Lifecycle, Limits, PeerId, Post, Read, Refusal,
        RoomName, RoomPlan, RoomView, Rooms, Timestamp, Visitor,
    },
};

/// Enough that two workers rarely meet, few enough to sweep them all without noticing.
const SHARDS: usize = 64;

/// Between two sweeps, at least: leases are seconds long, and a sweep may end many of them at once.
const SWEEP_PAUSE: Duration = Duration::from_millis(5);

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
            shards: std::iter::repeat_with(shard).take(SHARDS).collect(),
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
        self.with_room_to_add(name, |rooms, now, left| (rooms.create(now, name, plan, creator, left), Vec::new()))
    }

    pub fn join(&self, name: &RoomName, visitor: Visitor) -> Result<Joined, Refusal> {
        self.refuse_when_draining()?;
        self.with_room_to_add(name, |rooms, now, left| {
            let mut joined = rooms.join(now, name, visitor, left);
            let wake = joined.as_mut().map(|joined| std::mem::take(&mut joined.wake)).unwrap_or_default();
            (joined, wake)
        })
    }

    pub fn post(&self, name: &RoomName, from: PeerId, post: Post) -> Result<Accepted, Refusal> {
        self.refuse_when_draining()?;
        let accepted = self.with_shard(name, |rooms, now| {
            let mut accepted = rooms.post(now, name, from, post, self.totals.left(false, &self.limits));
            let wake = accepted.as_mut().map(|accepted| std::mem::take(&mut accepted.wake)).unwrap_or_default();
            (accepted, wake)
        })?;
        self.flow.accepted(&accepted);
        Ok(accepted)
    }

    pub fn leave(&self, name: &RoomName, peer: PeerId) -> Result<(), Refusal> {
        self.with_shard(name, |rooms, now| told(rooms.leave(now, name, peer)))
    }

    pub fn say_goodbye(&self, name: &RoomName, peer: PeerId) -> Result<(), Refusal> {
        self.with_shard(name, |rooms, now| (rooms.say_goodbye(now, name, peer), Vec::new()))
    }

    pub fn kick(&self, name: &RoomName, creator: CreatorId, peer: PeerId) -> Result<(), Refusal> {
        self.with_shard(name, |rooms, now| told(rooms.kick(now, name, creator, peer)))
    }

    pub fn lock(&self, name: &RoomName, creator: CreatorId, locked: bool) -> Result<RoomView, Refusal> {
        self.with_shard(name, |rooms, _| (rooms.lock(name, creator, locked), Vec::new()))
    }

    pub fn close(&self, name: &RoomName, creator: CreatorId) -> Result<(), Refusal> {
        self.with_shard(name, |rooms, now| told(rooms.close(now, name, creator)))
    }

    pub fn view(&self, name: &RoomName) -> Result<RoomView, Refusal> {
        self.with_shard(name, |rooms, _| (rooms.view(name), Vec::new()))
    }

    pub fn roster(&self, name: &RoomName, peer: PeerId) -> Result<Vec<Arc<Card>>, Refusal> {
        self.with_shard(name, |rooms, now| (rooms.roster(now, name, peer), Vec::new()))
    }

    pub async fn receive(
        this: &Arc<Self>,
        name: &RoomName,
        peer: PeerId,
        asked: Asked,
        hold: Duration,
    ) -> Result<Batch, Refusal> {
        let until = this.clock.now() + hold;
        let mut poll = None;
        loop {
            let mut parked = match Self::look(this, name, peer, asked, until, poll)? {
                Look::Ready(batch) => return Ok(batch),
                Look::Parked(parked) => parked,
            };
            poll = Some(parked.poll);
            match super::wait(&this.clock, parked.woken(), until).await {
                Wake::News => {}
                Wake::Draining => return Err(Refusal::Draining),
            }
        }
    }

    /// Reads a mailbox and, if there is nothing and time is left, parks the poll, under one lock. A poll that looks
    /// again says which it was.
    fn look(
        this: &Arc<Self>,
        name: &RoomName,
        peer: PeerId,
        Asked { after, page }: Asked,
        until: Timestamp,
        poll: Option<u64>,
    ) -> Result<Look, Refusal> {
        let now = this.clock.now();
        let may_park = until > now;
        if may_park && this.is_draining() {
            return Err(Refusal::Draining);
        }
        let index = this.shard_of(name);
        let mut shard = this.shards[index].lock();
        let expired = this.expire(&mut shard, now);
        let held_until = may_park.then_some(until);
        let read = poll.map_or(Read::Arriving { held_until, page }, |poll| Read::Again { poll, page });
        let before = Part::of(&shard.rooms);
        let batch = shard.rooms.read(now, name, peer, after, read);
        this.totals.reckon(before, &shard.rooms);
        let mut older = None;
        let look = batch.map(|batch| {
            let Some(poll) = batch.poll else { return Look::Ready(batch) };
            older = Some(shard.waiters.take(&[peer]));
            if batch.messages.is_empty() && may_park {
                let receiver = shard.waiters.park(peer, poll);
                Look::Parked(Parked { memory: this.clone(), index, name: name.clone(), peer, poll, receiver })
            } else {
                Look::Ready(batch)
            }
        });
        let lifecycle = shard.rooms.take_lifecycle();
        drop(shard);
        this.note(&lifecycle);
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
        let cost = self.totals.cost();
        let mut stats = Stats { rooms_bytes: cost, flow: self.flow.counts(), ..Stats::default() };
        for shard in &self.shards {
            let shard = shard.lock();
            stats.rooms += shard.rooms.len();
            stats.peers += shard.rooms.peers();
            stats.parked += shard.waiters.len();
        }
        stats
    }

    /// Sleeps to the first deadline, or for one grace period: no lease that begins meanwhile can end sooner than that.
    pub async fn sweep(&self) {
        let longest = self.limits.lease.min(self.limits.leave_grace).max(SWEEP_PAUSE);
        loop {
            let mut next = self.clock.now() + longest;
            for shard in &self.shards {
                let mut shard = shard.lock();
                let woken = self.expire(&mut shard, self.clock.now());
                next = next.min(shard.rooms.next_deadline().unwrap_or(next));
                let lifecycle = shard.rooms.take_lifecycle();
                drop(shard);
                self.note(&lifecycle);
                woken.wake(Wake::News);
            }
            self.clock.sleep_until(next.max(self.clock.now() + SWEEP_PAUSE)).await;
        }
    }

    /// Nothing is accepted any more that nobody could still read.
    fn refuse_when_draining(&self) -> Result<(), Refusal> {
        if self.is_draining() { Err(Refusal::Draining) } else { Ok(()) }
    }

    /// One operation on one room: what is over ends first, and whoever is to be woken is woken after the lock is gone.
    fn with_shard<T>(&self, name: &RoomName, operation: impl FnOnce(&mut Rooms, Timestamp) -> (T, Vec<PeerId>)) -> T {
        let now = self.clock.now();
        let mut shard = self.shards[self.shard_of(name)].lock();
        let expired = self.expire(&mut shard, now);
        let before = Part::of(&shard.rooms);
        let (result, wake) = operation(&mut shard.rooms, now);
        self.totals.reckon(before, &shard.rooms);
        let woken = shard.waiters.take(&wake);
        let lifecycle = shard.rooms.take_lifecycle();
        drop(shard);
        self.note(&lifecycle);
        expired.wake(Wake::News);
        woken.wake(Wake::News);
        result
    }

    /// The same for an operation that may add a room. The place is taken before and given back if it was not used.
    fn with_room_to_add<T>(
        &self,
        name: &RoomName,
        operation: impl FnOnce(&mut Rooms, Timestamp, Left) -> (T, Vec<PeerId>),
    ) -> T {
        self.with_shard(name, |rooms, now| {
            if rooms.contains(name) {
                return operation(rooms, now, self.totals.left(false, &self.limits));
            }
            let reserved = self.totals.take_room(&self.limits);
            let outcome = operation(rooms, now, self.totals.left(reserved, &self.limits));
            if reserved && !rooms.contains(name) {
                self.totals.give_room_back();
            }
            outcome
        })
    }

    fn expire(&self, shard: &mut Shard, now: Timestamp) -> super::waiters::Woken {
        if shard.rooms.next_deadline().is_none_or(|next| next > now) {
            return super::waiters::Woken::default();
        }
        let before = Part::of(&shard.rooms);
        let expired = shard.rooms.expire(now);
        self.totals.reckon(before, &shard.rooms);
        shard.waiters.take(&expired)
    }

    /// Not under a lock: a log may stand still.
    fn note(&self, lifecycle: &[Lifecycle]) {
        if !lifecycle.is_empty() {
            self.flow.expired(lifecycle);
            lifecycle::log(lifecycle, &self.hasher);
        }
    }

    fn shard_of(&self, name: &RoomName) -> usize {
        self.hasher.hash_one(name) as usize % SHARDS
    }
}

fn told(outcome: Result<Vec<PeerId>, Refusal>) -> (Result<(), Refusal>, Vec<PeerId>) {
    match outcome {
        Ok(wake) => (Ok(()), wake),
        Err(refusal) => (Err(refusal), Vec::new()),
    }
}

/// A poll that waits. Dropping it gives its place back, so a client that goes away leaves nothing behind.
#[derive(Debug)]
struct Parked {
    memory: Arc<Memory>,
    index: usize,
    name: RoomName,
    peer: PeerId,
    poll: u64,
    receiver: oneshot::Receiver<Wake>,
}

impl Parked {
    async fn woken(&mut self) -> Wake {
        // Senders are never dropped unsent while their waiter is in the table; if one were, looking again is right.
        (&mut self.receiver).await.unwrap_or(Wake::News)
    }
}

impl Drop for Parked {
    fn drop(&mut self) {
        let mut shard = self.memory.shards[self.index].lock();
        if shard.waiters.give_back(self.peer, self.poll) {
            let now = self.memory.clock.now();
            shard.rooms.release(now, &self.name, self.peer);
        }
    }
}

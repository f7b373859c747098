//! All rooms of one shard, and the order in which their leases end. [`Rooms`] is the way into the domain.
//!
//! Callers run [`Rooms::expire`] before each operation, so that no result depends on when the sweeper last ran. After it they
//! wake the polls of [`Rooms::drain_wake`] and log [`Rooms::take_lifecycle`].

pub(in crate::domain) mod expiry;
pub(in crate::domain) mod table;

use std::{sync::Arc, vec::Drain};

use crate::domain::{
    Accepted, Account, Batch, CreatorId, Headroom, Joined, KeyedRequest, LeaveReason, Limits, PeerId, Post, Read,
    Refusal, RoomKey, RoomName, RoomPlan, RoomView, Roster, Seq, Timestamp, Visitor,
    deadlines::Deadlines,
    lifecycle::{Change, LifecycleEvent},
    registry::table::Table,
    room::{Room, peer::Peer},
};

#[derive(Clone, Debug)]
pub struct Rooms {
    rooms: Table,
    deadlines: Deadlines,
    limits: Arc<Limits>,
    /// The sum of the rooms' costs.
    cost: usize,
    wake: Vec<PeerId>,
    lifecycle: Vec<LifecycleEvent>,
}

#[derive(Clone, Copy, Debug)]
pub struct Created {
    pub view: RoomView,
    pub creator: CreatorId,
}

impl Rooms {
    pub fn new(limits: Arc<Limits>) -> Self {
        let (rooms, deadlines) = (Table::default(), Deadlines::default());
        Self { rooms, deadlines, limits, cost: 0, wake: Vec::new(), lifecycle: Vec::new() }
    }

    pub fn len(&self) -> usize {
        self.rooms.len()
    }

    pub fn is_empty(&self) -> bool {
        self.rooms.is_empty()
    }

    pub fn contains(&self, key: RoomKey<'_>) -> bool {
        self.rooms.get(key).is_some()
    }

    pub fn peers(&self) -> usize {
        self.rooms.iter().map(|room| room.peers.len()).sum()
    }

    /// Bytes of memory that all rooms take, as estimated.
    pub fn cost(&self) -> usize {
        self.cost
    }

    /// When [`Rooms::expire`] may next have something to do.
    pub fn next_deadline(&self) -> Option<Timestamp> {
        self.deadlines.next()
    }

    pub fn deadlines(&self) -> usize {
        self.deadlines.len()
    }

    /// Peers whose mailbox or membership has changed since the last call: their parked polls must read again.
    pub fn drain_wake(&mut self) -> Drain<'_, PeerId> {
        self.wake.drain(..)
    }

    /// What has happened to rooms and peers since the last call.
    pub fn take_lifecycle(&mut self) -> Vec<LifecycleEvent> {
        std::mem::take(&mut self.lifecycle)
    }

    /// Creates a room ahead of its first join. The account pays for it.
    pub fn create(
        &mut self,
        now: Timestamp,
        key: RoomKey<'_>,
        plan: RoomPlan,
        creator: CreatorId,
        account: &Account,
        headroom: Headroom,
    ) -> Result<Created, Refusal> {
        if let Some(room) = self.rooms.get(key) {
            return Self::created_before(room, plan.made_by);
        }
        let mut room = Room::new(RoomPlan { kept: true, ..plan }, creator, account, &self.limits)?;
        headroom.check_new_room(account)?;
        room.kept_until = Some(now + self.limits.room_lease);
        let view = room.view();
        self.add(key, room);
        self.schedule(now, key);
        Ok(Created { view, creator })
    }

    fn created_before(room: &Room, made_by: Option<KeyedRequest>) -> Result<Created, Refusal> {
        if room.closed {
            return Err(Refusal::RoomClosed);
        }
        match made_by {
            Some(keyed) if keyed.repeats(room.made_by.as_deref().copied())? => {
                Ok(Created { view: room.view(), creator: room.creator })
            }
            _ => Err(Refusal::RoomExists),
        }
    }

    /// Admits a visitor to a room, which is created if it does not exist. The account pays for the seat, and for what the peer
    /// will post.
    pub fn join(
        &mut self,
        now: Timestamp,
        key: RoomKey<'_>,
        visitor: Visitor,
        account: &Account,
        headroom: Headroom,
    ) -> Result<Joined, Refusal> {
        let (joined, is_new) = if self.contains(key) {
            let joined = self.change(key, |room, limits, wake| {
                let before = room.peers.len();
                let joined = room.admit(now, visitor, account, false, limits, headroom, wake)?;
                Ok((joined, room.peers.len() > before))
            });
            joined.ok_or(Refusal::RoomUnknown)??
        } else {
            visitor.rights.check_create()?;
            let plan = RoomPlan { capacity: visitor.capacity, secret: visitor.secret, ..RoomPlan::default() };
            let mut room = Room::new(plan, visitor.creator, account, &self.limits)?;
            headroom.check_new_room(account)?;
            let joined = room.admit(now, visitor, account, true, &self.limits, headroom, &mut self.wake)?;
            self.add(key, room);
            (joined, true)
        };
        if is_new || joined.resumed {
            let change = if is_new { Change::PeerJoined } else { Change::PeerResumed };
            self.record(key.name, change(joined.card.id));
        }
        self.schedule(now, key);
        Ok(joined)
    }

    pub fn post(
        &mut self,
        now: Timestamp,
        key: RoomKey<'_>,
        from: PeerId,
        post: Post,
        headroom: Headroom,
    ) -> Result<Accepted, Refusal> {
        self.change(key, |room, limits, wake| {
            let accepted = room.post(now, from, post, limits, headroom)?;
            wake.extend(accepted.positions.iter().map(|(peer, _)| *peer));
            Ok(accepted)
        })
        .ok_or(Refusal::PeerGone)?
    }

    /// Reads a mailbox, which acknowledges everything up to the cursor `after`.
    pub fn read(
        &mut self,
        now: Timestamp,
        key: RoomKey<'_>,
        id: PeerId,
        after: Option<Seq>,
        read: Read,
    ) -> Result<Batch, Refusal> {
        let batch = self.change(key, |room, limits, _| {
            let index = match read {
                Read::NewPoll { .. } => room.member(now, id, limits)?,
                Read::Reread { .. } => room.seat(id)?,
            };
            Ok((room.read(now, index, after, read, limits)?, room.closed))
        });
        let (batch, closed) = batch.ok_or(Refusal::PeerGone)??;
        if closed && batch.messages.is_empty() && batch.poll.is_some() {
            // It has read that the room was closed; nothing will follow.
            self.remove_peer(now, key, id, LeaveReason::Left);
            return Err(Refusal::RoomClosed);
        }
        Ok(batch)
    }

    /// A parked poll of this peer ended before its hold was over.
    pub fn release(&mut self, now: Timestamp, key: RoomKey<'_>, id: PeerId) {
        if let Some(room) = self.rooms.get_mut(key)
            && let Some(index) = room.position(id)
        {
            room.peers[index].lease.release(now);
        }
    }

    pub fn leave(&mut self, now: Timestamp, key: RoomKey<'_>, id: PeerId) -> Result<(), Refusal> {
        self.rooms.get(key).ok_or(Refusal::PeerGone)?.seat(id)?;
        self.remove_peer(now, key, id, LeaveReason::Left);
        Ok(())
    }

    /// The peer's page is going away, perhaps only to be reloaded: its lease shrinks to the grace period.
    pub fn say_goodbye(&mut self, now: Timestamp, key: RoomKey<'_>, id: PeerId) -> Result<(), Refusal> {
        let room = self.rooms.get_mut(key).ok_or(Refusal::PeerGone)?;
        let index = room.member(now, id, &self.limits)?;
        room.peers[index].lease.say_goodbye(now, self.limits.leave_grace);
        self.schedule(now, key);
        Ok(())
    }

    /// Removes a peer for good, and all others of its subject.
    pub fn kick(&mut self, now: Timestamp, key: RoomKey<'_>, creator: CreatorId, id: PeerId) -> Result<(), Refusal> {
        let room = self.administered(key, creator)?;
        let kicked = &room.peers[room.position(id).ok_or(Refusal::PeerUnknown { peer: id })?];
        let same = |peer: &&Peer| peer.id != id && peer.subject.is_some() && peer.subject == kicked.subject;
        let others: Vec<PeerId> = room.peers.iter().filter(same).map(|peer| peer.id).collect();
        for id in [id].into_iter().chain(others) {
            self.remove_peer(now, key, id, LeaveReason::Kicked);
        }
        Ok(())
    }

    pub fn lock(&mut self, key: RoomKey<'_>, creator: CreatorId, locked: bool) -> Result<RoomView, Refusal> {
        let room = self.administered(key, creator)?;
        room.locked = locked;
        Ok(room.view())
    }

    /// Closes a room. It ends once its members have read so or their leases have ended.
    pub fn close(&mut self, now: Timestamp, key: RoomKey<'_>, creator: CreatorId) -> Result<(), Refusal> {
        self.administered(key, creator)?.closed = true;
        self.change(key, |room, _, wake| room.announce_end(now, wake));
        self.record(key.name, Change::RoomClosed);
        self.settle(now, key);
        Ok(())
    }

    pub fn view(&self, key: RoomKey<'_>) -> Result<RoomView, Refusal> {
        self.rooms.get(key).map(Room::view).ok_or(Refusal::RoomUnknown)
    }

    pub fn roster(&mut self, now: Timestamp, key: RoomKey<'_>, id: PeerId) -> Result<Roster, Refusal> {
        let room = self.rooms.get_mut(key).ok_or(Refusal::PeerGone)?;
        let subject = room.member(now, id, &self.limits).map(|index| room.peers[index].subject)?;
        Ok(Roster { peers: room.peers.iter().map(|peer| peer.card.clone()).collect(), subject })
    }

    /// Which of these peers are in the room, unless it is closed.
    pub fn seated(&self, key: RoomKey<'_>, peers: &[PeerId]) -> Vec<PeerId> {
        let Some(room) = self.rooms.get(key).filter(|room| !room.closed) else { return Vec::new() };
        peers.iter().copied().filter(|id| room.position(*id).is_some()).collect()
    }

    fn administered(&mut self, key: RoomKey<'_>, creator: CreatorId) -> Result<&mut Room, Refusal> {
        let room = self.rooms.get_mut(key).filter(|room| !room.closed).ok_or(Refusal::RoomUnknown)?;
        if room.creator == creator { Ok(room) } else { Err(Refusal::NotCreator) }
    }

    fn remove_peer(&mut self, now: Timestamp, key: RoomKey<'_>, id: PeerId, reason: LeaveReason) {
        if let Some(index) = self.rooms.get(key).and_then(|room| room.position(id)) {
            self.remove(now, key, index, reason);
            self.settle(now, key);
        }
    }

    /// Removes a peer and tells the others. The caller must [`Rooms::settle`] the room.
    fn remove(&mut self, now: Timestamp, key: RoomKey<'_>, index: usize, reason: LeaveReason) {
        if let Some(id) = self.change(key, |room, _, wake| room.remove(now, index, reason, wake)) {
            self.record(key.name, Change::PeerLeft(id, reason));
        }
    }

    fn add(&mut self, key: RoomKey<'_>, mut room: Room) {
        room.payers.report();
        self.cost += room.cost();
        self.rooms.insert(key, room);
        self.record(key.name, Change::RoomMade);
    }

    /// Changes a room, and updates the total cost and what its payers owe; `None` if it does not exist.
    fn change<T>(
        &mut self,
        key: RoomKey<'_>,
        change: impl FnOnce(&mut Room, &Limits, &mut Vec<PeerId>) -> T,
    ) -> Option<T> {
        let room = self.rooms.get_mut(key)?;
        let before = room.cost();
        let result = change(room, &self.limits, &mut self.wake);
        room.payers.report();
        self.cost = self.cost + room.cost() - before;
        Some(result)
    }

    fn record(&mut self, room: &RoomName, change: Change) {
        self.lifecycle.push(LifecycleEvent { room: room.clone(), change });
    }
}

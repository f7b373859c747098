//! All rooms of one shard, and the order in which their leases end. [`Rooms`] is the domain's way in.
//!
//! Callers ask [`Rooms::expire`] first, so that no answer depends on when the sweeper last ran.

pub(in crate::domain) mod expiry;
pub(in crate::domain) mod table;

use std::sync::Arc;

use crate::domain::{
    Accepted, Batch, Card, Content, CreatorId, Joined, Keyed, LeaveReason, Limits, PeerId, Post, Read, Refusal,
    RoomKey, RoomName, RoomPlan, RoomView, Seq, Timestamp, Visitor,
    deadlines::Deadlines,
    headroom::Left,
    lifecycle::{Lifecycle, Turn},
    registry::table::Table,
    room::Room,
};

#[derive(Clone, Debug)]
pub struct Rooms {
    pub(in crate::domain) rooms: Table,
    pub(in crate::domain) deadlines: Deadlines,
    pub(in crate::domain) limits: Arc<Limits>,
    /// What all of them cost.
    pub(in crate::domain) cost: usize,
    /// Until somebody takes them: most operations have none.
    lifecycle: Vec<Lifecycle>,
}

/// The answer to the creation of a room.
#[derive(Clone, Copy, Debug)]
pub struct Created {
    pub view: RoomView,
    pub creator: CreatorId,
}

impl Rooms {
    pub fn new(limits: Arc<Limits>) -> Self {
        let (rooms, deadlines) = (Table::default(), Deadlines::default());
        Self { rooms, deadlines, limits, cost: 0, lifecycle: Vec::new() }
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

    /// What all of them take in memory.
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

    /// Who has come and who has gone since this was last asked, for the log.
    pub fn take_lifecycle(&mut self) -> Vec<Lifecycle> {
        std::mem::take(&mut self.lifecycle)
    }

    /// Makes a room ahead.
    pub fn create(
        &mut self,
        now: Timestamp,
        key: RoomKey<'_>,
        plan: RoomPlan,
        creator: CreatorId,
        left: Left,
    ) -> Result<Created, Refusal> {
        if let Some(room) = self.rooms.get(key) {
            return Self::created_before(room, plan.made_by);
        }
        let mut room = Room::new(RoomPlan { creator: Some(creator), kept: true, ..plan }, &self.limits)?;
        left.check_room()?;
        room.kept_until = Some(now + self.limits.room_lease);
        let view = room.view();
        self.add(key, room);
        self.index(now, key);
        self.note(key.name, Turn::RoomMade);
        Ok(Created { view, creator })
    }

    fn created_before(room: &Room, made_by: Option<Keyed>) -> Result<Created, Refusal> {
        if room.closed {
            return Err(Refusal::RoomClosed);
        }
        match (made_by, room.creator) {
            (Some(keyed), Some(creator)) if keyed.repeats(room.made_by.as_deref().copied())? => {
                Ok(Created { view: room.view(), creator })
            }
            _ => Err(Refusal::RoomExists),
        }
    }

    /// Lets a visitor into a room, which is made if there is none.
    pub fn join(&mut self, now: Timestamp, key: RoomKey<'_>, visitor: Visitor, left: Left) -> Result<Joined, Refusal> {
        let (joined, is_new) = if self.rooms.get(key).is_some() {
            let joined = self.change(key, |room, limits| {
                let seated = room.peers.len();
                let joined = room.admit(now, visitor, false, limits, left)?;
                Ok((joined, room.peers.len() > seated))
            });
            joined.unwrap_or(Err(Refusal::RoomUnknown))?
        } else {
            visitor.rights.check_making()?;
            let creator = Some(visitor.creator);
            let plan = RoomPlan { capacity: visitor.capacity, secret: visitor.secret, creator, ..RoomPlan::default() };
            let mut room = Room::new(plan, &self.limits)?;
            left.check_room()?;
            let joined = room.admit(now, visitor, true, &self.limits, left)?;
            self.add(key, room);
            self.note(key.name, Turn::RoomMade);
            (joined, true)
        };
        if is_new || joined.resumed {
            let turn = if is_new { Turn::PeerJoined } else { Turn::PeerResumed };
            self.note(key.name, turn(joined.card.id));
        }
        self.index(now, key);
        Ok(joined)
    }

    pub fn post(
        &mut self,
        now: Timestamp,
        key: RoomKey<'_>,
        from: PeerId,
        post: Post,
        left: Left,
    ) -> Result<Accepted, Refusal> {
        self.change(key, |room, limits| room.post(now, from, post, limits, left)).unwrap_or(Err(Refusal::PeerGone))
    }

    /// Reads a mailbox, which acknowledges what was read before.
    pub fn read(
        &mut self,
        now: Timestamp,
        key: RoomKey<'_>,
        id: PeerId,
        after: Option<Seq>,
        read: Read,
    ) -> Result<Batch, Refusal> {
        let batch = self.change(key, |room, limits| {
            let index = match read {
                Read::Arriving { .. } => room.member(now, id, limits)?,
                Read::Again { .. } => room.seat(id)?,
            };
            Ok((room.read(now, index, after, read, limits)?, room.closed))
        });
        let (batch, closed) = batch.unwrap_or(Err(Refusal::PeerGone))?;
        if closed && batch.messages.is_empty() && batch.poll.is_some() {
            // It has read that the room was closed: nothing more will come.
            self.take_out(now, key, id, LeaveReason::Left);
            return Err(Refusal::RoomClosed);
        }
        Ok(batch)
    }

    /// The poll of this peer ended before its time.
    pub fn release(&mut self, now: Timestamp, key: RoomKey<'_>, id: PeerId) {
        if let Some(room) = self.rooms.get_mut(key)
            && let Some(index) = room.position(id)
        {
            room.peers[index].lease.release(now);
        }
    }

    pub fn leave(&mut self, now: Timestamp, key: RoomKey<'_>, id: PeerId) -> Result<Vec<PeerId>, Refusal> {
        let room = self.rooms.get_mut(key).ok_or(Refusal::PeerGone)?;
        room.member(now, id, &self.limits)?;
        Ok(self.take_out(now, key, id, LeaveReason::Left))
    }

    /// The peer's page is going away, perhaps only to be loaded again: its lease shrinks.
    pub fn say_goodbye(&mut self, now: Timestamp, key: RoomKey<'_>, id: PeerId) -> Result<(), Refusal> {
        let room = self.rooms.get_mut(key).ok_or(Refusal::PeerGone)?;
        let index = room.member(now, id, &self.limits)?;
        room.peers[index].lease.say_goodbye(now, self.limits.leave_grace);
        self.index(now, key);
        Ok(())
    }

    pub fn kick(
        &mut self,
        now: Timestamp,
        key: RoomKey<'_>,
        creator: CreatorId,
        id: PeerId,
    ) -> Result<Vec<PeerId>, Refusal> {
        let room = self.administered(key, creator)?;
        room.position(id).ok_or(Refusal::PeerUnknown { peer: id })?;
        Ok(self.take_out(now, key, id, LeaveReason::Kicked))
    }

    pub fn lock(&mut self, key: RoomKey<'_>, creator: CreatorId, locked: bool) -> Result<RoomView, Refusal> {
        let room = self.administered(key, creator)?;
        room.locked = locked;
        Ok(room.view())
    }

    /// Closes a room. Its members are told, and it is gone once they have read so or their leases have ended.
    pub fn close(&mut self, now: Timestamp, key: RoomKey<'_>, creator: CreatorId) -> Result<Vec<PeerId>, Refusal> {
        let room = self.administered(key, creator)?;
        room.closed = true;
        let wake = self.change(key, |room, _| room.tell_all(now, &Content::RoomClosed));
        self.note(key.name, Turn::RoomClosed);
        self.settle(now, key);
        Ok(wake.unwrap_or_default())
    }

    pub fn view(&self, key: RoomKey<'_>) -> Result<RoomView, Refusal> {
        self.rooms.get(key).map(Room::view).ok_or(Refusal::RoomUnknown)
    }

    /// Everybody in the room, in the order of joining, for one of them.
    pub fn roster(&mut self, now: Timestamp, key: RoomKey<'_>, id: PeerId) -> Result<Vec<Arc<Card>>, Refusal> {
        let room = self.rooms.get_mut(key).ok_or(Refusal::PeerGone)?;
        room.member(now, id, &self.limits)?;
        Ok(room.peers.iter().map(|peer| peer.card.clone()).collect())
    }

    fn administered(&mut self, key: RoomKey<'_>, creator: CreatorId) -> Result<&mut Room, Refusal> {
        let room = self.rooms.get_mut(key).filter(|room| !room.closed).ok_or(Refusal::RoomUnknown)?;
        room.check_creator(creator)?;
        Ok(room)
    }

    fn take_out(&mut self, now: Timestamp, key: RoomKey<'_>, id: PeerId, reason: LeaveReason) -> Vec<PeerId> {
        let Some(room) = self.rooms.get_mut(key) else { return Vec::new() };
        let Some(index) = room.position(id) else { return Vec::new() };
        let Some((_, wake)) = self.remove(now, key, index, reason) else { return Vec::new() };
        self.note(key.name, Turn::PeerLeft(id, reason));
        self.settle(now, key);
        wake
    }

    /// Takes a peer off its seat, and returns it and whom to wake.
    pub(in crate::domain) fn remove(
        &mut self,
        now: Timestamp,
        key: RoomKey<'_>,
        index: usize,
        reason: LeaveReason,
    ) -> Option<(PeerId, Vec<PeerId>)> {
        self.change(key, |room, _| room.remove(now, index, reason)).flatten()
    }

    fn add(&mut self, key: RoomKey<'_>, room: Room) {
        self.cost += room.cost();
        self.rooms.insert(key, room);
    }

    /// Changes a room, and keeps the reckoning of what all of them cost.
    pub(in crate::domain) fn change<T>(
        &mut self,
        key: RoomKey<'_>,
        change: impl FnOnce(&mut Room, &Limits) -> T,
    ) -> Option<T> {
        let room = self.rooms.get_mut(key)?;
        let before = room.cost();
        let result = change(room, &self.limits);
        self.cost = self.cost + room.cost() - before;
        Some(result)
    }

    pub(in crate::domain) fn note(&mut self, room: &RoomName, turn: Turn) {
        self.lifecycle.push(Lifecycle { room: room.clone(), turn });
    }
}

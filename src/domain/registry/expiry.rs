//! The end of leases, and of rooms without peers.

use std::hint::black_box;

use crate::domain::{
    LeaveReason, RoomKey, Timestamp,
    deadlines::Deadline,
    lifecycle::Change,
    registry::{Rooms, table::Entry},
    room::Room,
};

impl Rooms {
    /// Ends every lease that is over.
    pub fn expire(&mut self, now: Timestamp) {
        while let Some((at, due)) = self.deadlines.take_due(now) {
            // The cache misses of these loads overlap; one room after the other, each would be waited for.
            for hash in &due {
                black_box(self.rooms.prefetch(*hash));
            }
            for (index, hash) in due.into_iter().enumerate() {
                self.expire_room(now, hash, Deadline { at, index });
            }
        }
    }

    fn expire_room(&mut self, now: Timestamp, hash: u64, deadline: Deadline) {
        let Some(Entry { name, room }) = self.rooms.with_deadline(hash, deadline) else { return };
        let ends = room.first_end();
        if ends > now {
            room.deadline = Some(self.deadlines.set(now, ends, hash));
            return;
        }
        room.deadline = None;
        let key = RoomKey { name: &name.clone(), hash };
        if room.peers.is_empty() {
            return self.end(key);
        }
        while let Some((index, reason)) = self.rooms.get(key).and_then(|room| room.first_expired(now)) {
            self.remove(now, key, index, reason);
        }
        self.settle(now, key);
    }

    /// After a room may have lost a peer: an empty room ends, or starts its own lease.
    pub(in crate::domain) fn settle(&mut self, now: Timestamp, key: RoomKey<'_>) {
        let Some(room) = self.rooms.get_mut(key) else { return };
        if room.peers.is_empty() {
            if !room.kept || room.closed {
                return self.end(key);
            }
            room.kept_until = Some(now + self.limits.room_lease);
        }
        self.schedule(now, key);
    }

    fn end(&mut self, key: RoomKey<'_>) {
        let Some(mut room) = self.rooms.remove(key) else { return };
        self.cost -= room.cost();
        room.payers.settle();
        if let Some(deadline) = room.deadline {
            self.clear(deadline);
        }
        self.record(key.name, Change::RoomGone);
    }

    /// Gives a room a deadline if it has none, or if something in it now ends sooner.
    pub(in crate::domain) fn schedule(&mut self, now: Timestamp, key: RoomKey<'_>) {
        let Some(room) = self.rooms.get_mut(key) else { return };
        let ends = room.first_end();
        if room.deadline.is_some_and(|deadline| deadline.at <= ends) {
            return;
        }
        if let Some(previous) = room.deadline.replace(self.deadlines.set(now, ends, key.hash)) {
            self.clear(previous);
        }
    }

    fn clear(&mut self, deadline: Deadline) {
        if let Some((moved, previous)) = self.deadlines.clear(deadline)
            && let Some(entry) = self.rooms.with_deadline(moved, previous)
        {
            entry.room.deadline = Some(deadline);
        }
    }
}

impl Room {
    /// When the first of its leases ends; its own, if it is empty.
    fn first_end(&self) -> Timestamp {
        let leases = self.peers.iter().map(|peer| peer.lease.ends());
        leases.min().or(self.kept_until).unwrap_or(Timestamp::NEVER)
    }

    /// The peer whose lease ended first, and the reason to give.
    fn first_expired(&self, now: Timestamp) -> Option<(usize, LeaveReason)> {
        let expired = self.peers.iter().enumerate().filter(|(_, peer)| peer.lease.ends() <= now);
        let (index, peer) = expired.min_by_key(|(_, peer)| (peer.lease.ends(), peer.id))?;
        Some((index, if peer.lease.is_leaving() { LeaveReason::Left } else { LeaveReason::Expired }))
    }
}

//! The end of leases, and of the rooms that nobody is left in.

use std::hint::black_box;

use crate::domain::{
    LeaveReason, PeerId, RoomKey, Timestamp,
    deadlines::Place,
    lifecycle::Turn,
    registry::{Rooms, table::Entry},
    room::Room,
};

impl Rooms {
    /// Ends every lease that is over, and returns whom to wake.
    pub fn expire(&mut self, now: Timestamp) -> Vec<PeerId> {
        let mut wake = Vec::new();
        while let Some((at, due)) = self.deadlines.take_due(now) {
            // Rooms lie here and there. Looked at one after another, each is waited for; together they come at once, which
            // makes a good part of the time that sweeping takes.
            for hash in &due {
                black_box(self.rooms.touch(*hash));
            }
            for (index, hash) in due.into_iter().enumerate() {
                self.expire_in(now, hash, Place { at, index }, &mut wake);
            }
        }
        wake
    }

    fn expire_in(&mut self, now: Timestamp, hash: u64, place: Place, wake: &mut Vec<PeerId>) {
        let Some(Entry { name, room, .. }) = self.rooms.at_place(hash, place) else { return };
        let ends = room.first_end();
        if ends > now {
            room.place = Some(self.deadlines.set(now, ends, hash));
            return;
        }
        room.place = None;
        let key = RoomKey { name: &name.clone(), hash };
        if room.peers.is_empty() {
            return self.end(key);
        }
        while let Some((index, reason)) = self.rooms.get(key).and_then(|room| room.first_over(now)) {
            let Some((gone, woken)) = self.remove(now, key, index, reason) else { return };
            wake.extend(woken);
            self.note(key.name, Turn::PeerLeft(gone, reason));
        }
        self.settle(now, key);
    }

    /// What becomes of a room that may have lost a member.
    pub(in crate::domain) fn settle(&mut self, now: Timestamp, key: RoomKey<'_>) {
        let Some(room) = self.rooms.get_mut(key) else { return };
        if room.peers.is_empty() {
            if !room.kept || room.closed {
                return self.end(key);
            }
            room.kept_until = Some(now + self.limits.room_lease);
        }
        self.index(now, key);
    }

    pub(in crate::domain) fn end(&mut self, key: RoomKey<'_>) {
        let Some(room) = self.rooms.remove(key) else { return };
        self.cost -= room.cost();
        if let Some(place) = room.place {
            self.give_up(place);
        }
        self.note(key.name, Turn::RoomGone);
    }

    /// Gives a room its place in the index, if it has none, or something in it ends sooner now.
    pub(in crate::domain) fn index(&mut self, now: Timestamp, key: RoomKey<'_>) {
        let Some(room) = self.rooms.get_mut(key) else { return };
        let ends = room.first_end();
        if room.place.is_some_and(|place| place.at <= ends) {
            return;
        }
        let before = room.place.replace(self.deadlines.set(now, ends, key.hash));
        if let Some(before) = before {
            self.give_up(before);
        }
    }

    fn give_up(&mut self, place: Place) {
        if let Some((moved, before)) = self.deadlines.clear(place)
            && let Some(entry) = self.rooms.at_place(moved, before)
        {
            entry.room.place = Some(place);
        }
    }
}

impl Room {
    /// When the first of its leases ends; its own, if nobody is in it.
    fn first_end(&self) -> Timestamp {
        let leases = self.peers.iter().map(|peer| peer.lease.ends());
        leases.min().or(self.kept_until).unwrap_or(Timestamp::NEVER)
    }

    /// The member whose lease was over first, and why it goes.
    fn first_over(&self, now: Timestamp) -> Option<(usize, LeaveReason)> {
        let over = self.peers.iter().enumerate().filter(|(_, peer)| peer.lease.ends() <= now);
        let (index, peer) = over.min_by_key(|(_, peer)| (peer.lease.ends(), peer.id))?;
        // Whoever said goodbye and did not come back has left.
        Some((index, if peer.lease.is_leaving() { LeaveReason::Left } else { LeaveReason::Expired }))
    }
}

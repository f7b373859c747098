//! The end of leases, and of the rooms that nobody is left in.

use std::hint::black_box;

use super::{LeaveReason, PeerId, RoomName, Timestamp, deadlines::Place, lifecycle::Turn, room::Room, rooms::Rooms};

impl Rooms {
    /// Ends every lease that is over, and returns whom to wake.
    pub fn expire(&mut self, now: Timestamp) -> Vec<PeerId> {
        let mut wake = Vec::new();
        while let Some(due) = self.deadlines.take_due(now) {
            // Names lie here and there. Looked at one after another, each is waited for; together they come at once, which
            // makes a quarter of the time that sweeping takes.
            for name in &due {
                black_box(name.as_str().as_bytes().first());
            }
            for name in due {
                self.expire_in(now, name, &mut wake);
            }
        }
        wake
    }

    fn expire_in(&mut self, now: Timestamp, name: RoomName, wake: &mut Vec<PeerId>) {
        let Some(room) = self.rooms.get_mut(&name) else { return };
        let ends = room.first_end();
        if ends > now {
            room.place = Some(self.deadlines.set(now, ends, name));
            return;
        }
        room.place = None;
        if room.peers.is_empty() {
            return self.end(&name);
        }
        while let Some((index, reason)) = self.rooms.get(&name).and_then(|room| room.first_over(now)) {
            let Some((gone, woken)) = self.change(&name, |room, _| room.remove(now, index, reason)) else { return };
            wake.extend(woken);
            self.note(&name, Turn::PeerLeft(gone.id, reason));
        }
        self.settle(now, &name);
    }

    /// What becomes of a room that may have lost a member.
    pub(super) fn settle(&mut self, now: Timestamp, name: &RoomName) {
        let Some(room) = self.rooms.get_mut(name) else { return };
        if room.peers.is_empty() {
            if !room.kept || room.closed {
                return self.end(name);
            }
            room.kept_until = Some(now + self.limits.room_lease);
        }
        self.index(now, name);
    }

    pub(super) fn end(&mut self, name: &RoomName) {
        let Some(room) = self.rooms.remove(name) else { return };
        self.cost -= room.cost();
        if let Some(place) = room.place {
            self.give_up(place);
        }
        self.note(name, Turn::RoomGone);
    }

    /// Gives a room its place in the index, if it has none, or something in it ends sooner now.
    pub(super) fn index(&mut self, now: Timestamp, name: &RoomName) {
        let Some(room) = self.rooms.get_mut(name) else { return };
        let ends = room.first_end();
        if room.place.is_some_and(|place| place.at <= ends) {
            return;
        }
        let before = room.place.replace(self.deadlines.set(now, ends, name.clone()));
        if let Some(before) = before {
            self.give_up(before);
        }
    }

    fn give_up(&mut self, place: Place) {
        if let Some(moved) = self.deadlines.clear(place)
            && let Some(room) = self.rooms.get_mut(&moved)
        {
            room.place = Some(place);
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

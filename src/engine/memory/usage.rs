//! What the shards make together, where a limit is for all of them.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::domain::{Left, Limits, Rooms};

#[derive(Debug, Default)]
pub struct Totals {
    rooms: AtomicUsize,
    /// What all rooms cost, in bytes of memory.
    cost: AtomicUsize,
}

/// What one shard contributes.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    rooms: usize,
    cost: usize,
}

impl Part {
    pub fn of(rooms: &Rooms) -> Self {
        Self { rooms: rooms.len(), cost: rooms.cost() }
    }
}

impl Totals {
    pub fn cost(&self) -> usize {
        self.cost.load(Ordering::Relaxed)
    }

    /// Takes a place for one more room, if there is one.
    pub fn take_room(&self, limits: &Limits) -> bool {
        let one_more = |count| (count < limits.rooms).then_some(count + 1);
        self.rooms.fetch_update(Ordering::AcqRel, Ordering::Acquire, one_more).is_ok()
    }

    /// The place was not needed after all.
    pub fn give_room_back(&self) {
        self.rooms.fetch_sub(1, Ordering::AcqRel);
    }

    /// A shard has changed. Rooms were counted before they were added, by [`Totals::take_room`]; anything may end one.
    pub fn reckon(&self, before: Part, rooms: &Rooms) {
        let after = Part::of(rooms);
        if before.rooms > after.rooms {
            self.rooms.fetch_sub(before.rooms - after.rooms, Ordering::AcqRel);
        }
        if before.cost != after.cost {
            self.cost.fetch_add(after.cost.wrapping_sub(before.cost), Ordering::Relaxed);
        }
    }

    /// Shards that are changed at the same moment may each take what is left; that is one post for each worker.
    pub fn left(&self, room: bool, limits: &Limits) -> Left {
        Left { room, bytes: limits.rooms_bytes.saturating_sub(self.cost()) }
    }
}

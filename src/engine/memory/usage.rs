//! Totals of all shards, for the limits that apply to them together.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::domain::{Account, Headroom, Limits, Rooms};

#[derive(Debug, Default)]
pub struct Totals {
    rooms: AtomicUsize,
    /// Bytes of memory, as estimated.
    cost: AtomicUsize,
}

/// One shard's contribution.
#[derive(Clone, Copy, Debug)]
pub struct ShardUsage {
    rooms: usize,
    cost: usize,
}

impl ShardUsage {
    pub fn of(rooms: &Rooms) -> Self {
        Self { rooms: rooms.len(), cost: rooms.cost() }
    }
}

impl Totals {
    pub fn cost(&self) -> usize {
        self.cost.load(Ordering::Relaxed)
    }

    /// Counts a room before it is created, if one more is allowed to this account.
    pub fn reserve_room(&self, account: &Account, limits: &Limits) -> bool {
        let one_more =
            |count| (count < limits.rooms && account.may_add_room(limits.rooms - count)).then_some(count + 1);
        self.rooms.fetch_update(Ordering::AcqRel, Ordering::Acquire, one_more).is_ok()
    }

    /// A reserved room was not created.
    pub fn release_room(&self) {
        self.rooms.fetch_sub(1, Ordering::AcqRel);
    }

    /// After a shard has changed. Rooms that were added are already counted by [`Totals::reserve_room`].
    pub fn update(&self, before: ShardUsage, rooms: &Rooms) {
        let after = ShardUsage::of(rooms);
        if before.rooms > after.rooms {
            self.rooms.fetch_sub(before.rooms - after.rooms, Ordering::AcqRel);
        }
        if before.cost != after.cost {
            self.cost.fetch_add(after.cost.wrapping_sub(before.cost), Ordering::Relaxed);
        }
    }

    /// Operations on different shards may each use the same headroom at once: that is one post for each worker.
    pub fn headroom(&self, room: bool, limits: &Limits) -> Headroom {
        Headroom::new(room, self.cost(), limits)
    }
}

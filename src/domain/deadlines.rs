//! When each room must be checked for ended leases.

use std::collections::BTreeMap;

use crate::domain::Timestamp;

/// An index of rooms by deadline. A deadline may be early, never late: expiry checks the leases of a room that is due and
/// sets a new deadline if they were renewed. So renewing a lease, the most frequent operation, does not touch this index.
///
/// Future deadlines are rounded down to the second and share an unordered list, which makes setting one cheap. Within
/// the current second they are exact. Rooms are stored as the hashes of their names.
#[derive(Clone, Debug, Default)]
pub struct Deadlines {
    rooms: BTreeMap<Timestamp, Vec<u64>>,
    len: usize,
}

/// A room's position in the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadline {
    pub at: Timestamp,
    pub index: usize,
}

const SECOND: u64 = 1_000_000;

impl Deadlines {
    pub fn set(&mut self, now: Timestamp, at: Timestamp, room: u64) -> Deadline {
        let second = Timestamp::from_micros(at.micros() / SECOND * SECOND);
        let at = if second > now { second } else { at };
        let rooms = self.rooms.entry(at).or_default();
        rooms.push(room);
        self.len += 1;
        Deadline { at, index: rooms.len() - 1 }
    }

    /// Removes a deadline. If another room takes over its position, returns that room and its previous position.
    pub fn clear(&mut self, deadline: Deadline) -> Option<(u64, Deadline)> {
        let rooms = self.rooms.get_mut(&deadline.at)?;
        rooms.swap_remove(deadline.index);
        self.len -= 1;
        if rooms.is_empty() {
            self.rooms.remove(&deadline.at);
            return None;
        }
        let moved = rooms.get(deadline.index)?;
        Some((*moved, Deadline { at: deadline.at, index: rooms.len() }))
    }

    pub fn next(&self) -> Option<Timestamp> {
        self.rooms.first_key_value().map(|(at, _)| *at)
    }

    /// Removes the rooms with the earliest deadline if it has passed, in the order of their positions.
    pub fn take_due(&mut self, now: Timestamp) -> Option<(Timestamp, Vec<u64>)> {
        let first = self.rooms.first_entry().filter(|first| *first.key() <= now)?;
        let due = first.remove_entry();
        self.len -= due.1.len();
        Some(due)
    }

    pub fn len(&self) -> usize {
        self.len
    }
}

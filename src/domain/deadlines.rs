//! Everything that happens later, in one order.

use std::collections::BTreeMap;

use crate::domain::Timestamp;

/// The index of deadlines: when each room is to be looked at. It may be early: whoever finds a room due looks at its leases
/// and, if they were renewed, puts it back. So renewing a lease, the commonest thing there is, touches nothing here.
///
/// Rooms that are due in the same second of the future stand together at its beginning, in no order, so that putting one
/// back is cheap; those that are still due when that second has begun are put back to the microsecond. A room stands there as
/// the hash of its name, and is known by its place.
#[derive(Clone, Debug, Default)]
pub struct Deadlines {
    bundles: BTreeMap<Timestamp, Vec<u64>>,
    len: usize,
}

/// Where a room stands in the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub at: Timestamp,
    pub index: usize,
}

const SECOND: u64 = 1_000_000;

impl Deadlines {
    pub fn set(&mut self, now: Timestamp, at: Timestamp, room: u64) -> Place {
        let second = Timestamp::from_micros(at.micros() / SECOND * SECOND);
        let at = if second > now { second } else { at };
        let bundle = self.bundles.entry(at).or_default();
        bundle.push(room);
        self.len += 1;
        Place { at, index: bundle.len() - 1 }
    }

    /// Takes a room out. Another may get its place then, and is returned with the one it had.
    pub fn clear(&mut self, place: Place) -> Option<(u64, Place)> {
        let bundle = self.bundles.get_mut(&place.at)?;
        bundle.swap_remove(place.index);
        self.len -= 1;
        if bundle.is_empty() {
            self.bundles.remove(&place.at);
            return None;
        }
        let moved = bundle.get(place.index)?;
        Some((*moved, Place { at: place.at, index: bundle.len() }))
    }

    pub fn next(&self) -> Option<Timestamp> {
        self.bundles.first_key_value().map(|(at, _)| *at)
    }

    /// Takes out those that are due first, in the order of the places that they had.
    pub fn take_due(&mut self, now: Timestamp) -> Option<(Timestamp, Vec<u64>)> {
        let first = self.bundles.first_entry().filter(|first| *first.key() <= now)?;
        let due = first.remove_entry();
        self.len -= due.1.len();
        Some(due)
    }

    pub fn len(&self) -> usize {
        self.len
    }
}

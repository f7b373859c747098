//! Everything that happens later, in one order.

use std::collections::BTreeMap;

use super::{RoomName, Timestamp};

/// The index of deadlines: when each room is to be looked at. It may be early: whoever finds a room due looks at its leases
/// and, if they were renewed, puts it back. So renewing a lease, the commonest thing there is, touches nothing here.
///
/// Rooms that are due in the same second of the future stand together at its beginning, in no order, so that putting one
/// back is cheap; those that are still due when that second has begun are put back to the microsecond.
#[derive(Clone, Debug, Default)]
pub struct Deadlines {
    bundles: BTreeMap<Timestamp, Vec<RoomName>>,
    len: usize,
}

/// Where a room stands in the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub at: Timestamp,
    index: usize,
}

const SECOND: u64 = 1_000_000;

impl Deadlines {
    pub fn set(&mut self, now: Timestamp, at: Timestamp, room: RoomName) -> Place {
        let second = Timestamp::from_micros(at.micros() / SECOND * SECOND);
        let at = if second > now { second } else { at };
        let bundle = self.bundles.entry(at).or_default();
        bundle.push(room);
        self.len += 1;
        Place { at, index: bundle.len() - 1 }
    }

    /// Takes a room out. Another may have its place then, and is returned.
    pub fn clear(&mut self, place: Place) -> Option<RoomName> {
        let bundle = self.bundles.get_mut(&place.at)?;
        bundle.swap_remove(place.index);
        self.len -= 1;
        if bundle.is_empty() {
            self.bundles.remove(&place.at);
            return None;
        }
        bundle.get(place.index).cloned()
    }

    pub fn next(&self) -> Option<Timestamp> {
        self.bundles.first_key_value().map(|(at, _)| *at)
    }

    /// Takes out those that are due first. None of them has a place any more.
    pub fn take_due(&mut self, now: Timestamp) -> Option<Vec<RoomName>> {
        let first = self.bundles.first_entry().filter(|first| *first.key() <= now)?;
        let bundle = first.remove();
        self.len -= bundle.len();
        Some(bundle)
    }

    pub fn len(&self) -> usize {
        self.len
    }
}

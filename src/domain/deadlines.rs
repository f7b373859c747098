//! Everything that happens later, in one order.

use std::collections::BTreeSet;

use super::{PeerId, RoomName, Timestamp};

/// What a deadline is for: a peer's lease, or an empty room's.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline {
    pub at: Timestamp,
    pub room: RoomName,
    pub peer: Option<PeerId>,
}

/// The index of deadlines. An entry may be early: whoever finds it due looks at the lease itself and, if that was
/// renewed, puts the entry back at its new time. So renewing a lease, the commonest thing there is, touches nothing here.
#[derive(Clone, Debug, Default)]
pub struct Deadlines(BTreeSet<Deadline>);

impl Deadlines {
    pub fn set(&mut self, deadline: Deadline) {
        self.0.insert(deadline);
    }

    pub fn clear(&mut self, deadline: &Deadline) {
        self.0.remove(deadline);
    }

    pub fn next(&self) -> Option<Timestamp> {
        self.0.first().map(|first| first.at)
    }

    pub fn take_due(&mut self, now: Timestamp) -> Option<Deadline> {
        self.0.first().filter(|first| first.at <= now)?;
        self.0.pop_first()
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }
}

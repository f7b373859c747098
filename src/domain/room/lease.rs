//! How long a peer lives without being heard of.

use std::time::Duration;

use crate::domain::Timestamp;

/// A peer lives while it is heard of: each request renews its lease. A connection proves nothing (many proxies hide
/// that a client has gone), so a poll counts when it arrives, not while it is held.
#[derive(Clone, Copy, Debug)]
pub struct Lease {
    ends: Timestamp,
    /// When the poll that came last is due to be answered: until then silence is expected.
    held_until: Timestamp,
    /// Its page said goodbye. Only coming back revives it: a poll that a proxy sends again must not.
    leaving: bool,
    /// When it came, or came back.
    came: Timestamp,
    came_back: bool,
}

/// Silence beyond the end of a poll after which a peer counts as quiet.
const PATIENCE: Duration = Duration::from_secs(5);

impl Lease {
    pub fn begin(now: Timestamp, length: Duration) -> Self {
        Self { ends: now + length, held_until: now, leaving: false, came: now, came_back: false }
    }

    /// One that is kept elsewhere, as far as it matters for [`Lease::frees_in`].
    pub fn kept(ends: Timestamp, held_until: Timestamp, leaving: bool) -> Self {
        Self { ends, held_until, leaving, came: held_until, came_back: false }
    }

    pub fn ends(&self) -> Timestamp {
        self.ends
    }

    pub fn is_leaving(&self) -> bool {
        self.leaving
    }

    /// A request came.
    pub fn renew(&mut self, now: Timestamp, length: Duration) {
        if !self.leaving {
            self.ends = self.ends.max(now + length);
            // A poll that waits meanwhile goes on waiting.
            self.held_until = self.held_until.max(now);
        }
    }

    /// A poll came and will be held. One that is held for longer than two thirds of the lease stretches it, so that
    /// its peer has a third of the lease left to poll again.
    pub fn hold(&mut self, now: Timestamp, until: Timestamp, length: Duration) {
        if !self.leaving {
            self.ends = self.ends.max(now + length).max(until + length / 3);
            self.held_until = until;
        }
    }

    /// The poll ended before its time.
    pub fn release(&mut self, now: Timestamp) {
        self.held_until = self.held_until.min(now);
    }

    /// The page goes away. A goodbye that comes right after a return is the earlier page's, late on its way: two
    /// connections know no order.
    pub fn say_goodbye(&mut self, now: Timestamp, grace: Duration) {
        if self.came_back && now < self.came + grace {
            return;
        }
        self.leaving = true;
        self.ends = self.ends.min(now + grace);
        self.held_until = now;
    }

    pub fn come_back(&mut self, now: Timestamp, length: Duration) {
        *self = Self { came_back: true, ..Self::begin(now, length) };
    }

    /// When the seat frees, if its peer has gone quiet.
    pub fn frees_in(&self, now: Timestamp) -> Option<Duration> {
        let quiet = self.leaving || self.held_until + PATIENCE <= now;
        quiet.then(|| now.until(self.ends))
    }
}

//! How long a peer lives between its requests.

use std::time::Duration;

use crate::domain::Timestamp;

/// Each request renews a peer's lease. An open connection proves nothing, because many proxies hide that a client has gone; so a
/// poll counts when it arrives, not while it is held.
#[derive(Clone, Copy, Debug)]
pub struct Lease {
    ends: Timestamp,
    /// When the hold of the newest poll ends: until then silence is expected.
    held_until: Timestamp,
    /// Its page said goodbye. Only a join revives it: a poll that a proxy repeats must not.
    leaving: bool,
    /// When it joined or resumed.
    joined: Timestamp,
    resumed: bool,
}

/// A peer that is silent for this long after its poll has ended counts as quiet.
const QUIET_AFTER: Duration = Duration::from_secs(5);

impl Lease {
    pub fn begin(now: Timestamp, length: Duration) -> Self {
        Self { ends: now + length, held_until: now, leaving: false, joined: now, resumed: false }
    }

    /// A lease that Redis stores, as far as [`Lease::frees_in`] needs it.
    pub fn stored(ends: Timestamp, held_until: Timestamp, leaving: bool) -> Self {
        Self { ends, held_until, leaving, joined: held_until, resumed: false }
    }

    pub fn ends(&self) -> Timestamp {
        self.ends
    }

    pub fn is_leaving(&self) -> bool {
        self.leaving
    }

    /// A request arrived.
    pub fn renew(&mut self, now: Timestamp, length: Duration) {
        if !self.leaving {
            self.ends = self.ends.max(now + length);
            // A parked poll stays parked.
            self.held_until = self.held_until.max(now);
        }
    }

    /// A poll arrived and will be held. A hold of more than two thirds of the lease extends the lease, so that the peer has a
    /// third of it left to poll again.
    pub fn hold(&mut self, now: Timestamp, until: Timestamp, length: Duration) {
        if !self.leaving {
            self.ends = self.ends.max(now + length).max(until + length / 3);
            self.held_until = until;
        }
    }

    /// The poll ended before its hold was over.
    pub fn release(&mut self, now: Timestamp) {
        self.held_until = self.held_until.min(now);
    }

    /// The page goes away. A goodbye right after a resume is the previous page's and arrived late: requests on two connections
    /// are not ordered.
    pub fn say_goodbye(&mut self, now: Timestamp, grace: Duration) {
        if self.resumed && now < self.joined + grace {
            return;
        }
        self.leaving = true;
        self.ends = self.ends.min(now + grace);
        self.held_until = now;
    }

    pub fn resume(&mut self, now: Timestamp, length: Duration) {
        *self = Self { resumed: true, ..Self::begin(now, length) };
    }

    /// How long until the seat is free, if its peer has gone quiet.
    pub fn frees_in(&self, now: Timestamp) -> Option<Duration> {
        let quiet = self.leaving || self.held_until + QUIET_AFTER <= now;
        quiet.then(|| now.until(self.ends))
    }
}

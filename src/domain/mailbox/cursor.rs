//! Positions in a mailbox.

use std::fmt;

/// The number of a message in one mailbox, and so also a cursor: "everything up to here has been read".
///
/// It rises by one for each message. A mailbox made anew for a peer that the server had forgotten starts at the Unix
/// time in milliseconds, far above anything handed out before, so that a cursor from its earlier life is recognised.
/// It is a safe integer in JavaScript, always: [`Seq::MAX`] is 2^53 - 1, and the clock reaches it in the year 287396.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seq(u64);

impl Seq {
    /// The cursor of a mailbox that nothing was ever put into.
    pub const START: Seq = Seq(0);
    pub const MAX: u64 = (1 << 53) - 1;

    /// The position, or `None` when JavaScript could not hold it.
    pub const fn new(value: u64) -> Option<Self> {
        if value <= Self::MAX { Some(Self(value)) } else { None }
    }

    /// Where a mailbox starts that is made anew at this Unix time.
    pub const fn at_unix_millis(millis: u64) -> Self {
        Self(millis)
    }

    pub const fn get(self) -> u64 {
        self.0
    }

    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

//! Positions in a mailbox.

use std::fmt;

/// The number of a message in its mailbox, and so a cursor: "everything up to here has been read".
///
/// It rises by one for each message. When the server has lost a peer's mailbox, the new one starts at the Unix time in
/// milliseconds, far above every earlier number, so that an old cursor is recognized. It is always a safe integer in
/// JavaScript: [`Seq::MAX`] is 2^53 - 1, which the clock reaches in the year 287396.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seq(u64);

impl Seq {
    /// The cursor of a mailbox that has had no message.
    pub const START: Seq = Seq(0);
    pub const MAX: u64 = (1 << 53) - 1;

    /// `None` if JavaScript could not represent it.
    pub const fn new(value: u64) -> Option<Self> {
        if value <= Self::MAX { Some(Self(value)) } else { None }
    }

    /// Where a mailbox starts that replaces a lost one at this time.
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

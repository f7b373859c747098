//! A client that behaves like `web/client`: its requests, pauses and time-outs.

use std::time::Duration;

use signalpost::domain::{Seq, Timestamp};

/// `hold.js`: the hold that the client requests if the server allows it.
pub const HOLD: Duration = Duration::from_secs(25);
/// `membership.js`: how much longer than its hold the client waits for a poll.
const GRACE: Duration = Duration::from_secs(10);
/// `http.js`: how long the client waits for any other response.
const PATIENCE: Duration = Duration::from_secs(15);
/// `backoff.js`.
const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_millis(8_000);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asking {
    Poll { wait: Duration },
    Join,
}

/// The response.
#[derive(Clone, Debug)]
pub enum Reply {
    Batch {
        cursor: Seq,
    },
    Joined {
        cursor: Seq,
    },
    /// The seat is gone, or cannot be taken.
    Refused,
    Draining {
        retry_after: Duration,
    },
    /// The connection was closed, or the request timed out.
    Unreachable,
}

#[derive(Clone, Debug)]
pub struct Client {
    pub asking: Asking,
    /// Number of the current request; responses to earlier ones are ignored.
    pub attempt: u32,
    pub sent: Timestamp,
    pub cursor: Seq,
    pub parked: bool,
    /// The server's number for the parked poll.
    pub poll: u64,
    /// Its request was at the node that died.
    pub lost: bool,
    pub reply: Option<Reply>,
    poll_failures: u8,
    join_failures: u8,
    rejoins: u8,
}

/// How long clients wait before they retry.
pub struct Pauses {
    pub jitter: bool,
    pub random: fastrand::Rng,
}

impl Pauses {
    /// Full jitter: between zero and a ceiling that doubles. Without jitter: the ceiling.
    fn backoff(&mut self, failures: u8) -> Duration {
        let ceiling = LONGEST.min(FIRST * 2_u32.pow(u32::from(failures.min(10))));
        if self.jitter { ceiling.mul_f64(self.random.f64()) } else { ceiling }
    }

    /// The pause that the server asked for, plus up to 20 %.
    fn asked(&mut self, retry_after: Duration) -> Duration {
        if self.jitter { retry_after.mul_f64(1.0 + 0.2 * self.random.f64()) } else { retry_after }
    }
}

impl Client {
    pub fn seated(now: Timestamp, cursor: Seq) -> Self {
        Self {
            asking: Asking::Poll { wait: HOLD },
            attempt: 0,
            sent: now,
            cursor,
            parked: false,
            poll: 0,
            lost: false,
            reply: None,
            poll_failures: 0,
            join_failures: 0,
            rejoins: 0,
        }
    }

    /// When the current request times out.
    pub fn gives_up(&self) -> Timestamp {
        self.sent
            + match self.asking {
                Asking::Poll { wait } => wait + GRACE,
                Asking::Join => PATIENCE,
            }
    }

    /// Handles a reply: sets the next request, and returns the pause before it.
    pub fn next(&mut self, reply: Reply, pauses: &mut Pauses) -> Duration {
        let polled = matches!(self.asking, Asking::Poll { .. });
        match reply {
            Reply::Batch { cursor } => {
                (self.poll_failures, self.rejoins, self.cursor) = (0, 0, cursor);
                self.poll();
                Duration::ZERO
            }
            Reply::Joined { cursor } => {
                (self.join_failures, self.cursor) = (0, cursor);
                self.poll();
                Duration::ZERO
            }
            Reply::Refused if polled => {
                // The seat is lost. The first rejoin is immediate; repeated ones back off.
                let pause = if self.rejoins > 0 { pauses.backoff(self.rejoins) } else { Duration::ZERO };
                self.rejoins = self.rejoins.saturating_add(1);
                self.asking = Asking::Join;
                pause
            }
            Reply::Draining { retry_after } => {
                self.fail();
                pauses.asked(retry_after)
            }
            Reply::Refused | Reply::Unreachable => {
                let failures = self.fail();
                pauses.backoff(failures)
            }
        }
    }

    /// After a failure the poll has no hold, so that its response shows immediately whether the server is back.
    fn poll(&mut self) {
        self.asking = Asking::Poll { wait: if self.poll_failures > 0 { Duration::ZERO } else { HOLD } };
    }

    /// Counts a failure; returns how many of the same kind came before.
    fn fail(&mut self) -> u8 {
        let failures = match self.asking {
            Asking::Poll { .. } => &mut self.poll_failures,
            Asking::Join => &mut self.join_failures,
        };
        let before = *failures;
        *failures = failures.saturating_add(1);
        if matches!(self.asking, Asking::Poll { .. }) {
            self.poll();
        }
        before
    }
}

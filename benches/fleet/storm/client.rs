//! A client that behaves like `web/client`: its requests, pauses and time-outs.

use std::time::Duration;

use signalpost::domain::{Seq, Timestamp};

/// `hold.js`: what is asked of a server that allows it.
pub const HOLD: Duration = Duration::from_secs(25);
/// `membership.js`: so much longer than its hold is a poll waited for.
const GRACE: Duration = Duration::from_secs(10);
/// `http.js`: so long is any other answer waited for.
const PATIENCE: Duration = Duration::from_secs(15);
/// `backoff.js`.
const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_millis(8_000);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asking {
    Poll { wait: Duration },
    Join,
}

/// What comes back.
#[derive(Clone, Debug)]
pub enum Reply {
    Batch {
        cursor: Seq,
    },
    Joined {
        cursor: Seq,
    },
    /// That the seat is gone, or cannot be taken.
    Refused,
    Draining {
        retry_after: Duration,
    },
    /// The connection ended, or nothing came in time.
    Unreachable,
}

#[derive(Clone, Debug)]
pub struct Client {
    pub asking: Asking,
    /// Of all its requests; an answer to an earlier one comes too late.
    pub attempt: u32,
    pub sent: Timestamp,
    pub cursor: Seq,
    pub parked: bool,
    /// Which of its polls that is, for the server.
    pub poll: u64,
    /// The node that died was the one it had asked.
    pub lost: bool,
    pub reply: Option<Reply>,
    poll_failures: u8,
    join_failures: u8,
    rejoins: u8,
}

/// How long clients wait before they try again.
pub struct Pauses {
    pub jitter: bool,
    pub random: fastrand::Rng,
}

impl Pauses {
    /// Full jitter: between zero and a ceiling that doubles. Without it: the ceiling.
    fn backoff(&mut self, failures: u8) -> Duration {
        let ceiling = LONGEST.min(FIRST * 2_u32.pow(u32::from(failures.min(10))));
        if self.jitter { ceiling.mul_f64(self.random.f64()) } else { ceiling }
    }

    /// What the server asked for, and up to a fifth more.
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

    /// When it gives up on what it asked.
    pub fn gives_up(&self) -> Timestamp {
        self.sent
            + match self.asking {
                Asking::Poll { wait } => wait + GRACE,
                Asking::Join => PATIENCE,
            }
    }

    /// Takes a reply in: what it asks next, and after which pause.
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
                // The seat is lost. Once that costs no pause; again and again it does.
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

    /// After a failure it asks for no hold: whether the server is back should be known at once.
    fn poll(&mut self) {
        self.asking = Asking::Poll { wait: if self.poll_failures > 0 { Duration::ZERO } else { HOLD } };
    }

    /// How often the same failed before.
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

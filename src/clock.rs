//! The only clock; `clippy.toml` forbids reading the time elsewhere.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use governor::clock::Clock as GovernorClock;
use tokio::sync::oneshot;

use crate::domain::Timestamp;

/// A monotonic clock on top of tokio's, which tests may pause and advance.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    started: tokio::time::Instant,
    started_unix_millis: u64,
    driven: bool,
}

impl Clock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place")]
    pub fn start() -> Self {
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            started: tokio::time::Instant::now(),
            started_unix_millis: u64::try_from(unix.as_millis()).unwrap_or(u64::MAX),
            driven: false,
        }
    }

    /// For tests that pause tokio's clock and need other programs to use the same time.
    pub fn start_driven() -> Self {
        Self { driven: true, ..Self::start() }
    }

    pub fn is_driven(&self) -> bool {
        self.driven
    }

    /// Waits for an event from outside the runtime; `None` if its sender was dropped. A driven clock stands still meanwhile: a
    /// paused clock of tokio's would advance to the next timer as soon as all tasks wait.
    pub async fn standing_still<T: Send + 'static>(&self, outside: oneshot::Receiver<T>) -> Option<T> {
        if self.driven {
            // While a blocking task runs, a paused clock does not advance by itself.
            tokio::task::spawn_blocking(move || outside.blocking_recv().ok()).await.ok().flatten()
        } else {
            outside.await.ok()
        }
    }

    /// The time since the start, monotonic.
    pub fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.elapsed_micros())
    }

    /// Unix time in milliseconds. Never steps back while the server runs.
    pub fn unix_millis(&self) -> u64 {
        self.started_unix_millis + self.elapsed_micros() / 1000
    }

    /// Unix time in seconds by the system clock, for comparison with other machines.
    #[expect(clippy::disallowed_methods, reason = "this is the one place")]
    pub fn wall_seconds(&self) -> u64 {
        SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
    }

    /// Sleeps until this clock shows `moment`.
    pub async fn sleep_until(&self, moment: Timestamp) {
        tokio::time::sleep_until(self.started + Duration::from_micros(moment.micros())).await;
    }

    fn elapsed_micros(&self) -> u64 {
        #[expect(clippy::disallowed_methods, reason = "this is the one place")]
        let now = tokio::time::Instant::now();
        u64::try_from((now - self.started).as_micros()).unwrap_or(u64::MAX)
    }
}

/// For rate limits.
impl GovernorClock for Clock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        Duration::from_micros(self.elapsed_micros())
    }
}

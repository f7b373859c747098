//! The only clock: nothing else in this crate asks what time it is (`clippy.toml` bans it).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use governor::clock::Clock as GovernorClock;
use tokio::sync::oneshot;

use crate::domain::Timestamp;

/// Reads tokio's clock, which a test may pause and drive.
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

    /// For a test that has paused tokio's clock, where others must go by this one, too.
    pub fn start_driven() -> Self {
        Self { driven: true, ..Self::start() }
    }

    pub fn is_driven(&self) -> bool {
        self.driven
    }

    /// Waits for what comes from outside. A driven clock stands still meanwhile: left alone it would leap ahead as soon as
    /// every task waits. `None` says that it will not come.
    pub async fn standing_still<T: Send + 'static>(&self, outside: oneshot::Receiver<T>) -> Option<T> {
        if self.driven {
            // A paused clock of tokio's does not leap while a blocking task runs.
            tokio::task::spawn_blocking(move || outside.blocking_recv().ok()).await.ok().flatten()
        } else {
            outside.await.ok()
        }
    }

    /// The time since the start, monotonic.
    pub fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.elapsed_micros())
    }

    /// Unix time in milliseconds. It never steps back while the server runs.
    pub fn unix_millis(&self) -> u64 {
        self.started_unix_millis + self.elapsed_micros() / 1000
    }

    /// Unix time in seconds, as the machine has it now: what others reckon with.
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

/// Rate limits go by it, too.
impl GovernorClock for Clock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        Duration::from_micros(self.elapsed_micros())
    }
}

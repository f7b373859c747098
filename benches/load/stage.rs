//! One run: the workload and server, and the peers at that server.

use std::time::{Duration, Instant};

use crate::{
    crowd::{Crowd, Event},
    process::Process,
    servers::Server,
    workload::Workload,
};

/// One run of a workload at a server.
#[derive(Clone, Copy, Debug)]
pub struct Task {
    pub workload: Workload,
    pub size: usize,
    pub server: Server,
    /// The measured time, for workloads of fixed duration.
    pub seconds: f64,
}

/// A crowd at a fresh server.
pub struct Stage<'a> {
    pub crowd: Crowd<'a>,
    /// One, or several that share the load.
    pub server: &'a [Process],
    pub task: Task,
}

/// Warm-up, as a fraction of the window's length.
pub const WARM_UP: f64 = 0.3;
/// Time limit for setting up.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// How long to wait for the last messages before they count as lost.
pub const LAST: Duration = Duration::from_secs(10);
/// Concurrent joins during setup; more would only fill the backlog.
const ENTERING: usize = 64;
/// Setup is complete when nothing has happened for this long.
pub const QUIET: Duration = Duration::from_millis(300);

impl Task {
    /// Seconds that are not measured. At a pace, every pair plays at least once in this time.
    pub fn warm_up(self) -> f64 {
        let round = self.workload.rate().map_or(0.0, |rate| self.size as f64 / rate);
        round.max(self.seconds * WARM_UP)
    }

    /// Estimated seconds, including the start of the server.
    pub fn estimate(self) -> f64 {
        let size = self.size as f64;
        let setting_up = match self.workload {
            Workload::Parked | Workload::ParkedTls | Workload::ParkedHttp2 => 1.5 + size / 4000.0,
            Workload::PingPong | Workload::Call | Workload::ClientCall => 0.6 + size / 1500.0,
            Workload::Paced1000 | Workload::Paced5000 => 0.6 + size / 1500.0,
            Workload::Mesh | Workload::Tls | Workload::PacedTls | Workload::TlsCall | Workload::JoinStorm => 0.8,
        };
        let measured = if self.workload == Workload::JoinStorm { 0.2 } else { self.seconds + self.warm_up() };
        let pace = if self.server.is_slow() { 3.0 } else { 1.0 };
        pace * setting_up + measured
    }
}

impl Stage<'_> {
    /// Bytes of memory that the servers use.
    pub fn memory(&self) -> Result<u64, String> {
        self.server.iter().map(Process::memory).sum()
    }

    /// Adds peers, in rooms of two, each with its own line, or all sharing `lines`.
    pub fn seat(&mut self, count: usize, lines: Option<&[usize]>) -> Result<(), String> {
        let mut under_way = 0;
        for index in 0..count {
            let line = match lines {
                Some(lines) => lines[index % lines.len()],
                None => self.crowd.line()?,
            };
            let peer = self.crowd.add(line, true)?;
            self.crowd.enter(peer, format!("room-{}", peer / 2), format!("peer-{peer}"), 2)?;
            under_way += 1;
            if under_way == ENTERING {
                self.crowd.until(PATIENCE, is_seated)?;
                under_way -= 1;
            }
        }
        for _ in 0..under_way {
            self.crowd.until(PATIENCE, is_seated)?;
        }
        self.settle()
    }

    /// Waits until nothing more happens.
    pub fn settle(&mut self) -> Result<(), String> {
        while self.crowd.next(Instant::now() + QUIET)?.is_some() {}
        Ok(())
    }
}

fn is_seated(event: &Event) -> bool {
    matches!(event, Event::Seated { .. })
}

//! What the servers are put through.

pub mod calls;
mod join_storm;
mod parked;
pub mod ping_pong;

use std::time::{Duration, Instant};

use clap::ValueEnum;

use crate::{
    crowd::{Crowd, Event, Faults},
    encrypted,
    process::{Process, Usage},
    servers::{Server, Setting},
    wire::Wire,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Workload {
    /// Polls that wait: memory for each, processor while nothing happens, and waking them all
    Parked,
    /// Pairs that answer each other at once, one message of 200 bytes under way for each
    PingPong,
    /// Join twice, offer, answer (3 KB each), 8 candidates each way one by one, leave
    Call,
    /// The same as our client signals it: a description and its candidates in one batch, with all headers
    ClientCall,
    /// Eight in a room, each with each, batched
    Mesh,
    /// Everybody comes at once, each on a new connection
    JoinStorm,
    /// Ping-pong through TLS and HTTP/2, a connection for each peer
    Tls,
}

/// One run of a workload at a server.
#[derive(Clone, Copy, Debug)]
pub struct Task {
    pub workload: Workload,
    pub size: usize,
    pub server: Server,
    /// How long is measured, where time says when to stop.
    pub seconds: f64,
}

/// What came out. The first figure is the one that ratios are made of.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    pub figures: Vec<(&'static str, f64)>,
    pub faults: Faults,
    /// Messages that arrived.
    pub checked: u64,
    /// How busy the generator was; close to 1, it was the limit.
    pub generator: f64,
}

/// A crowd at a server that was just started.
pub struct Stage<'a> {
    pub crowd: Crowd<'a>,
    /// One, or several that share the load.
    pub server: &'a [Process],
    pub task: Task,
}

/// Before a window opens: this part of its length.
pub const WARM_UP: f64 = 0.3;
/// Setting up must not take longer.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// A message that does not come for so long will not come.
pub const LAST: Duration = Duration::from_secs(10);
/// So many get in at once while a stage is set; more would only fill the backlog.
const ENTERING: usize = 64;
/// Everybody is where they should be when nothing has happened for so long.
const QUIET: Duration = Duration::from_millis(300);

impl Workload {
    pub fn title(self) -> &'static str {
        match self {
            Self::Parked => "Waiting polls",
            Self::PingPong => "Ping-pong",
            Self::Call => "Calls, candidates one by one",
            Self::ClientCall => "Calls as our client signals them",
            Self::Mesh => "Meshes of eight",
            Self::JoinStorm => "Join storm",
            Self::Tls => "Ping-pong through TLS and HTTP/2",
        }
    }

    pub fn explanation(self) -> &'static str {
        match self {
            Self::Parked => {
                "So many peers wait in rooms of two. Memory is what the server's process has more than before they came, \
                 without the kernel's sockets. Then each posts to the other in its room, all at once."
            }
            Self::PingPong => {
                "So many pairs; each peer answers a message of 250 bytes as soon as its poll brings it. Times are from the \
                 start of the `POST` to the answered poll."
            }
            Self::Call => {
                "So many calls at a time: two join, offer and answer of 3 KB, eight candidates each way in a request each, \
                 both leave."
            }
            Self::ClientCall => {
                "The same, but a description and its candidates are one request, and to Signalpost goes every header that \
                 `web/client` sends (idempotency keys among them)."
            }
            Self::Mesh => {
                "So many rooms at a time: eight join one by one, each connects with each, batched, and all leave."
            }
            Self::JoinStorm => "So many peers join, 256 at a time, each on a connection of its own.",
            Self::Tls => "Size is in pairs; each peer has one encrypted connection for its poll and its posts.",
        }
    }

    /// Counts calls that have ended, so it takes a while until there are enough.
    pub fn is_of_calls(self) -> bool {
        matches!(self, Self::Call | Self::ClientCall | Self::Mesh)
    }

    /// Sizes for a whole run, and for a quick one.
    pub fn sizes(self, quick: bool) -> &'static [usize] {
        match (self, quick) {
            (Self::Parked, false) => &[1000, 10_000],
            (Self::Parked, true) => &[1000],
            (Self::PingPong, false) => &[1, 64, 512, 2000],
            (Self::Call | Self::ClientCall, false) => &[64, 512],
            (Self::JoinStorm, false) => &[2000],
            (Self::JoinStorm, true) => &[1000],
            (Self::Mesh, _) => &[8],
            (Self::PingPong | Self::Call | Self::ClientCall | Self::Tls, _) => &[64],
        }
    }
}

impl Task {
    /// About how long it takes, in seconds, with the start of the server and all.
    pub fn estimate(self) -> f64 {
        let setting_up = match self.workload {
            Workload::Parked => 1.5 + self.size as f64 / 4000.0,
            Workload::PingPong | Workload::Call | Workload::ClientCall => 0.6 + self.size as f64 / 1500.0,
            Workload::Mesh | Workload::Tls | Workload::JoinStorm => 0.8,
        };
        let measured = if self.workload == Workload::JoinStorm { 0.2 } else { self.seconds * (1.0 + WARM_UP) };
        let pace = if self.server.is_slow() { 3.0 } else { 1.0 };
        pace * setting_up + measured
    }

    pub fn run(self, setting: &Setting) -> Result<Outcome, String> {
        let tls = self.workload == Workload::Tls;
        let running = self.server.start(setting, tls)?;
        let driver = self.server.driver(self.workload == Workload::ClientCall);
        if tls {
            return encrypted::run(&running, driver, setting, self);
        }
        let wire = Wire::to(running.addr).map_err(|error| error.to_string())?;
        let stage =
            Stage { crowd: Crowd::new(wire, &*driver), server: std::slice::from_ref(&running.process), task: self };
        match self.workload {
            Workload::Parked => parked::run(stage),
            Workload::PingPong => ping_pong::run(stage),
            Workload::Call => calls::run(stage, 2, false),
            Workload::ClientCall => calls::run(stage, 2, true),
            Workload::Mesh => calls::run(stage, 8, true),
            Workload::JoinStorm | Workload::Tls => join_storm::run(stage),
        }
    }
}

impl Stage<'_> {
    /// Bytes that the servers take.
    pub fn memory(&self) -> Result<u64, String> {
        self.server.iter().map(Process::memory).sum()
    }

    /// Adds peers, in rooms of two, each with a line of its own or some with `lines` for all.
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

    /// Waits until nothing happens any more.
    pub fn settle(&mut self) -> Result<(), String> {
        while self.crowd.next(Instant::now() + QUIET)?.is_some() {}
        Ok(())
    }
}

fn is_seated(event: &Event) -> bool {
    matches!(event, Event::Seated { .. })
}

/// A stretch of time that is measured.
pub struct Window {
    server: Usage,
    generator: Usage,
    began: Instant,
}

pub struct Spent {
    /// Of the server, in seconds.
    pub cpu: f64,
    pub kernel_share: Option<f64>,
    pub seconds: f64,
    /// The generator's share of its processor.
    pub generator: f64,
}

impl Window {
    pub fn open(server: &[Process]) -> Result<Self, String> {
        Ok(Self { server: Usage::of_all(server)?, generator: Usage::of("self")?, began: Instant::now() })
    }

    pub fn close(self, server: &[Process]) -> Result<Spent, String> {
        let (usage, seconds) = (Usage::of_all(server)?, self.began.elapsed().as_secs_f64());
        Ok(Spent {
            cpu: usage.seconds_since(&self.server),
            kernel_share: usage.kernel_share_since(&self.server),
            seconds,
            generator: Usage::of("self")?.seconds_since(&self.generator) / seconds,
        })
    }
}

/// How long things took, in microseconds.
#[derive(Debug, Default)]
pub struct Latencies(Vec<u64>);

impl Latencies {
    pub fn record(&mut self, micros: u64) {
        self.0.push(micros);
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The quantiles in milliseconds.
    pub fn quantiles<const N: usize>(&mut self, shares: [f64; N]) -> [f64; N] {
        self.0.sort_unstable();
        let last = self.0.len().saturating_sub(1);
        shares.map(|share| self.0.get((last as f64 * share).round() as usize).map_or(f64::NAN, |at| *at as f64 / 1e3))
    }
}

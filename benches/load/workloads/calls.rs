//! Whole calls: peers join a room one after the other, each newcomer sends offers to the peers in the room, descriptions and
//! candidates go both ways, and all leave. Two peers make a call, eight a mesh.

use std::time::{Duration, Instant};

use crate::{
    crowd::Event,
    measure::{Latencies, Outcome, Spent, Window},
    signal::Kind,
    stage::{LAST, Stage, WARM_UP},
};

pub const CANDIDATES: usize = 8;
/// Messages from each peer to each other peer.
const MESSAGES: usize = 1 + CANDIDATES;

/// Concurrent calls, each followed by another in a new room.
struct Calls<'a> {
    stage: Stage<'a>,
    members: usize,
    batched: bool,
    calls: Vec<Call>,
    progress: Vec<Progress>,
    latencies: Latencies,
    made: usize,
    under_way: usize,
    goes_on: bool,
}

#[derive(Clone, Copy, Debug)]
struct Call {
    /// Number of calls started in this run; names the next room.
    number: usize,
    began: Instant,
    members_left: usize,
}

#[derive(Clone, Copy, Debug, Default)]
struct Progress {
    posted: usize,
    heard: usize,
}

pub fn run(stage: Stage<'_>, members: usize, batched: bool) -> Result<Outcome, String> {
    let concurrent = stage.task.size;
    let mut calls = Calls {
        stage,
        members,
        batched,
        calls: vec![Call { number: 0, began: Instant::now(), members_left: 0 }; concurrent],
        progress: vec![Progress::default(); concurrent * members],
        latencies: Latencies::default(),
        made: 0,
        under_way: 0,
        goes_on: true,
    };
    for call in 0..concurrent {
        for _ in 0..members {
            let line = calls.stage.crowd.line()?;
            calls.stage.crowd.add(line, true)?;
        }
        calls.begin(call)?;
    }
    calls.go_on(WARM_UP)?;
    calls.latencies = Latencies::default();
    let requests = calls.stage.crowd.wire.requests;
    let window = Window::open(calls.stage.server)?;
    calls.go_on(1.0)?;
    let spent = window.close(calls.stage.server)?;
    let requests = calls.stage.crowd.wire.requests - requests;
    let figures = figures(&spent, requests as u64, &mut calls.latencies);
    calls.finish()?;
    Ok(Outcome {
        figures,
        faults: calls.stage.crowd.faults,
        checked: calls.stage.crowd.heard,
        generator: spent.generator,
    })
}

/// Processor time and duration of finished calls.
pub fn figures(spent: &Spent, requests: u64, latencies: &mut Latencies) -> Vec<(&'static str, f64)> {
    let finished = latencies.len() as f64;
    let [p50, p99] = latencies.quantiles([0.5, 0.99]);
    vec![
        ("CPU ms per call", spent.cpu * 1e3 / finished),
        ("of it kernel %", spent.kernel_share.map_or(f64::NAN, |share| share * 100.0)),
        ("requests per call", requests as f64 / finished),
        ("calls per CPU-second", finished / spent.cpu),
        ("calls per second", finished / spent.seconds),
        ("p50 ms", p50),
        ("p99 ms", p99),
    ]
}

impl Calls<'_> {
    fn begin(&mut self, call: usize) -> Result<(), String> {
        self.made += 1;
        self.under_way += 1;
        self.calls[call] = Call { number: self.made, began: Instant::now(), members_left: self.members };
        let first = call * self.members;
        self.progress[first..first + self.members].fill(Progress::default());
        self.enter(first)
    }

    fn enter(&mut self, peer: usize) -> Result<(), String> {
        let number = self.calls[peer / self.members].number;
        self.stage.crowd.enter(peer, format!("call-{number}"), format!("peer-{peer}-{number}"), self.members)
    }

    fn follow(&mut self, event: Event) -> Result<(), String> {
        match event {
            Event::Seated { peer } => {
                let first = peer - peer % self.members;
                let offers: Vec<_> = (first..peer).flat_map(|other| signals(other, Kind::Offer)).collect();
                self.stage.crowd.post(peer, &offers, self.batched)?;
                if peer + 1 < first + self.members {
                    self.enter(peer + 1)?;
                }
            }
            Event::Heard { peer, from, kind, .. } => {
                if kind == Kind::Offer {
                    let answer: Vec<_> = signals(from, Kind::Answer).collect();
                    self.stage.crowd.post(peer, &answer, self.batched)?;
                }
                self.progress[peer].heard += 1;
                self.leave_if_done(peer)?;
            }
            Event::Posted { peer, messages } => {
                self.progress[peer].posted += messages;
                self.leave_if_done(peer)?;
            }
            Event::Left { peer } => self.left(peer / self.members)?,
        }
        Ok(())
    }

    fn leave_if_done(&mut self, peer: usize) -> Result<(), String> {
        let all = MESSAGES * (self.members - 1);
        let Progress { posted, heard } = self.progress[peer];
        if posted == all && heard == all { self.stage.crowd.leave(peer) } else { Ok(()) }
    }

    fn left(&mut self, number: usize) -> Result<(), String> {
        let call = &mut self.calls[number];
        call.members_left -= 1;
        if call.members_left > 0 {
            return Ok(());
        }
        self.latencies.record(call.began.elapsed().as_micros() as u64);
        self.under_way -= 1;
        if self.goes_on { self.begin(number) } else { Ok(()) }
    }

    fn go_on(&mut self, share: f64) -> Result<(), String> {
        let end = Instant::now() + Duration::from_secs_f64(self.stage.task.seconds * share);
        while let Some(event) = self.stage.crowd.next(end)? {
            self.follow(event)?;
        }
        Ok(())
    }

    /// Lets the calls in progress finish.
    fn finish(&mut self) -> Result<(), String> {
        self.goes_on = false;
        let end = Instant::now() + LAST;
        while self.under_way > 0 {
            let Some(event) = self.stage.crowd.next(end)? else { break };
            self.follow(event)?;
        }
        self.stage.crowd.close_all_accounts();
        match self.under_way {
            0 => Ok(()),
            stuck => Err(format!("{stuck} calls did not finish: {:?}", self.stage.crowd.faults)),
        }
    }
}

/// A description and its candidates.
fn signals(to: usize, description: Kind) -> impl Iterator<Item = (usize, Kind)> {
    std::iter::once((to, description)).chain(std::iter::repeat_n((to, Kind::Candidate), CANDIDATES))
}

//! Counts of a recovery.

use std::{collections::BTreeMap, time::Duration};

use signalpost::domain::{Refusal, Timestamp};

/// When the node dies.
pub const DEATH: Timestamp = Timestamp::from_millis(60_000);
/// Joins are counted in spans of this length.
pub const BUCKET_MS: u64 = 100;

pub struct Tally {
    joins: Vec<u32>,
    /// The same for each node.
    joins_at: Vec<Vec<u32>>,
    /// Polls of clients that had lost their server.
    polls: Vec<u32>,
    away: usize,
    lost: usize,
    backs: Vec<Duration>,
    longest_queue: Duration,
    refusals: BTreeMap<&'static str, u64>,
    pub timeouts: u64,
    /// Joins that took a new seat.
    pub seated: u64,
}

/// The result.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub clients: usize,
    /// Clients whose node died.
    pub lost: usize,
    /// Clients that never came back, and rooms that were incomplete at the end.
    pub missing: usize,
    pub strangers: usize,
    /// In spans of [`BUCKET_MS`] since the death.
    pub joins: Vec<u32>,
    pub polls: Vec<u32>,
    /// Joins in the busiest span: at all nodes, and at the busiest node.
    pub peak: u32,
    pub peak_of_node: u32,
    pub back_99: Duration,
    pub back_all: Duration,
    /// The longest time that a request queued.
    pub longest_queue: Duration,
    pub timeouts: u64,
    pub seated: u64,
    pub refusals: BTreeMap<&'static str, u64>,
    /// Memory of a client and its half of a room, by the domain's accounting.
    pub cost_of_client: usize,
}

impl Tally {
    pub fn new(nodes: usize) -> Self {
        Self {
            joins: Vec::new(),
            joins_at: vec![Vec::new(); nodes],
            polls: Vec::new(),
            away: 0,
            lost: 0,
            backs: Vec::new(),
            longest_queue: Duration::ZERO,
            refusals: BTreeMap::new(),
            timeouts: 0,
            seated: 0,
        }
    }

    pub fn lose(&mut self, clients: usize) {
        (self.lost, self.away) = (clients, clients);
    }

    pub fn are_away(&self) -> bool {
        self.away > 0
    }

    pub fn back(&mut self, now: Timestamp) {
        self.away -= 1;
        self.backs.push(DEATH.until(now));
    }

    pub fn join(&mut self, now: Timestamp, node: usize) {
        count(&mut self.joins, now);
        count(&mut self.joins_at[node], now);
    }

    pub fn poll(&mut self, now: Timestamp, lost: bool) {
        if lost {
            count(&mut self.polls, now);
        }
    }

    pub fn queue(&mut self, now: Timestamp, done: Timestamp) {
        self.longest_queue = self.longest_queue.max(now.until(done));
    }

    pub fn refused(&mut self, refusal: &Refusal) {
        let name = match refusal {
            Refusal::PeerGone => "peer-gone",
            Refusal::RoomFull { .. } => "room-full",
            Refusal::PollSuperseded => "poll-superseded",
            Refusal::CursorGone { .. } => "cursor-gone",
            Refusal::CursorAhead { .. } => "cursor-ahead",
            _ => "other",
        };
        *self.refusals.entry(name).or_default() += 1;
    }

    pub fn outcome(mut self, clients: usize, cost: usize, strangers: usize) -> Outcome {
        self.backs.sort_unstable();
        let nth = |share: f64| {
            let index = (self.backs.len() as f64 * share).ceil() as usize;
            self.backs.get(index.saturating_sub(1)).copied().unwrap_or_default()
        };
        let most = |spans: &Vec<u32>| spans.iter().copied().max().unwrap_or(0);
        Outcome {
            clients,
            lost: self.lost,
            missing: self.away,
            strangers,
            peak: most(&self.joins),
            peak_of_node: self.joins_at.iter().map(most).max().unwrap_or(0),
            back_99: nth(0.99),
            back_all: nth(1.0),
            joins: self.joins,
            polls: self.polls,
            longest_queue: self.longest_queue,
            timeouts: self.timeouts,
            seated: self.seated,
            refusals: self.refusals,
            cost_of_client: cost / clients.max(1),
        }
    }
}

fn count(spans: &mut Vec<u32>, now: Timestamp) {
    let span = (DEATH.until(now).as_millis() as u64 / BUCKET_MS) as usize;
    if spans.len() <= span {
        spans.resize(span + 1, 0);
    }
    spans[span] += 1;
}

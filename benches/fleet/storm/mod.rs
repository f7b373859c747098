//! A fleet in virtual time: a million clients with parked polls, and one of its nodes dies.

mod client;
mod nodes;
mod tally;

use std::{cmp::Reverse, collections::BinaryHeap, time::Duration};

use client::{Asking, Client, HOLD, Pauses, Reply};
use nodes::{Nodes, client_of, mix};
use signalpost::domain::{Read, Refusal, Timestamp};
use tally::{DEATH, Tally};

pub use nodes::{Service, Sharing};
pub use tally::{BUCKET_MS, Outcome};

/// When the simulation gives up.
const END: Duration = Duration::from_secs(180);
/// `problem.rs`: the pause that a draining server asks for.
const DRAIN_MS: std::ops::Range<f64> = 500.0..2_500.0;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Death {
    /// Its connections are reset.
    Killed,
    /// Every poll is answered first.
    Drained,
    /// Its machine is gone without notice, and no load balancer closes the connections.
    Silent,
    /// The store restarts instead of the node. It may have lost its last writes, so every poll gets `cursor-gone`.
    Store,
}

#[derive(Clone, Copy, Debug)]
pub struct Setting {
    pub clients: usize,
    pub nodes: usize,
    pub sharing: Sharing,
    pub death: Death,
    pub jitter: bool,
    pub service: Service,
    pub seed: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Sends,
    Arrives,
    Served,
    /// A parked poll is answered, because a message arrived or its hold ended.
    HoldEnds,
    Woken,
    GivesUp,
    Hears,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    at: Timestamp,
    client: u32,
    attempt: u32,
    node: u16,
    event: Event,
}

pub struct Storm {
    setting: Setting,
    now: Timestamp,
    queue: BinaryHeap<Reverse<Entry>>,
    nodes: Nodes,
    clients: Vec<Client>,
    pauses: Pauses,
    tally: Tally,
}

impl Storm {
    /// Runs until every client is back.
    pub fn run(setting: Setting) -> Result<Outcome, String> {
        let mut storm = Self {
            setting,
            now: DEATH,
            queue: BinaryHeap::new(),
            nodes: Nodes::new(setting.nodes, setting.clients / 2, setting.sharing)?,
            clients: Vec::with_capacity(setting.clients),
            pauses: Pauses { jitter: setting.jitter, random: fastrand::Rng::with_seed(setting.seed) },
            tally: Tally::new(setting.nodes),
        };
        storm.settle()?;
        let cost = storm.nodes.cost();
        storm.kill(0);
        while storm.tally.are_away() {
            let Some(Reverse(entry)) = storm.queue.pop() else { break };
            if entry.at > DEATH + END {
                break;
            }
            storm.now = entry.at;
            storm.happen(entry)?;
        }
        let strangers = (0..setting.clients / 2).filter(|room| storm.nodes.occupancy(*room) != 2).count();
        Ok(storm.tally.outcome(setting.clients, cost, strangers))
    }

    /// Gives every client a seat and a parked poll, started at a random time within the last hold.
    fn settle(&mut self) -> Result<(), String> {
        for client in 0..self.setting.clients {
            let node = self.nodes.route(client / 2);
            let joined = self.nodes.join(self.now, node, client, false);
            let (joined, _) = joined.map_err(|refusal| format!("{refusal:?}"))?;
            self.clients.push(Client::seated(self.now, joined.cursor));
        }
        for client in 0..self.setting.clients {
            // Reads the news about the other peer, so that the next poll parks.
            let left = HOLD.mul_f64(self.pauses.random.f64());
            let elapsed = HOLD.saturating_sub(left).as_micros() as u64;
            self.clients[client].sent = Timestamp::from_micros(self.now.micros() - elapsed);
            let node = self.nodes.route(client / 2);
            let read = Read::NewPoll { held_until: None, page: None };
            let told = self.nodes.read(self.now, node, client, self.clients[client].cursor, read);
            self.clients[client].cursor = told.map_err(|refusal| format!("{refusal:?}"))?.cursor;
            self.park(node, client, self.now + left)?;
        }
        Ok(())
    }

    fn park(&mut self, node: usize, client: usize, until: Timestamp) -> Result<(), String> {
        let after = self.clients[client].cursor;
        let read = Read::NewPoll { held_until: Some(until), page: None };
        let batch = self.nodes.read(self.now, node, client, after, read).map_err(|refusal| format!("{refusal:?}"))?;
        let poll = batch.poll.ok_or("a poll without a number")?;
        let waiting = &mut self.clients[client];
        (waiting.parked, waiting.poll) = (true, poll);
        self.plan(until, client, node, Event::HoldEnds);
        Ok(())
    }

    fn kill(&mut self, dying: usize) {
        let on_it: Vec<usize> = self
            .queue
            .iter()
            .filter(|Reverse(entry)| self.setting.death == Death::Store || usize::from(entry.node) == dying)
            .map(|Reverse(entry)| entry.client as usize)
            .collect();
        self.tally.lose(on_it.len());
        for client in on_it {
            let waiting = &mut self.clients[client];
            (waiting.parked, waiting.lost) = (false, true);
            let gives_up = waiting.gives_up();
            match self.setting.death {
                Death::Killed => self.answer(self.now, dying, client, Reply::Unreachable),
                Death::Store => {
                    let node = self.nodes.route(client / 2);
                    let done = self.nodes.serve(self.now, node, client / 2, self.setting.service.poll);
                    self.tally.queue(self.now, done);
                    self.answer(done, node, client, Reply::Refused);
                }
                Death::Silent => self.plan(gives_up, client, dying, Event::GivesUp),
                Death::Drained => {
                    let jittered = DRAIN_MS.start + self.pauses.random.f64() * (DRAIN_MS.end - DRAIN_MS.start);
                    let middle = (DRAIN_MS.start + DRAIN_MS.end) / 2.0;
                    let ms = if self.setting.jitter { jittered } else { middle };
                    let retry_after = Duration::from_secs_f64(ms / 1e3);
                    let done = self.nodes.nodes[dying].line.enqueue(self.now, self.setting.service.poll);
                    self.answer(done, dying, client, Reply::Draining { retry_after });
                }
            }
        }
        if self.setting.death != Death::Store {
            self.nodes.end(dying);
        }
    }

    fn plan(&mut self, at: Timestamp, client: usize, node: usize, event: Event) {
        let attempt = self.clients[client].attempt;
        self.queue.push(Reverse(Entry { at, client: client as u32, attempt, node: node as u16, event }));
    }

    /// One-way latency between a client and the servers: 5 to 50 ms, fixed for each client.
    fn way(client: usize) -> Duration {
        Duration::from_micros(5_000 + mix(client as u64) % 45_000)
    }

    fn answer(&mut self, at: Timestamp, node: usize, client: usize, reply: Reply) {
        self.clients[client].reply = Some(reply);
        self.plan(at + Self::way(client), client, node, Event::Hears);
    }

    fn happen(&mut self, Entry { client, attempt, node, event, .. }: Entry) -> Result<(), String> {
        let (client, node) = (client as usize, usize::from(node));
        let is_late = self.clients[client].attempt != attempt;
        // Responses to abandoned requests are ignored, but an abandoned join still takes effect.
        if is_late && !(event == Event::Served && self.clients[client].asking == Asking::Join) {
            return Ok(());
        }
        match event {
            Event::Sends => {
                self.clients[client].sent = self.now;
                self.plan(self.now + Self::way(client), client, node, Event::Arrives);
            }
            Event::Arrives => self.arrive(client),
            Event::Served => self.serve(client, node, is_late)?,
            Event::HoldEnds if self.clients[client].parked => {
                self.clients[client].parked = false;
                self.wake(client, node);
            }
            Event::HoldEnds => {}
            Event::Woken => self.look_again(client, node),
            Event::GivesUp => {
                self.tally.timeouts += 1;
                self.clients[client].parked = false;
                self.hear(client, Reply::Unreachable);
            }
            Event::Hears => {
                let reply = self.clients[client].reply.take().ok_or("a response event without a response")?;
                self.hear(client, reply);
            }
        }
        Ok(())
    }

    fn hear(&mut self, client: usize, reply: Reply) {
        let pause = self.clients[client].next(reply, &mut self.pauses);
        self.clients[client].attempt += 1;
        self.plan(self.now + pause, client, usize::from(u16::MAX), Event::Sends);
    }

    fn arrive(&mut self, client: usize) {
        let node = self.nodes.route(client / 2);
        let takes = match self.clients[client].asking {
            Asking::Join => {
                self.tally.join(self.now, node);
                self.setting.service.join
            }
            Asking::Poll { .. } => {
                self.tally.poll(self.now, self.clients[client].lost);
                self.setting.service.poll
            }
        };
        let done = self.nodes.serve(self.now, node, client / 2, takes);
        self.tally.queue(self.now, done);
        let gives_up = self.clients[client].gives_up();
        if done + Self::way(client) > gives_up {
            self.plan(gives_up, client, node, Event::GivesUp);
        }
        self.plan(done, client, node, Event::Served);
    }

    fn serve(&mut self, client: usize, node: usize, is_late: bool) -> Result<(), String> {
        match self.clients[client].asking {
            Asking::Join => {
                let reply = match self.nodes.join(self.now, node, client, true) {
                    Ok((joined, wake)) => {
                        self.tally.seated += u64::from(!joined.resumed);
                        for other in wake.into_iter().map(client_of) {
                            if std::mem::take(&mut self.clients[other].parked) {
                                self.wake(other, node);
                            }
                        }
                        Reply::Joined { cursor: joined.cursor }
                    }
                    Err(refusal) => self.refuse(&refusal),
                };
                if !is_late {
                    self.answer(self.now, node, client, reply);
                }
            }
            Asking::Poll { wait } => {
                let held_until = self.now + wait.mul_f64(1.0 - 0.1 * self.pauses.random.f64());
                let held_until = (!wait.is_zero()).then_some(held_until);
                let after = self.clients[client].cursor;
                match self.nodes.read(self.now, node, client, after, Read::NewPoll { held_until, page: None }) {
                    Err(refusal) => {
                        let reply = self.refuse(&refusal);
                        self.answer(self.now, node, client, reply);
                    }
                    Ok(batch) => {
                        self.come_back(client);
                        self.clients[client].poll = batch.poll.ok_or("a poll without a number")?;
                        match held_until.filter(|_| batch.messages.is_empty()) {
                            None => self.answer(self.now, node, client, Reply::Batch { cursor: batch.cursor }),
                            Some(until) => {
                                self.clients[client].parked = true;
                                self.plan(until, client, node, Event::HoldEnds);
                            }
                        }
                    }
                }
            }
        }
        Ok(())
    }

    fn refuse(&mut self, refusal: &Refusal) -> Reply {
        self.tally.refused(refusal);
        Reply::Refused
    }

    fn come_back(&mut self, client: usize) {
        if std::mem::take(&mut self.clients[client].lost) {
            self.tally.back(self.now);
        }
    }

    /// Answering a parked poll takes processor time, too.
    fn wake(&mut self, client: usize, node: usize) {
        let done = self.nodes.serve(self.now, node, client / 2, self.setting.service.poll);
        let gives_up = self.clients[client].gives_up();
        if done + Self::way(client) > gives_up {
            self.plan(gives_up, client, node, Event::GivesUp);
        }
        self.plan(done, client, node, Event::Woken);
    }

    fn look_again(&mut self, client: usize, node: usize) {
        let Client { poll, cursor, .. } = self.clients[client];
        let reply = match self.nodes.read(self.now, node, client, cursor, Read::Reread { poll, page: None }) {
            Ok(batch) => Reply::Batch { cursor: batch.cursor },
            Err(refusal) => self.refuse(&refusal),
        };
        self.answer(self.now, node, client, reply);
    }
}

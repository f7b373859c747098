//! Peers at a server: each with a parked poll and queued posts; every message is checked on arrival.

mod accounts;
mod bosh;
mod faults;

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

pub use faults::Faults;
use faults::account;

use crate::{
    drivers::{Driver, Seat, Together},
    signal::{self, Kind, Stamp},
    wire::{Answer, Request, Wire},
};

/// An event at a peer.
#[derive(Clone, Copy, Debug)]
pub enum Event {
    /// It has joined, and its poll has been sent.
    Seated { peer: usize },
    /// A message arrived, `micros` after its post was sent.
    Heard { peer: usize, from: usize, kind: Kind, micros: u64 },
    /// A post request was accepted.
    Posted { peer: usize, messages: usize },
    /// It has left, and its poll has ended.
    Left { peer: usize },
}

pub struct Crowd<'a> {
    pub wire: Wire,
    pub faults: Faults,
    /// Messages that arrived intact and in order.
    pub heard: u64,
    driver: &'a dyn Driver,
    started: Instant,
    peers: Vec<Peer>,
    roles: Vec<Role>,
    events: VecDeque<Event>,
    /// Peers that were answered and may have nothing in flight; only used where every request waits.
    idle: Vec<usize>,
    /// Answers that arrived before the answers to older requests.
    early: Vec<Answer>,
    request: Request,
    scratch: Vec<(usize, Vec<u8>)>,
}

#[derive(Debug)]
struct Peer {
    seat: Seat,
    line: usize,
    poll: Option<usize>,
    is_polling: bool,
    /// The connection that carries its newest request.
    newest: usize,
    state: State,
    /// The number of the next message to each receiver, and from each sender.
    sent: Vec<(usize, u32)>,
    heard: Vec<(usize, u32)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Out,
    In,
    Leaving,
}

/// What a connection is for.
#[derive(Debug)]
enum Role {
    /// One request at a time; others queue.
    Line {
        queue: VecDeque<Job>,
        current: Option<Job>,
    },
    Poll(usize),
}

#[derive(Debug)]
enum Job {
    Enter(usize),
    Post(usize, Vec<(usize, Kind)>),
    /// A request that an answered poll made necessary.
    Reply(usize, Request),
    Leave(usize),
}

impl Job {
    fn peer(&self) -> usize {
        match self {
            Self::Enter(peer) | Self::Post(peer, _) | Self::Reply(peer, _) | Self::Leave(peer) => *peer,
        }
    }
}

impl<'a> Crowd<'a> {
    pub fn new(wire: Wire, driver: &'a dyn Driver) -> Self {
        Self {
            wire,
            driver,
            faults: Faults::default(),
            heard: 0,
            started: Instant::now(),
            peers: Vec::new(),
            roles: Vec::new(),
            events: VecDeque::new(),
            idle: Vec::new(),
            early: Vec::new(),
            request: Request::default(),
            scratch: Vec::new(),
        }
    }

    /// A connection for requests that are answered immediately.
    pub fn line(&mut self) -> Result<usize, String> {
        self.connect(Role::Line { queue: VecDeque::new(), current: None })
    }

    /// Adds a peer. It posts on a line, which other peers may share, and polls on its own connection, if `polls`.
    pub fn add(&mut self, line: usize, polls: bool) -> Result<usize, String> {
        let peer = self.peers.len();
        let poll = if polls { Some(self.connect(Role::Poll(peer))?) } else { None };
        self.peers.push(Peer {
            seat: Seat::default(),
            line,
            poll,
            is_polling: false,
            newest: line,
            state: State::Out,
            sent: Vec::new(),
            heard: Vec::new(),
        });
        Ok(peer)
    }

    fn connect(&mut self, role: Role) -> Result<usize, String> {
        let connection = self.wire.connect().map_err(|error| format!("no connection: {error}"))?;
        self.roles.push(role);
        Ok(connection)
    }

    pub fn enter(&mut self, peer: usize, room: String, name: String, capacity: usize) -> Result<(), String> {
        self.close_accounts(peer);
        self.peers[peer].seat = Seat { room, name, capacity, ..Seat::default() };
        self.put(self.peers[peer].line, Job::Enter(peer))
    }

    /// Posts messages: each in its own request, or in as few requests as the server allows.
    pub fn post(&mut self, peer: usize, mail: &[(usize, Kind)], batched: bool) -> Result<(), String> {
        let line = self.peers[peer].line;
        let most = if batched { mail.len() } else { 1 };
        let batches: Vec<&[(usize, Kind)]> = match self.driver.together() {
            Together::Any(most_there) => mail.chunks(most.min(most_there).max(1)).collect(),
            Together::SameReceiver if batched => mail.chunk_by(|one, other| one.0 == other.0).collect(),
            Together::SameReceiver => mail.chunks(1).collect(),
        };
        batches.into_iter().try_for_each(|batch| self.put(line, Job::Post(peer, batch.to_vec())))
    }

    pub fn leave(&mut self, peer: usize) -> Result<(), String> {
        self.put(self.peers[peer].line, Job::Leave(peer))
    }

    /// The next event, or `None` if there is none before `until`.
    pub fn next(&mut self, until: Instant) -> Result<Option<Event>, String> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Ok(Some(event));
            }
            let Some(answer) = self.next_in_order(until)? else { return Ok(None) };
            match self.roles[answer.connection] {
                Role::Poll(peer) => self.polled(peer, &answer)?,
                Role::Line { .. } => self.answered(&answer)?,
            }
            self.wire.done_with(answer);
        }
    }

    /// Handles events until `done` returns true for one.
    pub fn until(&mut self, patience: Duration, mut done: impl FnMut(&Event) -> bool) -> Result<(), String> {
        let end = Instant::now() + patience;
        while let Some(event) = self.next(end)? {
            if done(&event) {
                return Ok(());
            }
        }
        Err(format!("it took longer than {} s", patience.as_secs()))
    }

    fn put(&mut self, line: usize, job: Job) -> Result<(), String> {
        if let Role::Line { queue, .. } = &mut self.roles[line] {
            queue.push_back(job);
        }
        self.advance(line)
    }

    /// Sends the next request of a line, if none is in flight.
    fn advance(&mut self, line: usize) -> Result<(), String> {
        let Role::Line { queue, current } = &mut self.roles[line] else { return Ok(()) };
        if current.is_some() {
            return if self.driver.every_request_waits() { self.overtake(line) } else { Ok(()) };
        }
        let Some(job) = queue.pop_front() else { return Ok(()) };
        self.write(&job, line)?;
        if let Role::Line { current, .. } = &mut self.roles[line] {
            *current = Some(job);
        }
        self.ask(line)
    }

    /// Writes the request for a job, to be sent on a connection.
    fn write(&mut self, job: &Job, connection: usize) -> Result<(), String> {
        self.peers[job.peer()].newest = connection;
        match job {
            Job::Enter(peer) => {
                self.driver.enter(&mut self.peers[*peer].seat, None, &mut self.request)?;
            }
            Job::Post(peer, mail) => {
                self.write_post(*peer, mail);
                if self.driver.every_request_waits() {
                    self.events.push_back(Event::Posted { peer: *peer, messages: mail.len() });
                }
            }
            Job::Reply(_, reply) => {
                let Request { method, path, head, body } = reply;
                self.request.start(method);
                self.request.path.push_str(path);
                self.request.head.push_str(head);
                self.request.body.extend_from_slice(body);
            }
            Job::Leave(peer) => {
                self.peers[*peer].state = State::Leaving;
                self.driver.leave(&self.peers[*peer].seat, &mut self.request);
            }
        }
        Ok(())
    }

    fn ask(&mut self, connection: usize) -> Result<(), String> {
        self.wire.ask(connection, &self.request).map_err(|error| format!("connection {connection}: {error}"))
    }

    fn write_post(&mut self, peer: usize, mail: &[(usize, Kind)]) {
        self.scratch.resize_with(mail.len().max(self.scratch.len()), Default::default);
        let sent = self.micros();
        for ((to, kind), (slot_to, text)) in mail.iter().zip(&mut self.scratch) {
            let next = account(&mut self.peers[peer].sent, *to);
            let number = *next;
            *next += 1;
            text.clear();
            *slot_to = *to;
            signal::write(text, *kind, Stamp { from: peer as u32, to: *to as u32, number, sent });
        }
        let texts = &self.scratch[..mail.len()];
        let mail: Vec<(&Seat, &[u8])> = texts.iter().map(|(to, text)| (&self.peers[*to].seat, &text[..])).collect();
        self.driver.post(&self.peers[peer].seat, &mail, &mut self.request);
    }

    fn micros(&self) -> u64 {
        self.started.elapsed().as_micros() as u64
    }

    /// Handles an answer on a line.
    fn answered(&mut self, answer: &Answer) -> Result<(), String> {
        let Role::Line { current, .. } = &mut self.roles[answer.connection] else { return Ok(()) };
        let Some(job) = current.take() else { return Err("an answer without a request".into()) };
        if let Job::Enter(peer) = job {
            if self.driver.enter(&mut self.peers[peer].seat, Some(answer), &mut self.request)? {
                if let Role::Line { current, .. } = &mut self.roles[answer.connection] {
                    *current = Some(job);
                }
                return self.ask(answer.connection);
            }
            self.peers[peer].state = State::In;
            self.go_on(peer)?;
            self.events.push_back(Event::Seated { peer });
        } else {
            if !answer.is_success() {
                return Err(format!("a request was refused: {}", answer.glance()));
            }
            match job {
                Job::Post(peer, _) if self.driver.every_request_waits() => self.take(peer, answer)?,
                Job::Post(peer, mail) => self.events.push_back(Event::Posted { peer, messages: mail.len() }),
                Job::Leave(peer) => self.gone(peer),
                Job::Enter(_) | Job::Reply(..) => {}
            }
        }
        self.advance(answer.connection)
    }

    /// Polls again, or is idle where every request waits.
    fn go_on(&mut self, peer: usize) -> Result<(), String> {
        if self.driver.every_request_waits() {
            self.idle.push(peer);
            return Ok(());
        }
        self.poll(peer)
    }

    fn poll(&mut self, peer: usize) -> Result<(), String> {
        let Some(connection) = self.peers[peer].poll else { return Ok(()) };
        self.peers[peer].is_polling = true;
        self.peers[peer].newest = connection;
        self.driver.poll(&self.peers[peer].seat, &mut self.request);
        self.ask(connection)
    }

    fn polled(&mut self, peer: usize, answer: &Answer) -> Result<(), String> {
        self.peers[peer].is_polling = false;
        self.take(peer, answer)?;
        self.advance(self.peers[peer].line)
    }

    /// Checks the messages in an answered poll, and polls again.
    fn take(&mut self, peer: usize, answer: &Answer) -> Result<(), String> {
        let now = self.micros();
        for found in signal::find(answer.body()) {
            self.check(peer, found, now);
        }
        if self.peers[peer].state == State::Leaving {
            self.gone(peer);
            return Ok(());
        }
        let wants_reply = self.driver.polled(&mut self.peers[peer].seat, answer, &mut self.request)?;
        if wants_reply {
            let reply = std::mem::take(&mut self.request);
            self.put(self.peers[peer].line, Job::Reply(peer, reply))?;
        }
        self.go_on(peer)
    }

    /// Reports that the peer has left, once all its requests are answered.
    fn gone(&mut self, peer: usize) {
        if !self.peers[peer].is_polling && !self.is_on_its_line(peer) {
            self.peers[peer].state = State::Out;
            self.events.push_back(Event::Left { peer });
        }
    }

    /// Whether a request of this peer is in flight on its line.
    fn is_on_its_line(&self, peer: usize) -> bool {
        let line = &self.roles[self.peers[peer].line];
        matches!(line, Role::Line { current: Some(job), .. } if job.peer() == peer)
    }
}

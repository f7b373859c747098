//! Peers at a server: each with a poll that waits and posts that queue, every message checked as it arrives.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use crate::{
    drivers::{Driver, Seat, Together},
    signal::{self, Kind, Stamp},
    wire::{Answer, Request, Wire},
};

/// What has happened.
#[derive(Clone, Copy, Debug)]
pub enum Event {
    /// It is in, and its poll is on its way.
    Seated { peer: usize },
    /// `micros` after its post was sent.
    Heard { peer: usize, from: usize, kind: Kind, micros: u64 },
    /// A request of posts was accepted.
    Posted { peer: usize, messages: usize },
    /// It is out, and its poll has ended.
    Left { peer: usize },
}

/// What went wrong with messages. None of it may happen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    pub lost: u64,
    pub doubled: u64,
    pub disordered: u64,
    pub broken: u64,
}

pub struct Crowd<'a> {
    pub wire: Wire,
    pub faults: Faults,
    /// Messages that arrived as they should.
    pub heard: u64,
    driver: &'a dyn Driver,
    started: Instant,
    peers: Vec<Peer>,
    roles: Vec<Role>,
    events: VecDeque<Event>,
    request: Request,
    scratch: Vec<(usize, Vec<u8>)>,
}

#[derive(Debug)]
struct Peer {
    seat: Seat,
    line: usize,
    poll: Option<usize>,
    is_polling: bool,
    state: State,
    /// The next number to each receiver, and from each sender.
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
    /// One request after the other.
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
    /// What the server asked for in an answer to a poll.
    Reply(Request),
    Leave(usize),
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
            request: Request::default(),
            scratch: Vec::new(),
        }
    }

    /// A connection for requests that are answered at once.
    pub fn line(&mut self) -> Result<usize, String> {
        self.connect(Role::Line { queue: VecDeque::new(), current: None })
    }

    /// Somebody new, who posts by a line, which may be others' as well, and polls by a connection of its own, if at all.
    pub fn add(&mut self, line: usize, polls: bool) -> Result<usize, String> {
        let peer = self.peers.len();
        let poll = if polls { Some(self.connect(Role::Poll(peer))?) } else { None };
        self.peers.push(Peer {
            seat: Seat::default(),
            line,
            poll,
            is_polling: false,
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

    /// Posts messages: each in a request of its own, or in as few as the server allows.
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

    /// The next event, or nothing by then.
    pub fn next(&mut self, until: Instant) -> Result<Option<Event>, String> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Ok(Some(event));
            }
            let Some(answer) = self.wire.next(until)? else { return Ok(None) };
            match self.roles[answer.connection] {
                Role::Poll(peer) => self.polled(peer, &answer)?,
                Role::Line { .. } => self.answered(&answer)?,
            }
            self.wire.done_with(answer);
        }
    }

    /// Waits until as many events of a kind have come as are needed.
    pub fn until(&mut self, patience: Duration, mut done: impl FnMut(&Event) -> bool) -> Result<(), String> {
        let end = Instant::now() + patience;
        while let Some(event) = self.next(end)? {
            if done(&event) {
                return Ok(());
            }
        }
        Err(format!("it took longer than {} s", patience.as_secs()))
    }

    /// Counts what was sent and has not arrived: call it when everything should have.
    pub fn close_all_accounts(&mut self) {
        (0..self.peers.len()).for_each(|peer| self.close_accounts(peer));
    }

    fn close_accounts(&mut self, peer: usize) {
        for (to, sent) in std::mem::take(&mut self.peers[peer].sent) {
            let account = self.peers[to].heard.iter().position(|(from, _)| *from == peer);
            let heard = account.map_or(0, |at| self.peers[to].heard.swap_remove(at).1);
            self.faults.lost += u64::from(sent.saturating_sub(heard));
        }
    }

    fn put(&mut self, line: usize, job: Job) -> Result<(), String> {
        if let Role::Line { queue, .. } = &mut self.roles[line] {
            queue.push_back(job);
        }
        self.advance(line)
    }

    /// Sends the next request of a line, if none is under way.
    fn advance(&mut self, line: usize) -> Result<(), String> {
        let Role::Line { queue, current } = &mut self.roles[line] else { return Ok(()) };
        if current.is_some() {
            return Ok(());
        }
        let Some(job) = queue.pop_front() else { return Ok(()) };
        match &job {
            Job::Enter(peer) => {
                self.driver.enter(&mut self.peers[*peer].seat, None, &mut self.request)?;
            }
            Job::Post(peer, mail) => self.write_post(*peer, mail),
            Job::Reply(reply) => {
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
        if let Role::Line { current, .. } = &mut self.roles[line] {
            *current = Some(job);
        }
        self.ask(line)
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

    /// An answer on a line.
    fn answered(&mut self, answer: &Answer) -> Result<(), String> {
        let Role::Line { current, .. } = &mut self.roles[answer.connection] else { return Ok(()) };
        let Some(job) = current.take() else { return Err("an answer to nothing".into()) };
        if let Job::Enter(peer) = job {
            if self.driver.enter(&mut self.peers[peer].seat, Some(answer), &mut self.request)? {
                if let Role::Line { current, .. } = &mut self.roles[answer.connection] {
                    *current = Some(job);
                }
                return self.ask(answer.connection);
            }
            self.peers[peer].state = State::In;
            self.poll(peer)?;
            self.events.push_back(Event::Seated { peer });
        } else {
            if !answer.is_success() {
                return Err(format!("a request was refused: {}", answer.glance()));
            }
            match job {
                Job::Post(peer, mail) => self.events.push_back(Event::Posted { peer, messages: mail.len() }),
                Job::Leave(peer) => self.gone(peer),
                Job::Enter(_) | Job::Reply(_) => {}
            }
        }
        self.advance(answer.connection)
    }

    fn poll(&mut self, peer: usize) -> Result<(), String> {
        let Some(connection) = self.peers[peer].poll else { return Ok(()) };
        self.peers[peer].is_polling = true;
        self.driver.poll(&self.peers[peer].seat, &mut self.request);
        self.ask(connection)
    }

    fn polled(&mut self, peer: usize, answer: &Answer) -> Result<(), String> {
        self.peers[peer].is_polling = false;
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
            self.put(self.peers[peer].line, Job::Reply(reply))?;
        }
        self.poll(peer)
    }

    fn check(&mut self, peer: usize, found: signal::Found, now: u64) {
        let Stamp { from, to, number, sent } = found.stamp;
        let from = from as usize;
        if !found.whole || to as usize != peer || from >= self.peers.len() {
            self.faults.broken += 1;
            return;
        }
        let expected = account(&mut self.peers[peer].heard, from);
        if number < *expected {
            self.faults.doubled += 1;
            return;
        }
        if number > *expected {
            self.faults.disordered += 1;
        }
        *expected = number + 1;
        self.heard += 1;
        let micros = now.saturating_sub(sent);
        self.events.push_back(Event::Heard { peer, from, kind: found.kind, micros });
    }

    /// Both the leave and the poll must have ended.
    fn gone(&mut self, peer: usize) {
        let line = &self.roles[self.peers[peer].line];
        let is_leaving = matches!(line, Role::Line { current: Some(Job::Leave(leaving)), .. } if *leaving == peer);
        if !self.peers[peer].is_polling && !is_leaving {
            self.peers[peer].state = State::Out;
            self.events.push_back(Event::Left { peer });
        }
    }
}

/// The next number between somebody and another.
fn account(accounts: &mut Vec<(usize, u32)>, other: usize) -> &mut u32 {
    let at = accounts.iter().position(|(whose, _)| *whose == other).unwrap_or_else(|| {
        accounts.push((other, 0));
        accounts.len() - 1
    });
    &mut accounts[at].1
}

//! Rooms full of peers in an engine, and the operations that are measured.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::FutureExt;
use signalpost::{
    clock::Clock,
    domain::{
        CreatorId, Identity, Limits, Metadata, Name, Payload, PeerId, Post, Refusal, Rights, RoomName, Seq, Source,
        Target, Visitor,
    },
    engine::{Engine, Memory, PollRequest},
};

pub struct Crowd {
    engine: Engine,
    rooms: Vec<Room>,
    made: u128,
    payload: Payload,
}

struct Room {
    name: RoomName,
    peers: Vec<PeerId>,
    /// The cursor of each peer.
    read: Vec<Option<Seq>>,
}

/// A mailbox with unread messages.
pub struct Waiting {
    crowd: Crowd,
    messages: usize,
}

fn limits(capacity: usize) -> Limits {
    Limits {
        rooms: usize::MAX,
        rooms_bytes: usize::MAX,
        room_capacity: capacity,
        mailbox_messages: 1 << 30,
        mailbox_bytes: 1 << 40,
        lease: Duration::from_secs(3600),
        ..Limits::default()
    }
}

impl Crowd {
    pub fn new(capacity: usize) -> Result<Self, String> {
        Self::in_engine(limits(capacity))
    }

    pub fn in_engine(limits: Limits) -> Result<Self, String> {
        let engine = Engine::Memory(Memory::new(Arc::new(limits), Clock::start()));
        let payload = Payload::new(format!("\"type\":\"data\",\"data\":\"{}\"", "x".repeat(192)));
        Ok(Self { engine, rooms: Vec::new(), made: 0, payload })
    }

    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Adds rooms until there are `rooms`.
    pub fn grow(&mut self, rooms: usize, peers: usize) -> Result<(), String> {
        while self.rooms.len() < rooms {
            let name = RoomName::parse(&format!("room-{}", self.rooms.len())).ok_or("a bad name")?;
            let ids = (0..peers).map(|_| self.join(&name)).collect::<Result<_, _>>()?;
            self.rooms.push(Room { name, read: vec![None; peers], peers: ids });
        }
        Ok(())
    }

    fn join(&mut self, room: &RoomName) -> Result<PeerId, String> {
        self.made += 1;
        let id = PeerId::from_bytes(self.made.to_be_bytes());
        let visitor = Visitor {
            identity: Identity::New(id),
            name: Name::parse("Ann").ok_or("a bad name")?,
            metadata: Metadata::default(),
            secret: None,
            capacity: None,
            creator: CreatorId::from_bytes(self.made.to_be_bytes()),
            keyed: None,
            page: None,
            rights: Rights::OPEN,
            subject: None,
            // An address of its own.
            source: Source { address: self.made as u64, network: self.made as u64 },
        };
        now(self.engine.join(room, visitor))?;
        Ok(id)
    }

    /// Joins and leaves a new room.
    pub fn join_and_leave(&mut self, index: usize) -> Result<(), String> {
        let name = RoomName::parse(&format!("other-{index}")).ok_or("a bad name")?;
        let id = self.join(&name)?;
        now(self.engine.leave(&name, id))
    }

    fn post(&self, room: usize, to: Option<usize>) -> Result<(), String> {
        let Room { name, peers, .. } = &self.rooms[room];
        let targets = vec![Target { to: to.map(|to| peers[to]), payload: self.payload.clone() }];
        now(self.engine.post(name, peers[0], Post { targets, keyed: None })).map(drop)
    }

    fn read(&mut self, room: usize, peer: usize) -> Result<(), String> {
        let Room { name, peers, read } = &mut self.rooms[room];
        let asked = PollRequest { after: read[peer], page: None };
        let batch = now(self.engine.receive(name, peers[peer], asked, Duration::ZERO))?;
        read[peer] = Some(batch.cursor);
        Ok(())
    }

    pub fn send_and_receive(&mut self, room: usize) -> Result<(), String> {
        self.post(room, Some(1))?;
        self.read(room, 1)
    }

    pub fn send_to_all_and_receive(&mut self, room: usize) -> Result<(), String> {
        self.post(room, None)?;
        (1..self.rooms[room].peers.len()).try_for_each(|peer| self.read(room, peer))
    }

    /// A poll without a hold that finds nothing.
    pub fn poll_nothing(&mut self, room: usize) -> Result<(), String> {
        self.read(room, 1)
    }

    /// A poll that finds nothing, parks, and is dropped by its client.
    pub fn park(&mut self, room: usize) -> Result<(), String> {
        let Room { name, peers, read } = &self.rooms[room];
        let asked = PollRequest { after: read[1], page: None };
        match self.engine.receive(name, peers[1], asked, Duration::from_secs(25)).now_or_never() {
            None => Ok(()),
            Some(_) => Err("the poll should have parked".into()),
        }
    }
}

impl Crowd {
    /// Renews the leases in every `divisor`-th room, starting at `remainder`.
    pub fn renew(&self, remainder: u64, divisor: u64) -> Result<(), String> {
        for room in self.rooms.iter().skip(remainder as usize).step_by(divisor as usize) {
            for peer in &room.peers {
                now(self.engine.roster(&room.name, *peer))?;
            }
        }
        Ok(())
    }
}

impl Waiting {
    pub fn new(messages: usize) -> Result<Self, String> {
        let mut crowd = Crowd::new(2)?;
        crowd.grow(1, 2)?;
        Ok(Self { crowd, messages })
    }

    /// Nanoseconds for each message: to send it while the mailbox fills up, and to read it together with all others.
    pub fn fill_and_read(&mut self, times: usize) -> Result<(f64, f64), String> {
        let (mut sending, mut reading) = (Vec::new(), Vec::new());
        for _ in 0..times {
            let began = Instant::now();
            for _ in 0..self.messages {
                self.crowd.post(0, Some(1))?;
            }
            sending.push(began.elapsed());
            let began = Instant::now();
            self.crowd.read(0, 1)?;
            reading.push(began.elapsed());
        }
        let middle = |mut spans: Vec<Duration>| {
            spans.sort();
            spans[spans.len() / 2].as_secs_f64() * 1e9 / self.messages as f64
        };
        Ok((middle(sending), middle(reading)))
    }
}

/// The result of an operation of the memory engine, which never waits.
fn now<T>(operation: impl Future<Output = Result<T, Refusal>>) -> Result<T, String> {
    let outcome = operation.now_or_never().ok_or("the operation waited")?;
    outcome.map_err(|refusal| format!("{refusal:?}"))
}

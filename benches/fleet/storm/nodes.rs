//! The servers of a fleet: where rooms live, how long requests queue, and the rooms, which are the product's own.

use std::{
    hash::{BuildHasher, BuildHasherDefault, DefaultHasher},
    sync::Arc,
    time::Duration,
};

use signalpost::domain::{
    Account, Batch, CreatorId, Headroom, Identity, Joined, Limits, Metadata, Name, PeerId, Read, Refusal, Rights,
    RoomKey, RoomName, Rooms, Seq, Source, Timestamp, Visitor,
};

/// Cursors start at the Unix time; any start will do.
const UNIX_START: u64 = 1_790_000_000_000;

/// Processor time of each kind of request.
#[derive(Clone, Copy, Debug)]
pub struct Service {
    pub join: Duration,
    /// Accepting a poll; answering it costs the same again.
    pub poll: Duration,
}

/// Serves requests one at a time, in order of arrival.
#[derive(Clone, Copy, Debug, Default)]
pub struct Line {
    free: Timestamp,
}

impl Line {
    /// When a request that arrives now will be finished.
    pub fn enqueue(&mut self, now: Timestamp, takes: Duration) -> Timestamp {
        self.free = self.free.max(now) + takes;
        self.free
    }
}

pub struct Node {
    pub alive: bool,
    pub line: Line,
}

/// Where rooms live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sharing {
    /// Each in the memory of one node, chosen by the room's name.
    ByPath,
    /// All in a store that outlives the nodes. It has `parts` servers; an operation occupies one of them for `operation`.
    Store { parts: usize, operation: Duration },
}

pub struct Nodes {
    pub nodes: Vec<Node>,
    sharing: Sharing,
    /// One for each node, or one for the store.
    rooms: Vec<Rooms>,
    parts: Vec<Line>,
    names: Vec<RoomName>,
    homes: Vec<u16>,
    limits: Arc<Limits>,
    turn: usize,
}

impl Nodes {
    pub fn new(nodes: usize, rooms: usize, sharing: Sharing) -> Result<Self, String> {
        let names = (0..rooms).map(|number| RoomName::parse(&format!("room-{number}")));
        let names: Vec<_> = names.collect::<Option<_>>().ok_or("a bad name")?;
        // The default `rooms_bytes` on a machine with 64 GB, and enough rooms for all peers.
        let limits = Limits { rooms: 4_000_000, rooms_bytes: 12 << 30, ..Limits::default() };
        let limits = Arc::new(limits);
        let (kept, parts) = match sharing {
            Sharing::ByPath => (nodes, 0),
            Sharing::Store { parts, .. } => (1, parts),
        };
        let mut all = Self {
            nodes: std::iter::repeat_with(|| Node { alive: true, line: Line::default() }).take(nodes).collect(),
            sharing,
            rooms: std::iter::repeat_with(|| Rooms::new(limits.clone())).take(kept).collect(),
            parts: vec![Line::default(); parts],
            homes: vec![0; rooms],
            names,
            limits,
            turn: 0,
        };
        for room in 0..rooms {
            all.homes[room] = all.choose(room);
        }
        Ok(all)
    }

    /// Rendezvous hashing (the highest hash over all live nodes): a dead node moves only its own rooms.
    fn choose(&self, room: usize) -> u16 {
        let living = (0..self.nodes.len()).filter(|node| self.nodes[*node].alive);
        living.max_by_key(|node| mix((room as u64) << 16 | *node as u64)).unwrap_or(0) as u16
    }

    /// The node that gets the next request for this room.
    pub fn route(&mut self, room: usize) -> usize {
        match self.sharing {
            Sharing::ByPath => self.homes[room].into(),
            Sharing::Store { .. } => loop {
                self.turn = (self.turn + 1) % self.nodes.len();
                if self.nodes[self.turn].alive {
                    return self.turn;
                }
            },
        }
    }

    /// Removes a node with everything in its memory.
    pub fn end(&mut self, node: usize) {
        self.nodes[node].alive = false;
        if self.sharing == Sharing::ByPath {
            self.rooms[node] = Rooms::new(self.limits.clone());
            for room in 0..self.homes.len() {
                if usize::from(self.homes[room]) == node {
                    self.homes[room] = self.choose(room);
                }
            }
        }
    }

    /// When a request that reaches a node now will have been served, by the node and by the store.
    pub fn serve(&mut self, now: Timestamp, node: usize, room: usize, takes: Duration) -> Timestamp {
        let done = self.nodes[node].line.enqueue(now, takes);
        match self.sharing {
            Sharing::ByPath => done,
            Sharing::Store { operation, .. } => {
                let part = mix(room as u64) as usize % self.parts.len();
                self.parts[part].enqueue(done, operation)
            }
        }
    }

    pub fn occupancy(&self, room: usize) -> usize {
        let node = if self.sharing == Sharing::ByPath { self.homes[room].into() } else { 0 };
        self.rooms[node].view(key(&self.names[room])).map_or(0, |view| view.occupancy)
    }

    /// The accounted cost of all rooms.
    pub fn cost(&self) -> usize {
        self.rooms.iter().map(Rooms::cost).sum()
    }

    /// Also returns the peers whose polls must be woken.
    pub fn join(
        &mut self,
        now: Timestamp,
        node: usize,
        client: usize,
        returning: bool,
    ) -> Result<(Joined, Vec<PeerId>), Refusal> {
        let id = peer_id(client);
        let restart = Seq::at_unix_millis(UNIX_START + now.millis());
        let visitor = Visitor {
            identity: if returning { Identity::Returning { id, restart } } else { Identity::New(id) },
            name: Name::default(),
            metadata: Metadata::default(),
            secret: None,
            capacity: None,
            creator: CreatorId::from_bytes(*id.as_bytes()),
            keyed: None,
            page: None,
            rights: Rights::OPEN,
            subject: None,
            source: Source::default(),
        };
        let (rooms, name, headroom) = self.at(now, node, client);
        let joined = rooms.join(now, key(&name), visitor, &Account::default(), headroom)?;
        Ok((joined, rooms.drain_wake().collect()))
    }

    pub fn read(
        &mut self,
        now: Timestamp,
        node: usize,
        client: usize,
        after: Seq,
        read: Read,
    ) -> Result<Batch, Refusal> {
        let (rooms, name, _) = self.at(now, node, client);
        rooms.read(now, key(&name), peer_id(client), Some(after), read)
    }

    /// The table with this client's room, after expiry, which the engine runs before each operation.
    fn at(&mut self, now: Timestamp, node: usize, client: usize) -> (&mut Rooms, RoomName, Headroom) {
        let rooms = &mut self.rooms[if self.sharing == Sharing::ByPath { node } else { 0 }];
        rooms.expire(now);
        rooms.drain_wake();
        rooms.take_lifecycle();
        let headroom = Headroom::new(rooms.len() < self.limits.rooms, rooms.cost(), &self.limits);
        (rooms, self.names[client / 2].clone(), headroom)
    }
}

fn key(name: &RoomName) -> RoomKey<'_> {
    RoomKey { name, hash: BuildHasherDefault::<DefaultHasher>::default().hash_one(name) }
}

pub fn peer_id(client: usize) -> PeerId {
    PeerId::from_bytes((client as u128).to_be_bytes())
}

pub fn client_of(peer: PeerId) -> usize {
    u128::from_be_bytes(*peer.as_bytes()) as usize
}

/// A hash of one number (the finaliser of MurmurHash3).
pub fn mix(mut number: u64) -> u64 {
    number ^= number >> 33;
    number = number.wrapping_mul(0xff51_afd7_ed55_8ccd);
    number ^= number >> 33;
    number = number.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    number ^ number >> 33
}

//! Takes random steps in the domain and in the model, and compares the two.

use std::{
    sync::{Arc, LazyLock},
    time::Duration,
};

use signalpost::domain::{
    Account, Charge, CreatorId, Headroom, KeyedRequest, Limits, PeerId, Post, RoomKey, RoomName, Rooms, Seq, Timestamp,
    Usage,
};

use crate::model::Model;

#[derive(Clone, Debug)]
pub enum Step {
    Join { room: u8, keyed: bool },
    RepeatJoin { peer: u8 },
    Resume { peer: u8 },
    Send { from: u8, to: u8, bytes: usize, keyed: bool },
    Batch { from: u8, entries: Vec<(Option<u8>, usize)> },
    RepeatSend { peer: u8, back: usize },
    Poll { peer: u8, lost: bool },
    WildPoll { peer: u8, off: i64 },
    Hold { peer: u8 },
    Leave { peer: u8 },
    Goodbye { peer: u8 },
    Kick { by: u8, whom: u8 },
    Lock { room: u8, locked: bool },
    Create { room: u8 },
    Close { room: u8 },
    Pass { millis: u64 },
}

/// A peer that has joined; the model knows whether it still has a seat.
#[derive(Clone, Debug)]
pub struct Person {
    pub id: PeerId,
    pub room: u8,
    pub join_key: Option<KeyedRequest>,
    /// Keyed posts and their responses.
    pub posts: Vec<(Post, Vec<(PeerId, Seq)>)>,
}

pub struct World {
    pub rooms: Rooms,
    /// Those who pay: two of one network, and a stranger.
    accounts: [Account; 3],
    network: Arc<Usage>,
    pub model: Model,
    pub limits: Limits,
    pub now: u64,
    made: u64,
    pub people: Vec<Person>,
}

/// Never reached here.
pub const PLENTY: Headroom = Headroom { room: true, bytes: usize::MAX, reserve: 0 };

pub const CREATOR: CreatorId = CreatorId::from_bytes([9; 16]);

pub fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap()
}

/// Two of three rooms share a name hash, and the table must distinguish them.
pub fn named(room: u8) -> RoomKey<'static> {
    static NAMES: LazyLock<Vec<RoomName>> =
        LazyLock::new(|| (0..=u8::MAX).map(|room| RoomName::parse(&format!("room-{room}")).unwrap()).collect());
    RoomKey { name: &NAMES[usize::from(room)], hash: u64::from(room % 3) / 2 }
}

impl World {
    pub fn new() -> Self {
        let limits = Limits {
            room_capacity: 4,
            mailbox_messages: 8,
            mailbox_bytes: 3000,
            idempotency_keys: 3,
            ..Limits::default()
        };
        let rooms = Rooms::new(Arc::new(limits.clone()));
        let network: Arc<Usage> = Arc::default();
        let accounts = [Account::new(network.clone()), Account::new(network.clone()), Account::default()];
        let (model, people) = (Model::default(), Vec::new());
        Self { rooms, accounts, network, model, limits, now: 1_000_000, made: 0, people }
    }

    pub fn take(&mut self, step: Step) {
        let at = self.at();
        self.rooms.expire(at);
        self.model.expire(self.now, &self.limits);
        match step {
            Step::Join { room, keyed } => self.join(room, keyed),
            Step::RepeatJoin { peer } => self.with(peer, Self::repeat_join),
            Step::Resume { peer } => self.with(peer, Self::resume),
            Step::Send { from, to, bytes, keyed } => self.send(from, &[(Some(to), bytes)], keyed),
            Step::Batch { from, entries } => self.send(from, &entries, false),
            Step::RepeatSend { peer, back } => self.repeat_send(peer, back),
            Step::Poll { peer, lost } => self.with(peer, |world, person| world.poll(&person, lost)),
            Step::WildPoll { peer, off } => self.with(peer, |world, person| world.wild_poll(&person, off)),
            Step::Hold { peer } => self.with(peer, Self::hold),
            Step::Leave { peer } => self.with(peer, Self::leave),
            Step::Goodbye { peer } => self.with(peer, Self::goodbye),
            Step::Kick { by, whom } => self.kick(by, whom),
            Step::Lock { room, locked } => self.lock(room, locked),
            Step::Create { room } => self.create(room),
            Step::Close { room } => self.close(room),
            Step::Pass { millis } => self.now += millis,
        }
        self.check();
        self.check_accounts();
    }

    /// Expires all leases, and checks that nothing is left.
    pub fn end(mut self) {
        self.now += millis(self.limits.lease + self.limits.wait_max);
        self.rooms.expire(self.at());
        self.now += millis(self.limits.room_lease);
        self.rooms.expire(self.at());
        assert_eq!((self.rooms.len(), self.rooms.peers(), self.rooms.deadlines()), (0, 0, 0));
        assert_eq!((self.rooms.next_deadline(), self.rooms.cost()), (None, 0));
        self.check_accounts();
        assert!(self.accounts.iter().all(|account| account.charge() == Charge::default() && !account.is_shared()));
    }

    /// Everything is charged to somebody, once.
    fn check_accounts(&self) {
        let [ann, ben, eve] = self.accounts.each_ref().map(Account::charge);
        let sum = |of: fn(Charge) -> usize| (of(ann) + of(ben), of(ann) + of(ben) + of(eve));
        let (rooms, bytes) = (sum(|charge| charge.rooms), sum(Charge::bytes));
        let network = self.network.charge();
        assert_eq!((rooms, bytes), ((network.rooms, self.rooms.len()), (network.bytes(), self.rooms.cost())));
    }

    /// Who pays for what comes next.
    pub fn payer(&self) -> Account {
        self.accounts[self.made as usize % 3].clone()
    }

    pub fn at(&self) -> Timestamp {
        Timestamp::from_millis(self.now)
    }

    pub fn with(&mut self, peer: u8, step: impl FnOnce(&mut Self, Person)) {
        if let Some(person) = self.person(peer) {
            step(self, person);
        }
    }

    pub fn person(&self, peer: u8) -> Option<Person> {
        let recent = self.people.len().saturating_sub(12);
        let recent = &self.people[recent..];
        (!recent.is_empty()).then(|| recent[usize::from(peer) % recent.len()].clone())
    }

    pub fn fresh(&mut self) -> u64 {
        self.made += 1;
        self.made
    }

    pub fn fresh_id(&mut self) -> PeerId {
        let mut bytes = [0; 16];
        bytes[8..].copy_from_slice(&self.fresh().to_be_bytes());
        PeerId::from_bytes(bytes)
    }

    pub fn fresh_key(&mut self) -> KeyedRequest {
        let number = u128::from(self.fresh());
        KeyedRequest { key: number, request: number }
    }
}

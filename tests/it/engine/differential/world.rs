//! Both engines, and the peers that the steps are about.

use std::{pin::Pin, sync::Arc, task::Context, task::Waker, time::Duration};

use signalpost::{
    clock::Clock,
    domain::{
        Batch, CreatorId, Identity, KeyedRequest, Limits, Metadata, Name, Page, Payload, PeerId, Post, Refusal,
        RoomName, Secret, Seq, Subject, Target, Visitor,
    },
    engine::{Engine, Memory, PollRequest},
};

use super::acts::{Act, Outcome, perform, plan, rights, shown, source};
use crate::support::engine_clock::engine_at;

#[derive(Clone, Copy, Debug)]
pub enum Cursor {
    None,
    Kept,
    Behind(u64),
    Ahead(u64),
}

#[derive(Clone, Debug)]
pub enum Step {
    Join { room: u8, dice: [u8; 6], page: Option<u64>, key: u8 },
    Return { peer: u8, page: Option<u64> },
    RepeatJoin { peer: u8, same: bool },
    Post { from: u8, targets: Vec<(Option<u8>, usize)>, key: u8 },
    RepeatPost { peer: u8, same: bool, back: usize },
    Poll { peer: u8, cursor: Cursor, page: Option<u64> },
    Hold { peer: u8, cursor: Cursor, page: Option<u64>, seconds: u8 },
    Drop { which: proptest::sample::Index },
    Leave { peer: u8 },
    Goodbye { peer: u8 },
    Kick { by: u8, whom: u8, right: bool },
    Lock { room: u8, locked: bool, right: bool },
    Create { room: u8, keyed: bool, dice: [u8; 4] },
    Close { room: u8 },
    View { room: u8 },
    Roster { peer: u8 },
    Churn { room: u8, times: u8 },
    Pass { millis: u64 },
}

/// A peer that has had a seat.
#[derive(Clone)]
struct Person {
    id: PeerId,
    room: RoomName,
    cursor: u64,
    joined: Visitor,
    /// The most recent.
    posted: Vec<Post>,
}

type Receiving = Pin<Box<dyn Future<Output = Result<Batch, Refusal>>>>;

pub struct World {
    memory: Engine,
    redis: Engine,
    clock: Clock,
    people: Vec<Person>,
    /// Polls that wait, in both engines.
    held: Vec<(Receiving, Receiving)>,
    made: u64,
}

pub const ROOMS: u8 = 4;
/// More than are remembered with their responses.
pub const POSTS_KNOWN: usize = 6;

const CREATOR: CreatorId = CreatorId::from_bytes([1; 16]);
const STRANGER: CreatorId = CreatorId::from_bytes([2; 16]);

/// Small enough to be reached. In a small mailbox the bytes of joins and leaves matter; a large one is read in parts.
fn limits(mailbox_bytes: usize) -> Limits {
    Limits {
        room_capacity: 3,
        room_capacity_max: 6,
        mailbox_messages: 12,
        mailbox_bytes,
        idempotency_keys: 2,
        rooms_bytes: usize::MAX,
        ..Limits::default()
    }
}

/// Named so that each of three cluster masters has some.
fn room(number: u8) -> RoomName {
    RoomName::parse(&format!("{number}-room")).unwrap()
}

fn creator(right: bool) -> CreatorId {
    if right { CREATOR } else { STRANGER }
}

impl World {
    /// With its own prefix at that Redis URL.
    pub fn new(redis: &str, mailbox_bytes: usize) -> Self {
        let (clock, limits) = (Clock::start_driven(), limits(mailbox_bytes));
        let memory = Engine::Memory(Memory::new(Arc::new(limits.clone()), clock));
        let redis = engine_at(redis, limits, clock);
        Self { memory, redis, clock, people: Vec::new(), held: Vec::new(), made: 0 }
    }

    pub async fn take(&mut self, step: Step) -> Result<(), String> {
        match step {
            Step::Join { room: number, dice, page, key } => {
                let visitor = self.visitor(dice, page, key);
                self.enter(room(number), visitor).await?;
            }
            Step::Return { peer, page } => {
                let Some(person) = self.person(peer) else { return Ok(()) };
                let restart = Seq::at_unix_millis(1_000_000_000 + self.clock.now().millis());
                let identity = Identity::Returning { id: person.id, restart };
                self.enter(person.room, Visitor { identity, page: page.map(Page), ..person.joined }).await?;
            }
            Step::RepeatJoin { peer, same } => {
                let Some(person) = self.person(peer) else { return Ok(()) };
                let other = u128::from(!same);
                let keyed = person.joined.keyed.map(|keyed| KeyedRequest { request: keyed.request + other, ..keyed });
                let identity = Identity::New(self.fresh_id());
                self.enter(person.room, Visitor { identity, keyed, ..person.joined }).await?;
            }
            Step::Hold { peer, cursor, page, seconds } => self.hold(peer, cursor, page, seconds).await?,
            Step::Drop { which } if !self.held.is_empty() => drop(self.held.remove(which.index(self.held.len()))),
            Step::Drop { .. } => {}
            Step::Churn { room: number, times } => self.churn(room(number), times).await?,
            Step::Pass { millis } => self.pass(Duration::from_millis(millis)).await?,
            other => {
                let Some(act) = self.act(other) else { return Ok(()) };
                self.compare(act).await?;
            }
        }
        self.look_after_polls().await
    }

    /// Steps that are one operation and change no bookkeeping except a cursor.
    fn act(&mut self, step: Step) -> Option<Act> {
        Some(match step {
            Step::Post { from, targets, key } => {
                let person = self.person(from)?;
                let post = self.post(targets, key);
                let posted = &mut self.people.iter_mut().find(|known| known.id == person.id)?.posted;
                posted.insert(0, post.clone());
                posted.truncate(POSTS_KNOWN);
                Act::Post(person.room, person.id, post)
            }
            Step::RepeatPost { peer, same, back } => {
                let person = self.person(peer)?;
                let mut post = person.posted.get(back)?.clone();
                post.keyed =
                    post.keyed.map(|keyed| KeyedRequest { request: keyed.request + u128::from(!same), ..keyed });
                Act::Post(person.room, person.id, post)
            }
            Step::Poll { peer, cursor, page } => {
                let person = self.person(peer)?;
                Act::Poll(person.room.clone(), person.id, person.asks(cursor, page))
            }
            Step::Leave { peer } => self.person(peer).map(|person| Act::Leave(person.room, person.id))?,
            Step::Goodbye { peer } => self.person(peer).map(|person| Act::Goodbye(person.room, person.id))?,
            Step::Kick { by, whom, right } => Act::Kick(self.person(by)?.room, creator(right), self.person(whom)?.id),
            Step::Lock { room: number, locked, right } => Act::Lock(room(number), creator(right), locked),
            Step::Create { room: number, keyed, dice } => Act::Create(room(number), plan(keyed, dice), CREATOR),
            Step::Close { room: number } => Act::Close(room(number), CREATOR),
            Step::View { room: number } => Act::View(room(number)),
            Step::Roster { peer } => self.person(peer).map(|person| Act::Roster(person.room, person.id))?,
            _ => return None,
        })
    }

    /// Performs the same operation on both engines, and returns the memory engine's outcome.
    async fn compare(&mut self, act: Act) -> Result<Outcome, String> {
        let (expected, outcome) = perform(&self.memory, &act).await;
        let (answer, _) = perform(&self.redis, &act).await;
        if answer != expected {
            return Err(format!("at {:?}: {act:?}\nmemory: {expected}\nredis:  {answer}", self.clock.now()));
        }
        if let (Act::Poll(_, id, _), Some(cursor)) = (&act, outcome.cursor)
            && let Some(person) = self.people.iter_mut().find(|person| person.id == *id)
        {
            person.cursor = cursor;
        }
        Ok(outcome)
    }

    async fn enter(&mut self, room: RoomName, visitor: Visitor) -> Result<(), String> {
        let outcome = self.compare(Act::Join(room.clone(), visitor.clone())).await?;
        if let (Some(id), Some(cursor)) = (outcome.seated, outcome.cursor) {
            let before = self.people.iter().position(|person| person.id == id).map(|index| self.people.remove(index));
            let posted = before.map(|person| person.posted).unwrap_or_default();
            self.people.push(Person { id, room, cursor, joined: visitor, posted });
        }
        Ok(())
    }

    /// Parks a poll in both engines.
    async fn hold(&mut self, peer: u8, cursor: Cursor, page: Option<u64>, seconds: u8) -> Result<(), String> {
        let Some(person) = self.person(peer) else { return Ok(()) };
        let (asked, hold) = (person.asks(cursor, page), Duration::from_secs(seconds.into()));
        let begin = |engine: &Engine| -> Receiving {
            let (engine, person) = (engine.clone(), person.clone());
            Box::pin(async move { engine.receive(&person.room, person.id, asked, hold).await })
        };
        let (mut memory, mut redis) = (begin(&self.memory), begin(&self.redis));
        if let Some(expected) = poll_once(&mut memory) {
            return alike(&expected, &redis.await);
        }
        if let Some(answer) = poll_once(&mut redis) {
            return Err(format!("a poll that should wait was answered: {}", shown(&answer)));
        }
        self.held.push((memory, redis));
        self.compare(Act::View(room(9))).await.map(drop)
    }

    /// Polls answered by the memory engine must be answered by the other, too, and alike.
    async fn look_after_polls(&mut self) -> Result<(), String> {
        let mut waiting = Vec::new();
        for (mut memory, mut redis) in std::mem::take(&mut self.held) {
            match poll_once(&mut memory) {
                Some(expected) => alike(&expected, &redis.await)?,
                None => match poll_once(&mut redis) {
                    Some(answer) => return Err(format!("a poll that should wait was answered: {}", shown(&answer))),
                    None => waiting.push((memory, redis)),
                },
            }
        }
        self.held = waiting;
        Ok(())
    }

    /// Peers join and leave again, so that mailboxes fill with events.
    async fn churn(&mut self, room: RoomName, times: u8) -> Result<(), String> {
        for time in 0..times {
            let visitor = self.visitor([0, 0, 0, 255, time, 0], None, 0);
            let outcome = self.compare(Act::Join(room.clone(), visitor)).await?;
            let Some(id) = outcome.seated else { return Ok(()) };
            self.compare(Act::Leave(room.clone(), id)).await?;
        }
        Ok(())
    }

    /// Lets time pass; both engines expire leases at the same moment.
    async fn pass(&mut self, time: Duration) -> Result<(), String> {
        tokio::time::advance(time).await;
        for number in 0..ROOMS {
            self.compare(Act::View(room(number))).await?;
        }
        Ok(())
    }

    async fn count(&self) -> Result<(), String> {
        let (memory, redis) = (self.memory.stats().await, self.redis.stats().await);
        let expected =
            (memory.rooms, memory.peers, memory.counters.accepted, memory.counters.expired, memory.counters.fullest);
        let counted =
            (redis.rooms, redis.peers, redis.counters.accepted, redis.counters.expired, redis.counters.fullest);
        if expected == counted { Ok(()) } else { Err(format!("{memory:?}\n{redis:?}")) }
    }

    /// After all leases have expired, nothing is left.
    pub async fn end(mut self) -> Result<(), String> {
        self.held.clear();
        let limits = limits(0);
        self.count().await?;
        self.pass(limits.lease + limits.wait_max).await?;
        self.pass(limits.room_lease).await?;
        let (memory, redis) = (self.memory.stats().await, self.redis.stats().await);
        if (redis.rooms, redis.peers, redis.parked) != (0, 0, 0) || memory.counters != redis.counters {
            return Err(format!("in the end:\n{memory:?}\n{redis:?}"));
        }
        Ok(())
    }

    fn person(&self, peer: u8) -> Option<Person> {
        let recent = &self.people[self.people.len().saturating_sub(12)..];
        (!recent.is_empty()).then(|| recent[usize::from(peer) % recent.len()].clone())
    }

    fn visitor(&mut self, dice: [u8; 6], page: Option<u64>, key: u8) -> Visitor {
        let [secret, capacity, allowed, metadata, name, administer] = dice;
        let text = "m".repeat(usize::from(metadata) * 16);
        Visitor {
            identity: Identity::New(self.fresh_id()),
            name: Name::parse(&"ä".repeat(usize::from(name % 8))).unwrap(),
            metadata: Metadata::new(&format!("{{\"x\":\"{text}\"}}")),
            secret: (secret < 40).then(|| Secret::from_digest([secret % 2 + 1; Secret::LEN])),
            capacity: (capacity < 128).then_some(usize::from(capacity % 8)),
            creator: if administer < 20 { STRANGER } else { CREATOR },
            keyed: (key == 0).then(|| self.fresh_key()),
            page: page.map(Page),
            rights: rights(allowed, administer),
            subject: (name > 200).then(|| Subject::from_digest([name % 3; 16])),
            source: source(name),
        }
    }

    fn post(&mut self, targets: Vec<(Option<u8>, usize)>, key: u8) -> Post {
        let mut to = |(to, bytes): (Option<u8>, usize)| {
            let text = format!("{} {}", self.fresh(), "x".repeat(bytes));
            Target { to: to.and_then(|peer| self.person(peer)).map(|person| person.id), payload: Payload::new(text) }
        };
        Post { targets: targets.into_iter().map(&mut to).collect(), keyed: (key < 2).then(|| self.fresh_key()) }
    }

    fn fresh(&mut self) -> u64 {
        self.made += 1;
        self.made
    }

    fn fresh_id(&mut self) -> PeerId {
        // Above and below earlier ids, because ties are broken by id.
        let number = self.fresh().wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&number.to_be_bytes());
        PeerId::from_bytes(bytes)
    }

    fn fresh_key(&mut self) -> KeyedRequest {
        let number = u128::from(self.fresh());
        KeyedRequest { key: number, request: number }
    }
}

impl Person {
    fn asks(&self, cursor: Cursor, page: Option<u64>) -> PollRequest {
        let after = match cursor {
            Cursor::None => None,
            Cursor::Kept => Some(self.cursor),
            Cursor::Behind(by) => Some(self.cursor.saturating_sub(by)),
            Cursor::Ahead(by) => Some(self.cursor + by),
        };
        PollRequest { after: after.and_then(Seq::new), page: page.map(Page) }
    }
}

fn poll_once<F: Future + ?Sized>(future: &mut Pin<Box<F>>) -> Option<F::Output> {
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        std::task::Poll::Ready(answer) => Some(answer),
        std::task::Poll::Pending => None,
    }
}

fn alike(expected: &Result<Batch, Refusal>, answer: &Result<Batch, Refusal>) -> Result<(), String> {
    let (expected, answer) = (shown(expected), shown(answer));
    if answer == expected { Ok(()) } else { Err(format!("a poll\nmemory: {expected}\nredis:  {answer}")) }
}

//! The engine for several machines: rooms are kept in Redis, and any node answers any request.
//!
//! One script for each operation (`scripts`), so that each is atomic and one round trip. A wake-up is a hint that comes
//! through a channel of the node where the poll waits, and the read is the truth: a poll registers first and then
//! reads, and after a lost connection every poll reads again.
//!
//! [`Redis`] is the engine. `routing` knows which server to ask and what its failures mean, `discovery` and `node` find
//! and watch servers, `receive` parks polls, and `decode` reads what scripts answer. `docs/redis.md` says what is kept
//! and how.

mod connection;
mod decode;
mod discovery;
mod encryption;
mod join;
mod keys;
mod node;
mod receive;
mod rights;
mod room_count;
mod routing;
mod runtime;
mod scripts;
mod server_info;
mod sweep;
mod url;
mod waiters;

use std::{
    hash::RandomState,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::{
    runtime::{Builder, Runtime},
    sync::{Notify, Semaphore, oneshot},
};

pub use encryption::TlsFiles;
pub use url::{Address, Login};

use crate::{
    clock::Clock,
    domain::{
        Accepted, Card, Created, CreatorId, Keyed, Limits, PeerId, Post, Refusal, RoomName, RoomPlan, RoomView,
        Timestamp,
    },
    engine::{
        counters::Flow,
        lifecycle_log,
        redis::{
            connection::Ears,
            decode::{Odd, Reply, micros, places_in},
            join::named,
            keys::{Bucket, Keys},
            room_count::Census,
            routing::{Link, Trouble},
            runtime::Thread,
            scripts::{Call, Digests, Script},
            waiters::Places,
        },
        waiters::Wake,
    },
};

#[derive(Debug)]
pub struct Redis {
    link: Arc<Link>,
    places: Arc<Places>,
    keys: Arc<Keys>,
    digests: Arc<Digests>,
    /// What this node is called in Redis.
    node: String,
    room_lease: String,
    census: Census,
    hasher: RandomState,
    clock: Clock,
    limits: Arc<Limits>,
    draining: AtomicBool,
    /// Of polls that all look again.
    turns: Semaphore,
    flow: Flow,
    thread: Thread,
}

/// So many polls look again at a time after Redis was lost: half of the calls that may be on their way, and the rest is for others.
const LOOKS_AT_ONCE: usize = 128;

impl Redis {
    /// Connects, which takes a moment. An error says what is wrong.
    pub fn connect(address: Address, limits: Arc<Limits>, clock: Clock) -> Result<Arc<Self>, String> {
        let runtime = Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())?;
        Self::connect_on(runtime, address, limits, clock)
    }

    /// The same, with a runtime of a single thread to drive the connections. A test that has paused the runtime's clock says
    /// when time-outs strike.
    pub fn connect_on(
        runtime: Runtime,
        address: Address,
        limits: Arc<Limits>,
        clock: Clock,
    ) -> Result<Arc<Self>, String> {
        let thread = Thread::start(runtime).map_err(|error| error.to_string())?;
        let places = Arc::new(Places::default());
        let keys = Arc::new(Keys::new(&address.prefix));
        let node = format!("{:016x}", fastrand::u64(..));
        let digests = Arc::new(Digests::reckon());
        let ears = Ears {
            keys: keys.clone(),
            digests: digests.clone(),
            node: node.clone(),
            places: places.clone(),
            look: Arc::new(Notify::new()),
        };
        let (report, connected) = std::sync::mpsc::channel();
        let shown = address.to_string();
        thread.spawn(async move { drop(report.send(Link::connect(address, ears).await)) });
        let link = connected.recv().map_err(|error| error.to_string()).flatten();
        let link = link.map_err(|why| format!("Redis at {shown} cannot be used: {why}"))?;
        let kept = link.clone();
        thread.spawn(async move { kept.keep().await });
        Ok(Arc::new(Self {
            link,
            places,
            keys,
            digests,
            node,
            room_lease: micros(limits.room_lease).to_string(),
            census: Census::new(),
            hasher: RandomState::new(),
            clock,
            limits,
            draining: AtomicBool::new(false),
            turns: Semaphore::new(LOOKS_AT_ONCE),
            flow: Flow::default(),
            thread,
        }))
    }

    pub async fn create(
        self: &Arc<Self>,
        name: &RoomName,
        plan: RoomPlan,
        creator: CreatorId,
    ) -> Result<Created, Refusal> {
        self.refuse_when_draining()?;
        let mut call = self.call(Script::Create, name);
        let seats = self.limits.seats(plan.capacity).and_then(|seats| self.check_rooms().map(|()| seats));
        call.some(seats.as_ref().err().map(named)).arg(seats.unwrap_or_default());
        call.some(plan.secret.as_ref().map(|secret| &secret.as_digest()[..])).arg(creator.as_bytes());
        keyed(&mut call, plan.made_by);
        self.run(call, |reply| {
            let creator = reply.rest.creator()?.ok_or(Odd)?;
            Ok(Created { creator, view: reply.rest.view()? })
        })
        .await
    }

    pub async fn post(self: &Arc<Self>, name: &RoomName, from: PeerId, post: Post) -> Result<Accepted, Refusal> {
        self.refuse_when_draining()?;
        let mut call = self.call(Script::Post, name);
        call.arg(from.as_bytes()).arg(micros(self.limits.lease));
        call.arg(self.limits.mailbox_messages).arg(self.limits.mailbox_bytes).arg(self.limits.idempotency_keys);
        keyed(&mut call, post.keyed);
        for target in &post.targets {
            call.some(target.to.as_ref().map(PeerId::as_bytes)).arg(target.payload.as_str());
        }
        let accepted = self.run(call, |reply| {
            let rest = &mut reply.rest;
            Ok(Accepted {
                places: places_in(&rest.bytes()?),
                repeated: rest.flag()?,
                bytes: rest.count()?,
                fullest: rest.count()?,
            })
        });
        let accepted = accepted.await?;
        self.flow.accepted(&accepted);
        Ok(accepted)
    }

    pub async fn leave(self: &Arc<Self>, name: &RoomName, peer: PeerId) -> Result<(), Refusal> {
        let mut call = self.call(Script::Leave, name);
        call.arg(peer.as_bytes()).arg(micros(self.limits.lease));
        self.run(call, |_| Ok(())).await
    }

    pub async fn say_goodbye(self: &Arc<Self>, name: &RoomName, peer: PeerId) -> Result<(), Refusal> {
        let mut call = self.call(Script::Goodbye, name);
        call.arg(peer.as_bytes()).arg(micros(self.limits.lease)).arg(micros(self.limits.leave_grace));
        self.run(call, |_| Ok(())).await
    }

    pub async fn kick(self: &Arc<Self>, name: &RoomName, creator: CreatorId, peer: PeerId) -> Result<(), Refusal> {
        let mut call = self.call(Script::Kick, name);
        call.arg(creator.as_bytes()).arg(peer.as_bytes());
        self.run(call, |_| Ok(())).await
    }

    pub async fn lock(
        self: &Arc<Self>,
        name: &RoomName,
        creator: CreatorId,
        locked: bool,
    ) -> Result<RoomView, Refusal> {
        let mut call = self.call(Script::Lock, name);
        call.arg(creator.as_bytes()).flag(locked);
        self.run(call, |reply| reply.rest.view()).await
    }

    pub async fn close(self: &Arc<Self>, name: &RoomName, creator: CreatorId) -> Result<(), Refusal> {
        let mut call = self.call(Script::Close, name);
        call.arg(creator.as_bytes());
        self.run(call, |_| Ok(())).await
    }

    pub async fn view(self: &Arc<Self>, name: &RoomName) -> Result<RoomView, Refusal> {
        self.run(self.call(Script::View, name), |reply| reply.rest.view()).await
    }

    pub async fn roster(self: &Arc<Self>, name: &RoomName, peer: PeerId) -> Result<Vec<Arc<Card>>, Refusal> {
        let mut call = self.call(Script::Roster, name);
        call.arg(peer.as_bytes()).arg(micros(self.limits.lease));
        self.run(call, |reply| reply.rest.cards()).await
    }

    pub fn drain(&self) {
        self.draining.store(true, Ordering::Release);
        self.places.wake_all(Wake::Draining);
    }

    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }

    /// Whether Redis can be reached.
    pub fn is_up(&self) -> bool {
        self.link.is_up()
    }

    fn refuse_when_draining(&self) -> Result<(), Refusal> {
        if self.is_draining() { Err(Refusal::Draining) } else { Ok(()) }
    }

    /// A soft limit: nodes that make rooms at the same time learn of each other's at the next sweep.
    fn check_rooms(&self) -> Result<(), Refusal> {
        if self.census.rooms() < self.limits.rooms { Ok(()) } else { Err(Refusal::RoomsExhausted) }
    }

    fn call(&self, script: Script, name: &RoomName) -> Call {
        self.call_bucket(script, Bucket::of(name), name.as_str())
    }

    fn call_bucket(&self, script: Script, bucket: Bucket, room: &str) -> Call {
        self.call_at(self.clock.now(), script, bucket, room)
    }

    /// Redis goes by its own clock, unless a test drives ours.
    fn call_at(&self, now: Timestamp, script: Script, bucket: Bucket, room: &str) -> Call {
        let now = if self.clock.is_driven() { now.micros().to_string() } else { String::new() };
        let head = [now.as_str(), &self.node, &self.room_lease];
        Call::new(&self.digests, script, bucket, self.keys.deadlines(bucket), head, room)
    }

    /// Runs a script to its end, wakes whom it says and logs what happened, whether or not somebody still waits for it. A
    /// poll that asks, by its ticket, does not wake itself. When all of them ask, each does in its turn.
    async fn run_for<T: Send + 'static>(
        self: &Arc<Self>,
        ticket: Option<u64>,
        in_turn: bool,
        call: Call,
        read: impl FnOnce(&mut Reply) -> Result<T, Odd> + Send + 'static,
    ) -> Result<T, Refusal> {
        let (sender, answer) = oneshot::channel();
        let this = self.clone();
        self.spawn(async move {
            let _turn = if in_turn { this.turns.acquire().await.ok() } else { None };
            let reply = this.ask_and_tell(call, ticket).await;
            let _ = sender.send(reply.and_then(|mut reply| {
                if reply.is_ok() {
                    return read(&mut reply).map_err(odd);
                }
                Err(reply.refusal(&this.limits).unwrap_or_else(odd))
            }));
        });
        self.clock.standing_still(answer).await.unwrap_or(Err(Refusal::EngineUnavailable { perhaps_done: true }))
    }

    async fn run<T: Send + 'static>(
        self: &Arc<Self>,
        call: Call,
        read: impl FnOnce(&mut Reply) -> Result<T, Odd> + Send + 'static,
    ) -> Result<T, Refusal> {
        self.run_for(None, false, call, read).await
    }

    async fn ask_and_tell(&self, call: Call, ticket: Option<u64>) -> Result<Reply, Refusal> {
        let bucket = call.bucket;
        let value = self.link.ask(bucket, &call.into_cmd()).await.map_err(|trouble| match trouble {
            Trouble::Unreachable { perhaps_done } => Refusal::EngineUnavailable { perhaps_done },
            Trouble::OutOfMemory => Refusal::MemoryExhausted,
        })?;
        let reply = Reply::read(value).map_err(odd)?;
        // Counted before anybody is told.
        self.census.note(bucket, &reply.lifecycle);
        self.flow.expired(&reply.lifecycle);
        self.places.wake(reply.wake.iter().copied(), ticket);
        lifecycle_log::log(&reply.lifecycle, &self.hasher);
        Ok(reply)
    }

    fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.thread.spawn(work);
    }
}

/// Our scripts never answer so.
fn odd(_: Odd) -> Refusal {
    tracing::error!("an answer of a script cannot be read");
    Refusal::EngineUnavailable { perhaps_done: true }
}

fn keyed(call: &mut Call, keyed: Option<Keyed>) {
    let key = keyed.map(|keyed| keyed.key.to_be_bytes());
    let request = keyed.map(|keyed| keyed.request.to_be_bytes());
    call.some(key.as_ref().map(|key| &key[..])).some(request.as_ref().map(|request| &request[..]));
}

//! The engine for several nodes: rooms are in Redis, and any node serves any request. docs/redis.md describes the data.
//!
//! Each operation is one script (`scripts`), and so atomic and one round trip. A wake-up comes through a channel of the node where
//! the poll is parked, and is only a hint: a poll registers first and then reads, and after a lost connection every poll reads
//! again.

mod connection;
mod decode;
mod join;
mod keys;
mod receive;
mod room_count;
mod runtime;
mod scripts;
mod sweep;
mod waiters;

use std::{
    hash::RandomState,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{
    runtime::{Builder, Runtime},
    sync::{Notify, Semaphore, oneshot},
};

pub use connection::{
    address::{Address, Login},
    tls::TlsFiles,
};

use crate::{
    clock::Clock,
    domain::{
        Accepted, Created, CreatorId, Limits, PeerId, Post, Refusal, RoomName, RoomPlan, RoomView, Roster, Source,
        Timestamp,
    },
    engine::{
        counters::Counters,
        lifecycle_log,
        redis::{
            connection::{router::Router, session::NodeContext},
            decode::{Malformed, Reply, micros, positions_in, verdict},
            keys::{Bucket, Keys},
            room_count::{Exhausted, RoomCount},
            runtime::Thread,
            scripts::{Call, Script},
            waiters::NodeWaiters,
        },
        waiters::Wake,
    },
};

#[derive(Debug)]
pub struct Redis {
    router: Arc<Router>,
    waiters: Arc<NodeWaiters>,
    keys: Arc<Keys>,
    /// This node's name in Redis.
    node: String,
    room_lease: String,
    room_count: RoomCount,
    hasher: RandomState,
    clock: Clock,
    limits: Arc<Limits>,
    draining: AtomicBool,
    /// Permits for polls that read again after a lost connection.
    rereads: Semaphore,
    counters: Counters,
    thread: Thread,
}

/// Half of the calls that may be in flight to one server, so that the other half is left for requests.
const MAX_CONCURRENT_REREADS: usize = 128;

impl Redis {
    /// Blocks until it is connected. An error says why it is not.
    pub fn connect(address: Address, limits: Arc<Limits>, clock: Clock) -> Result<Arc<Self>, String> {
        let runtime = Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())?;
        Self::connect_on(runtime, address, limits, clock)
    }

    /// With the caller's runtime, which must be single-threaded. A test that pauses its clock controls all timeouts.
    pub fn connect_on(
        runtime: Runtime,
        address: Address,
        limits: Arc<Limits>,
        clock: Clock,
    ) -> Result<Arc<Self>, String> {
        let thread = Thread::start(runtime).map_err(|error| error.to_string())?;
        let waiters = Arc::new(NodeWaiters::default());
        let keys = Arc::new(Keys::new(&address.prefix));
        let node = format!("{:016x}", fastrand::u64(..));
        let check = Arc::new(Notify::new());
        let context = NodeContext { keys: keys.clone(), node: node.clone(), waiters: waiters.clone(), check };
        let (report, connected) = std::sync::mpsc::channel();
        let shown = address.to_string();
        thread.spawn(async move { drop(report.send(Router::connect(address, context).await)) });
        let router = connected.recv().map_err(|error| error.to_string()).flatten();
        let router = router.map_err(|why| format!("Redis at {shown} cannot be used: {why}"))?;
        let supervised = router.clone();
        thread.spawn(async move { supervised.supervise().await });
        Ok(Arc::new(Self {
            router,
            waiters,
            keys,
            node,
            room_lease: micros(limits.room_lease).to_string(),
            room_count: RoomCount::new(),
            hasher: RandomState::new(),
            clock,
            limits,
            draining: AtomicBool::new(false),
            rereads: Semaphore::new(MAX_CONCURRENT_REREADS),
            counters: Counters::default(),
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
        let left = self.router.take(call.bucket, Limits::ROOM_COST);
        let seats = self.limits.seats(plan.capacity);
        let seats = seats.and_then(|seats| self.check_rooms(plan.source).map(|()| seats));
        call.some(seats.as_ref().err().map(verdict)).arg(seats.unwrap_or_default());
        call.some(plan.secret.as_ref().map(|secret| &secret.as_digest()[..])).arg(creator.as_bytes()).key(plan.made_by);
        call.source(plan.source).arg(left.bytes);
        self.run(call, |reply| Ok(Created { creator: reply.rest.creator()?, view: reply.rest.view()? })).await
    }

    pub async fn post(self: &Arc<Self>, name: &RoomName, from: PeerId, post: Post) -> Result<Accepted, Refusal> {
        self.refuse_when_draining()?;
        let mut call = self.call(Script::Post, name);
        let bucket = call.bucket;
        call.arg(from.as_bytes()).arg(micros(self.limits.lease)).arg(self.limits.mailbox_messages);
        let bytes = post.targets.iter().map(|target| target.payload.len() + Limits::MESSAGE_COST).sum();
        let left = self.router.take(call.bucket, bytes);
        call.arg(self.limits.mailbox_bytes).arg(self.limits.idempotency_keys).arg(left.bytes).arg(left.reserve);
        call.key(post.keyed);
        for target in &post.targets {
            call.some(target.to.as_ref().map(PeerId::as_bytes)).arg(target.payload.as_str());
        }
        let accepted = self.run(call, |Reply { rest, .. }| {
            let positions = positions_in(&rest.next::<Vec<u8>>()?);
            Ok(Accepted { positions, repeated: rest.next()?, bytes: rest.next()?, fullest: rest.next()? })
        });
        let accepted = accepted.await?;
        // Copies for several peers.
        self.router.take(bucket, accepted.bytes.saturating_sub(bytes));
        self.counters.accepted(&accepted);
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

    pub async fn roster(self: &Arc<Self>, name: &RoomName, peer: PeerId) -> Result<Roster, Refusal> {
        let mut call = self.call(Script::Roster, name);
        call.arg(peer.as_bytes()).arg(micros(self.limits.lease));
        self.run(call, |reply| Ok(Roster { peers: reply.rest.cards()?, subject: reply.rest.subject()? })).await
    }

    /// Where the relays of all nodes are reached, after this node has said where its own is and for how long.
    pub async fn relays(self: &Arc<Self>, host: &str, lifetime: Duration) -> Result<Vec<String>, Refusal> {
        let mut call = self.call_bucket(Script::Relays, Bucket::of_nodes(), "");
        call.arg(host).arg(micros(lifetime));
        self.run(call, |reply| reply.rest.next()).await
    }

    pub async fn seated(self: &Arc<Self>, name: &RoomName, peers: &[PeerId]) -> Result<Vec<PeerId>, Refusal> {
        let mut call = self.call(Script::Seated, name);
        let ids: Vec<u8> = peers.iter().flat_map(|peer| *peer.as_bytes()).collect();
        call.arg(ids);
        self.run(call, |reply| reply.rest.peers()).await
    }

    pub fn drain(&self) {
        self.draining.store(true, Ordering::Release);
        self.waiters.wake_all(Wake::Draining);
    }

    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }

    pub fn is_up(&self) -> bool {
        self.router.is_up()
    }

    fn refuse_when_draining(&self) -> Result<(), Refusal> {
        if self.is_draining() { Err(Refusal::Draining) } else { Ok(()) }
    }

    /// A soft limit: rooms that other nodes have created since the last sweep do not count.
    fn check_rooms(&self, source: Source) -> Result<(), Refusal> {
        self.room_count.check(source, &self.limits, self.router.left()).map_err(|exhausted| match exhausted {
            Exhausted::Rooms => Refusal::RoomsExhausted,
            Exhausted::Memory => Refusal::MemoryExhausted,
        })
    }

    fn call(&self, script: Script, name: &RoomName) -> Call {
        self.call_bucket(script, Bucket::of(name), name.as_str())
    }

    fn call_bucket(&self, script: Script, bucket: Bucket, room: &str) -> Call {
        self.call_at(self.clock.now(), script, bucket, room)
    }

    /// Redis uses its own clock, unless a test drives ours.
    fn call_at(&self, now: Timestamp, script: Script, bucket: Bucket, room: &str) -> Call {
        let now = if self.clock.is_driven() { now.micros().to_string() } else { String::new() };
        let head = [now.as_str(), &self.node, &self.room_lease];
        Call::new(script, bucket, self.keys.deadlines(bucket), head, room)
    }

    async fn run<T: Send + 'static>(
        self: &Arc<Self>,
        call: Call,
        read: impl FnOnce(&mut Reply) -> Result<T, Malformed> + Send + 'static,
    ) -> Result<T, Refusal> {
        self.run_as(None, false, call, read).await
    }

    /// Runs a call to its end, whether or not the caller still waits for it. The poll with this ticket is not woken by its own
    /// call. A throttled call takes a permit first.
    async fn run_as<T: Send + 'static>(
        self: &Arc<Self>,
        ticket: Option<u64>,
        throttled: bool,
        call: Call,
        read: impl FnOnce(&mut Reply) -> Result<T, Malformed> + Send + 'static,
    ) -> Result<T, Refusal> {
        let (sender, result) = oneshot::channel();
        let this = self.clone();
        self.thread.spawn(async move {
            let _permit = if throttled { this.rereads.acquire().await.ok() } else { None };
            let reply = this.execute(call, ticket).await;
            let _ = sender.send(reply.and_then(|mut reply| {
                if reply.is_ok() {
                    return read(&mut reply).map_err(malformed);
                }
                Err(reply.refusal(&this.limits).unwrap_or_else(malformed))
            }));
        });
        self.clock.standing_still(result).await.unwrap_or(Err(Refusal::EngineUnavailable { perhaps_done: true }))
    }

    /// Runs a call, wakes the polls that it names, and logs what happened.
    async fn execute(&self, call: Call, ticket: Option<u64>) -> Result<Reply, Refusal> {
        let bucket = call.bucket;
        let reply = Reply::decode(self.router.call(bucket, &call.into_cmd()).await?).map_err(malformed)?;
        // Before waking, so that those who are told see it counted.
        self.room_count.update(bucket, &reply.rooms);
        self.counters.expired(&reply.lifecycle);
        self.waiters.wake(reply.wake.iter().copied(), ticket);
        lifecycle_log::log(&reply.lifecycle, &self.hasher);
        Ok(reply)
    }
}

fn malformed(_: Malformed) -> Refusal {
    tracing::error!("a script returned a malformed reply");
    Refusal::EngineUnavailable { perhaps_done: true }
}

//! Sends calls to the server that has the bucket, judges failures, and reconnects.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use arc_swap::ArcSwap;
use futures_util::future::join_all;
use redis::{Cmd, ErrorKind, RedisError, ServerErrorKind, Value};
use tokio::{sync::Notify, time::timeout};

use crate::{
    domain::Refusal,
    engine::{
        redis::{
            connection::{
                address::Address, capacity::Left, discovery::find_servers, permissions, server::Server,
                session::NodeContext,
            },
            keys::{BUCKETS, Bucket},
        },
        waiters::Wake,
    },
};

/// Leaves the rest of a second to HTTP.
const RESPONSE_TIMEOUT: Duration = Duration::from_millis(800);
/// Well below `RESPONSE_TIMEOUT`: a call that was sent later would time out before its response arrives, and would delay those
/// behind it until none was in time.
const QUEUE_TIMEOUT: Duration = Duration::from_millis(300);
const HEALTH_CHECK_INTERVAL: Duration = Duration::from_millis(250);
/// The least time between two checks, when failures request them.
const HEALTH_CHECK_PAUSE: Duration = Duration::from_millis(50);

const NOT_DONE: Refusal = Refusal::EngineUnavailable { perhaps_done: false };
const PERHAPS_DONE: Refusal = Refusal::EngineUnavailable { perhaps_done: true };

#[derive(Debug)]
pub struct Router {
    address: Address,
    context: NodeContext,
    routes: ArcSwap<Routes>,
    /// `routes` was replaced.
    changed: Notify,
    /// A server has said that a bucket is elsewhere.
    moved: AtomicBool,
    /// A response was lost, and with it perhaps wake-ups.
    lost: AtomicBool,
}

#[derive(Debug)]
struct Routes {
    servers: Vec<Arc<Server>>,
    by_bucket: Vec<Option<Route>>,
}

#[derive(Clone, Debug)]
struct Route {
    server: Arc<Server>,
    /// The incarnation of this server's data, followed by those of all servers.
    incarnations: Arc<str>,
}

impl Routes {
    fn new(servers: Vec<Arc<Server>>) -> Self {
        let mut by_bucket = vec![None; BUCKETS];
        for server in &servers {
            let all = std::iter::once(server).chain(&servers).map(|server| server.incarnation.as_str());
            let route = Route { server: server.clone(), incarnations: all.collect::<String>().into() };
            for bucket in &server.buckets {
                by_bucket[bucket.index()] = Some(route.clone());
            }
        }
        Self { servers, by_bucket }
    }

    fn is_complete(&self) -> bool {
        self.by_bucket.iter().all(Option::is_some)
    }
}

impl Router {
    pub async fn connect(address: Address, context: NodeContext) -> Result<Arc<Self>, String> {
        let router = Self {
            address,
            context,
            routes: ArcSwap::from_pointee(Routes::new(Vec::new())),
            changed: Notify::new(),
            moved: AtomicBool::new(false),
            lost: AtomicBool::new(false),
        };
        let (servers, failures) = router.find_servers(&[]).await;
        if !failures.is_empty() {
            return Err(failures.join("; "));
        }
        router.routes.store(Arc::new(Routes::new(servers)));
        Ok(Arc::new(router))
    }

    /// Whether any server is connected: with a part of a cluster lost, the rooms of the others continue.
    pub fn is_up(&self) -> bool {
        !self.routes.load().servers.is_empty()
    }

    /// What is left at the server of this bucket, of which a call will take about so much.
    pub fn take(&self, bucket: Bucket, bytes: usize) -> Left {
        let routes = self.routes.load();
        let Some(Route { server, .. }) = &routes.by_bucket[bucket.index()] else { return Left::default() };
        let left = server.capacity.left();
        server.capacity.take(bytes as u64);
        left
    }

    /// Bytes that are left at all servers together.
    pub fn left(&self) -> u64 {
        self.routes.load().servers.iter().map(|server| server.capacity.left().bytes).sum()
    }

    /// Calls a script, whose last argument, the incarnations, is added here.
    pub async fn call(&self, bucket: Bucket, cmd: &Cmd) -> Result<Value, Refusal> {
        let sent = AtomicBool::new(false);
        timeout(RESPONSE_TIMEOUT, self.call_with_retries(bucket, cmd, &sent)).await.unwrap_or_else(|_| {
            let perhaps_done = sent.into_inner();
            if perhaps_done {
                self.lost.store(true, Relaxed);
                self.context.check.notify_one();
            }
            Err(Refusal::EngineUnavailable { perhaps_done })
        })
    }

    /// Retries only when it is certain that nothing was done.
    async fn call_with_retries(&self, bucket: Bucket, cmd: &Cmd, sent: &AtomicBool) -> Result<Value, Refusal> {
        loop {
            let changed = self.changed.notified();
            let route = self.routes.load().by_bucket[bucket.index()].clone();
            let Some(Route { server, incarnations }) = route else { return Err(NOT_DONE) };
            let Ok(Ok(permit)) = timeout(QUEUE_TIMEOUT, server.in_flight.acquire()).await else { return Err(NOT_DONE) };
            let loads = server.loads();
            let mut cmd = cmd.clone();
            cmd.arg(&*incarnations);
            sent.store(true, Relaxed);
            let outcome = server.data.clone().send_packed_command(&cmd).await;
            drop(permit);
            let error = match outcome.and_then(Value::extract_error) {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            if error.is_connection_dropped() {
                server.in_flight.close();
            }
            match Failure::of(&error) {
                Failure::ScriptMissing => {
                    sent.store(false, Relaxed);
                    if !matches!(tokio::spawn(server.reload_scripts(loads)).await, Ok(Ok(()))) {
                        return Err(NOT_DONE);
                    }
                }
                Failure::BucketMoved => {
                    sent.store(false, Relaxed);
                    self.moved.store(true, Relaxed);
                    self.context.check.notify_one();
                    changed.await;
                }
                Failure::OutOfMemory => return Err(Refusal::MemoryExhausted),
                Failure::ScriptError => {
                    tracing::error!(%error, "a script failed in Redis");
                    return Err(PERHAPS_DONE);
                }
                failure => {
                    self.lost.fetch_or(failure == Failure::Lost, Relaxed);
                    self.context.check.notify_one();
                    return Err(if failure == Failure::NotDone { NOT_DONE } else { PERHAPS_DONE });
                }
            }
        }
    }

    /// Checks the servers and reconnects, until it is dropped. After a loss, every poll reads again.
    pub async fn supervise(&self) {
        let mut was_complete = true;
        loop {
            let _ = timeout(HEALTH_CHECK_INTERVAL, self.context.check.notified()).await;
            let routes = self.routes.load_full();
            let healthy = join_all(routes.servers.iter().map(|server| server.is_healthy(&self.context.keys))).await;
            let moved = self.moved.swap(false, Relaxed);
            if healthy.iter().all(|healthy| *healthy) && routes.is_complete() && !moved {
                if self.lost.swap(false, Relaxed) {
                    self.context.waiters.wake_all(Wake::Reconnected);
                }
            } else {
                let mut kept = Vec::new();
                for (server, healthy) in routes.servers.iter().zip(healthy) {
                    if healthy {
                        kept.push(server.clone());
                    } else {
                        server.in_flight.close();
                    }
                }
                drop(routes);
                was_complete = self.reconnect(kept, was_complete && !moved).await;
            }
            tokio::time::sleep(HEALTH_CHECK_PAUSE).await;
        }
    }

    /// Continues with the healthy servers and connects to the others. Returns whether every bucket has a server.
    async fn reconnect(&self, kept: Vec<Arc<Server>>, was_complete: bool) -> bool {
        self.routes.store(Arc::new(Routes::new(kept.clone())));
        let (servers, failures) = self.find_servers(&kept).await;
        let routes = Routes::new(servers);
        let is_complete = routes.is_complete();
        match (was_complete, is_complete) {
            (true, false) => tracing::warn!(why = failures.first().map(String::as_str), "Redis is lost"),
            (false, true) => tracing::info!("Redis is there"),
            _ => {}
        }
        let has_new = routes.servers.len() > kept.len();
        self.routes.store(Arc::new(routes));
        self.changed.notify_waiters();
        // While Redis cannot be reached, polls stay parked.
        if has_new {
            self.lost.store(false, Relaxed);
            self.context.waiters.wake_all(Wake::Reconnected);
        }
        is_complete
    }

    /// All servers that can be used now, with those of `kept` unchanged, and why others cannot.
    async fn find_servers(&self, kept: &[Arc<Server>]) -> (Vec<Arc<Server>>, Vec<String>) {
        let assignments = match find_servers(&self.address, kept.iter().map(|server| server.host.clone())).await {
            Ok(assignments) => assignments,
            Err(why) => return (kept.to_vec(), vec![why]),
        };
        let servers = assignments.into_iter().map(async |assignment| {
            let known = kept.iter().find(|server| (&server.host, &server.buckets) == (&assignment.0, &assignment.1));
            match known {
                Some(server) => Ok(server.clone()),
                None => Server::connect(&self.address, assignment, &self.context).await.map(Arc::new),
            }
        });
        let (mut found, mut failures) = (Vec::new(), Vec::new());
        for server in join_all(servers).await {
            match server {
                Ok(server) => found.push(server),
                Err(why) => failures.push(why),
            }
        }
        (found, failures)
    }
}

/// What an error means for the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Failure {
    ScriptMissing,
    BucketMoved,
    OutOfMemory,
    /// Redis cannot do it now, and has done nothing.
    NotDone,
    /// Our user has lost a permission, perhaps after the script has written something. The health check reports it, once.
    Forbidden,
    /// The response was lost.
    Lost,
    ScriptError,
}

impl Failure {
    fn of(error: &RedisError) -> Self {
        match (error.kind(), error.code().unwrap_or_default()) {
            (ErrorKind::Server(ServerErrorKind::NoScript), _) => Failure::ScriptMissing,
            (ErrorKind::Server(ServerErrorKind::Moved), _) => Failure::BucketMoved,
            (_, "OOM") => Failure::OutOfMemory,
            _ if permissions::is_forbidden(error) => Failure::Forbidden,
            (
                _,
                "ASK" | "TRYAGAIN" | "CLUSTERDOWN" | "LOADING" | "MASTERDOWN" | "READONLY" | "BUSY" | "MISCONF"
                | "NOREPLICAS" | "NOAUTH",
            ) => Failure::NotDone,
            // A script in a slot that is moving, before it has written anything.
            (_, "ERR") if error.detail().is_some_and(|detail| detail.contains("non local key")) => Failure::NotDone,
            (ErrorKind::Server(_) | ErrorKind::Extension | ErrorKind::Parse, _) => Failure::ScriptError,
            _ => Failure::Lost,
        }
    }
}

//! The way to Redis: which server to ask, what its failures mean, and how it is found again after it was lost.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use arc_swap::ArcSwap;
use futures_util::future::join_all;
use redis::{Cmd, RedisError, ServerErrorKind, Value};
use tokio::{sync::Notify, time::timeout};

use crate::engine::{
    redis::{
        connection::Ears,
        discovery::find_servers,
        keys::{BUCKETS, Bucket},
        node::Server,
        rights,
        url::Address,
    },
    waiters::Wake,
};

/// Redis answers within this, or the caller is told that it did not: an answer by HTTP within a second leaves some for
/// the rest.
const ANSWER_LIMIT: Duration = Duration::from_millis(800);
/// Who has not had its turn after this is not sent any more: it would be given up before it is answered, and those behind it,
/// too, so that nobody were answered in time.
const TURN_LIMIT: Duration = Duration::from_millis(300);
/// Between two looks at whether all servers are well.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// After each look, so that failures in a row do not make it look without end.
const LOOK_PAUSE: Duration = Duration::from_millis(50);

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// It may have been done, if it was sent.
    Unreachable { perhaps_done: bool },
    /// Redis has as much as it may have; nothing was done.
    OutOfMemory,
}

#[derive(Debug)]
pub struct Link {
    address: Address,
    ears: Ears,
    routes: ArcSwap<Routes>,
    /// Other routes are there.
    changed: Notify,
    /// A bucket is not where it was.
    moved: AtomicBool,
    /// An answer did not come, and with it perhaps the word whom to wake.
    lost: AtomicBool,
}

#[derive(Debug)]
struct Routes {
    servers: Vec<Arc<Server>>,
    /// By bucket.
    of: Vec<Option<Route>>,
}

#[derive(Clone, Debug)]
struct Route {
    server: Arc<Server>,
    /// By what names the life of its server's data is known, and then those of all servers.
    lives: Arc<str>,
}

impl Routes {
    fn new(servers: Vec<Arc<Server>>) -> Self {
        let mut of = vec![None; BUCKETS];
        for server in &servers {
            let all = std::iter::once(server).chain(&servers).map(|server| server.life.as_str());
            let route = Route { server: server.clone(), lives: all.collect::<String>().into() };
            for bucket in &server.buckets {
                of[bucket.index()] = Some(route.clone());
            }
        }
        Self { servers, of }
    }

    fn is_whole(&self) -> bool {
        self.of.iter().all(Option::is_some)
    }
}

impl Link {
    /// Connects for the first time. An error says what is wrong.
    pub async fn connect(address: Address, ears: Ears) -> Result<Arc<Self>, String> {
        let link = Self {
            address,
            ears,
            routes: ArcSwap::from_pointee(Routes::new(Vec::new())),
            changed: Notify::new(),
            moved: AtomicBool::new(false),
            lost: AtomicBool::new(false),
        };
        let servers = link.find(&[]).await?;
        let failures: Vec<String> = servers.iter().filter_map(|server| server.as_ref().err().cloned()).collect();
        if !failures.is_empty() {
            return Err(failures.join("; "));
        }
        link.routes.store(Arc::new(Routes::new(servers.into_iter().flatten().collect())));
        Ok(Arc::new(link))
    }

    /// Whether some server is well: with a part of a cluster gone, the rooms of the others go on.
    pub fn is_up(&self) -> bool {
        !self.routes.load().servers.is_empty()
    }

    /// Calls a script. The last of its arguments is added here: whose data it is asked about.
    pub async fn ask(&self, bucket: Bucket, cmd: &Cmd) -> Result<Value, Trouble> {
        let on_its_way = AtomicBool::new(false);
        timeout(ANSWER_LIMIT, self.ask_for_long(bucket, cmd, &on_its_way)).await.unwrap_or_else(|_| {
            let perhaps_done = on_its_way.into_inner();
            if perhaps_done {
                self.lost.store(true, Relaxed);
                self.ears.look.notify_one();
            }
            Err(Trouble::Unreachable { perhaps_done })
        })
    }

    /// Goes on while it is certain that nothing was done.
    async fn ask_for_long(&self, bucket: Bucket, cmd: &Cmd, on_its_way: &AtomicBool) -> Result<Value, Trouble> {
        loop {
            let changed = self.changed.notified();
            let route = self.routes.load().of[bucket.index()].clone();
            let Some(Route { server, lives }) = route else {
                return Err(Trouble::Unreachable { perhaps_done: false });
            };
            let Ok(Ok(turn)) = timeout(TURN_LIMIT, server.turns.acquire()).await else {
                return Err(Trouble::Unreachable { perhaps_done: false });
            };
            let given = server.given();
            let mut cmd = cmd.clone();
            cmd.arg(&*lives);
            on_its_way.store(true, Relaxed);
            let outcome = server.data.clone().send_packed_command(&cmd).await;
            drop(turn);
            let error = match outcome.and_then(Value::extract_error) {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            if error.is_connection_dropped() {
                server.turns.close();
            }
            let failure = Failure::of(&error);
            if matches!(failure, Failure::Forgotten | Failure::Moved) {
                on_its_way.store(false, Relaxed);
            }
            match failure {
                Failure::Forgotten => match tokio::spawn(server.give_again(given)).await {
                    Ok(Ok(())) => continue,
                    _ => return Err(Trouble::Unreachable { perhaps_done: false }),
                },
                Failure::Moved => {
                    self.moved.store(true, Relaxed);
                    self.ears.look.notify_one();
                    changed.await;
                }
                Failure::Full => return Err(Trouble::OutOfMemory),
                Failure::Refused => {
                    self.ears.look.notify_one();
                    return Err(Trouble::Unreachable { perhaps_done: false });
                }
                Failure::Lost => {
                    self.lost.store(true, Relaxed);
                    self.ears.look.notify_one();
                    return Err(Trouble::Unreachable { perhaps_done: true });
                }
                Failure::Forbidden => {
                    self.ears.look.notify_one();
                    return Err(Trouble::Unreachable { perhaps_done: true });
                }
                Failure::Odd => {
                    tracing::error!(%error, "Redis does not understand a script");
                    return Err(Trouble::Unreachable { perhaps_done: true });
                }
            }
        }
    }

    /// Looks after the connections for as long as it is polled. After anything was lost, every poll looks again.
    pub async fn keep(&self) {
        let mut was_whole = true;
        loop {
            let _ = timeout(LOOK_EVERY, self.ears.look.notified()).await;
            let routes = self.routes.load_full();
            let well = join_all(routes.servers.iter().map(|server| server.is_well(&self.ears.keys))).await;
            let moved = self.moved.swap(false, Relaxed);
            if well.iter().all(|well| *well) && routes.is_whole() && !moved {
                if self.lost.swap(false, Relaxed) {
                    self.ears.places.wake_all(Wake::Lost);
                }
            } else {
                let (kept, lost): (Vec<_>, Vec<_>) =
                    routes.servers.iter().cloned().zip(well).partition(|(_, well)| *well);
                lost.iter().for_each(|(server, _)| server.turns.close());
                let kept: Vec<_> = kept.into_iter().map(|(server, _)| server).collect();
                drop(routes);
                was_whole = self.mend(kept, was_whole && !moved).await;
            }
            tokio::time::sleep(LOOK_PAUSE).await;
        }
    }

    /// Goes on with what is well, and looks for the rest. Says whether all is there.
    async fn mend(&self, kept: Vec<Arc<Server>>, was_whole: bool) -> bool {
        self.routes.store(Arc::new(Routes::new(kept.clone())));
        let found = self.find(&kept).await;
        let why = match &found {
            Ok(servers) => servers.iter().find_map(|server| server.as_ref().err().cloned()),
            Err(why) => Some(why.clone()),
        };
        let well = kept.len();
        let servers = found.map(|servers| servers.into_iter().flatten().collect()).unwrap_or(kept);
        let routes = Routes::new(servers);
        let whole = routes.is_whole();
        match (was_whole, whole) {
            (true, false) => tracing::warn!(why = why.unwrap_or_default(), "Redis is lost"),
            (false, true) => tracing::info!("Redis is there"),
            _ => {}
        }
        let is_better = routes.servers.len() > well;
        self.routes.store(Arc::new(routes));
        self.changed.notify_waiters();
        // As long as Redis cannot be reached, polls just wait.
        if is_better {
            self.lost.store(false, Relaxed);
            self.ears.places.wake_all(Wake::Lost);
        }
        whole
    }

    /// All servers that there are now, those that are known to be well as they are.
    async fn find(&self, kept: &[Arc<Server>]) -> Result<Vec<Result<Arc<Server>, String>>, String> {
        let shares = find_servers(&self.address, kept.iter().map(|server| server.host.clone())).await?;
        let servers = shares.into_iter().map(async |share| {
            let known = kept.iter().find(|server| (&server.host, &server.buckets) == (&share.0, &share.1));
            match known {
                Some(server) => Ok(server.clone()),
                None => Server::connect(&self.address, share, &self.ears).await.map(Arc::new),
            }
        });
        Ok(join_all(servers).await)
    }
}

/// What an error means for what was asked.
enum Failure {
    /// The script is not known there.
    Forgotten,
    /// Another server has the bucket.
    Moved,
    /// There is no memory for it.
    Full,
    /// Redis cannot now, and has done nothing.
    Refused,
    /// Our user may not do all of it any more. What it takes is looked at once, so this is not said for each call.
    Forbidden,
    /// Nobody knows.
    Lost,
    /// A script failed.
    Odd,
}

impl Failure {
    fn of(error: &RedisError) -> Self {
        use redis::ErrorKind;
        match (error.kind(), error.code().unwrap_or_default()) {
            (ErrorKind::Server(ServerErrorKind::NoScript), _) => Failure::Forgotten,
            (ErrorKind::Server(ServerErrorKind::Moved), _) => Failure::Moved,
            (_, "OOM") => Failure::Full,
            _ if rights::is_forbidden(error) => Failure::Forbidden,
            (
                _,
                "ASK" | "TRYAGAIN" | "CLUSTERDOWN" | "LOADING" | "MASTERDOWN" | "READONLY" | "BUSY" | "MISCONF"
                | "NOREPLICAS" | "NOAUTH",
            ) => Failure::Refused,
            // What a script meets in a slot that is moving, before it has written anything.
            (_, "ERR") if error.detail().is_some_and(|detail| detail.contains("non local key")) => Failure::Refused,
            (ErrorKind::Server(_) | ErrorKind::Extension | ErrorKind::Parse, _) => Failure::Odd,
            _ => Failure::Lost,
        }
    }
}

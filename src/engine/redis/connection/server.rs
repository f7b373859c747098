//! A connected Redis server: its scripts, its subscriptions, its health.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use futures_util::future::join_all;
use redis::{
    Cmd, ErrorKind, ProtocolVersion, RedisError, RedisResult, ServerErrorKind, Value, aio::MultiplexedConnection,
};
use tokio::{
    sync::{Mutex, Semaphore},
    time::timeout,
};

use crate::engine::redis::{
    connection::{
        address::{Address, Host},
        capacity::Capacity,
        discovery::Assignment,
        permissions::{self, MissingPermissions},
        server_info::{MemoryInfo, ServerInfo},
        session::{NodeContext, open, query},
    },
    keys::{self, Bucket, Keys},
    scripts::Script,
};

const HEALTH_CHECK_TIMEOUT: Duration = Duration::from_secs(1);

/// Calls in flight to one server: ten milliseconds' work, so that dozens of nodes may do the same before responses are late. Further
/// calls queue here: one that times out in the queue has not been sent, and health checks do not wait behind it.
const MAX_IN_FLIGHT: usize = 256;

#[derive(Debug)]
pub struct Server {
    pub host: Host,
    pub buckets: Vec<Bucket>,
    pub data: MultiplexedConnection,
    /// The incarnation of its data, under the two names by which nodes may know it, of eight characters each. It changes
    /// when data that Redis had acknowledged may be lost: see `scripts/shared/prelude.lua`.
    pub incarnation: String,
    /// Permits for calls in flight. Closed when the connection is lost.
    pub in_flight: Semaphore,
    pub capacity: Capacity,
    /// How often the scripts were loaded, and the lock of the task that loads them.
    loads: AtomicUsize,
    loading: Mutex<()>,
    /// Separate from `data`: Redis disconnects subscribers that do not keep up.
    push: MultiplexedConnection,
    permissions_query: Cmd,
}

impl Server {
    pub async fn connect(
        address: &Address,
        (host, buckets): Assignment,
        context: &NodeContext,
    ) -> Result<Self, String> {
        let failed = |error: RedisError| format!("{host}: {}", address.explain(&error));
        let client = |protocol| address.client(&host, protocol).map_err(|why| format!("{host}: {why}"));
        let data = open(client(ProtocolVersion::RESP2)?, None).await.map_err(failed)?;
        let info = ServerInfo::query(&data).await.map_err(failed)?;
        info.check().map_err(|why| format!("{host}: {why}"))?;
        let incarnation = info.incarnation(&data).await.map_err(failed)?;
        load_scripts(&data, &[Script::Permissions]).await.map_err(failed)?;
        let bucket = buckets.first().copied().unwrap_or_default();
        let permissions_query = permissions::query(&context.keys, bucket, &context.node);
        let tried: Vec<String> = query(&data, &permissions_query).await.map_err(failed)?;
        let missing = MissingPermissions::of(&tried, &keys::prefix(&address.prefix));
        if !missing.is_empty() {
            return Err(format!("{host}: {}", missing.explain(address.user())));
        }
        load_scripts(&data, Script::ALL).await.map_err(failed)?;
        let push = open(client(ProtocolVersion::RESP3)?, Some(context.clone())).await.map_err(failed)?;
        let capacity = Capacity::default();
        capacity.update(&info.memory, &host);
        let (in_flight, loads, loading) = (Semaphore::new(MAX_IN_FLIGHT), AtomicUsize::new(1), Mutex::default());
        let host = host.clone();
        let server =
            Self { host, buckets, data, incarnation, in_flight, capacity, loads, loading, push, permissions_query };
        server.subscribe(context).await.map_err(failed)?;
        Ok(server)
    }

    async fn subscribe(&self, context: &NodeContext) -> RedisResult<()> {
        let all = self.buckets.iter().map(async |bucket| {
            let channel = context.keys.channel(*bucket, &context.node);
            query::<Value>(&self.push, redis::cmd("SSUBSCRIBE").arg(channel)).await
        });
        join_all(all).await.into_iter().try_for_each(|outcome| outcome.map(drop))
    }

    pub fn loads(&self) -> usize {
        self.loads.load(Relaxed)
    }

    /// Loads the scripts again, unless another call did so since `loads` was read. Must be spawned: the caller may give up
    /// before all are loaded.
    pub async fn reload_scripts(self: Arc<Self>, loads: usize) -> RedisResult<()> {
        let _loading = self.loading.lock().await;
        if self.loads() == loads {
            load_scripts(&self.data, Script::ALL).await?;
            self.loads.fetch_add(1, Relaxed);
        }
        Ok(())
    }

    /// Whether it responds, still has its buckets, permits all that we do, evicts no rooms, and can push.
    pub async fn is_healthy(&self, keys: &Keys) -> bool {
        if self.in_flight.is_closed() {
            return false;
        }
        let Some(bucket) = self.buckets.first() else { return true };
        let (mut exists, ping) = (redis::cmd("EXISTS"), redis::cmd("PING"));
        exists.arg(keys.deadlines(*bucket));
        let all = async {
            tokio::join!(
                query::<Value>(&self.data, &exists),
                query::<Vec<String>>(&self.data, &self.permissions_query),
                query::<Value>(&self.push, &ping),
                MemoryInfo::query(&self.data)
            )
        };
        timeout(HEALTH_CHECK_TIMEOUT, all).await.is_ok_and(|(exists, permissions, ping, memory)| {
            let is_permitted = match permissions {
                Ok(tried) => MissingPermissions::of(&tried, "").is_empty(),
                // The next call reloads all scripts.
                Err(error) => error.kind() == ErrorKind::Server(ServerErrorKind::NoScript),
            };
            let keeps_rooms = memory.is_ok_and(|memory| {
                self.capacity.update(&memory, &self.host);
                memory.check_policy().is_ok()
            });
            exists.is_ok() && is_permitted && ping.is_ok() && keeps_rooms
        })
    }
}

/// Redis loses its scripts when it restarts.
async fn load_scripts(connection: &MultiplexedConnection, scripts: &[Script]) -> RedisResult<()> {
    let all = scripts
        .iter()
        .map(async |script| query::<Value>(connection, redis::cmd("SCRIPT").arg("LOAD").arg(script.text())).await);
    join_all(all).await.into_iter().try_for_each(|outcome| outcome.map(drop))
}

//! One Redis server: finding it, connecting to it, asking it whether it is well.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use futures_util::future::join_all;
use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionInfo, ProtocolVersion, PushInfo, PushKind, RedisResult, Value,
    aio::MultiplexedConnection,
};
use tokio::{
    sync::{Mutex, Notify, Semaphore},
    time::timeout,
};

use super::{
    address::{Address, Host},
    keys::{Bucket, Keys},
    places::Places,
    reply::ids_in,
    scripts::Script,
};

/// A connection must be there within this.
const CONNECT_LIMIT: Duration = Duration::from_secs(1);
/// A server that is well says so within this.
const PING_LIMIT: Duration = Duration::from_secs(1);
/// What a connection waits for an answer, in case nobody else has given up before.
const ANSWER_LIMIT: Duration = Duration::from_secs(1);

/// So many calls are on their way to a server at a time, ten milliseconds' worth; dozens of nodes may do the same before answers
/// come too late. Others wait here: whoever has to wait for too long knows that nothing was sent, and the question whether the
/// server is well is not behind them.
const CALLS_AT_ONCE: usize = 256;

/// The oldest that has sharded channels and scripts with flags.
const OLDEST_MAJOR: u32 = 7;

/// Which server has which buckets.
pub type Share = (Host, Vec<Bucket>);

#[derive(Debug)]
pub struct Server {
    pub host: Host,
    pub buckets: Vec<Bucket>,
    pub data: MultiplexedConnection,
    /// Which of the lives of its data this is, and by what other names nodes may know it, of eight characters each. It is
    /// another one when what Redis had acknowledged may be gone: see `scripts/prelude.lua`.
    pub life: String,
    /// Of calls on their way. There are none any more when the connection is lost.
    pub turns: Semaphore,
    /// How often it was given the scripts, and who does that now.
    given: AtomicUsize,
    giving: Mutex<()>,
    /// Of its own: Redis cuts off subscribers that do not keep up.
    push: MultiplexedConnection,
}

/// What a server needs to tell others of.
#[derive(Clone, Debug)]
pub struct Ears {
    pub keys: Arc<Keys>,
    pub node: String,
    pub places: Arc<Places>,
    /// Something is wrong with a connection.
    pub look: Arc<Notify>,
}

impl Server {
    pub async fn connect(address: &Address, (host, buckets): Share, ears: &Ears) -> Result<Self, String> {
        let failed = |error: redis::RedisError| format!("{host}: {error}");
        let info = |protocol| address.connection(&host, protocol);
        let data = open(info(ProtocolVersion::RESP2).map_err(failed)?, None).await.map_err(failed)?;
        let about = About::ask(&data).await.map_err(failed)?;
        about.check().map_err(|why| format!("{host}: {why}"))?;
        let life = about.life(&data).await.map_err(failed)?;
        load_scripts(&data).await.map_err(failed)?;
        let push = open(info(ProtocolVersion::RESP3).map_err(failed)?, Some(ears.clone())).await.map_err(failed)?;
        let (turns, given, giving) = (Semaphore::new(CALLS_AT_ONCE), AtomicUsize::new(1), Mutex::default());
        let server = Self { host: host.clone(), buckets, data, life, turns, given, giving, push };
        server.subscribe(ears).await.map_err(failed)?;
        Ok(server)
    }

    async fn subscribe(&self, ears: &Ears) -> RedisResult<()> {
        let all = self.buckets.iter().map(|bucket| {
            let mut push = self.push.clone();
            let mut cmd = redis::cmd("SSUBSCRIBE");
            cmd.arg(ears.keys.channel(*bucket, &ears.node));
            async move { push.send_packed_command(&cmd).await }
        });
        join_all(all).await.into_iter().try_for_each(|outcome| outcome.and_then(Value::extract_error).map(drop))
    }

    /// How often it was given the scripts.
    pub fn given(&self) -> usize {
        self.given.load(Relaxed)
    }

    /// Gives it the scripts that it had forgotten when they had been given so often, unless somebody else did so meanwhile. To be
    /// spawned: whoever waits for it may give up before all are there.
    pub async fn give_again(self: Arc<Self>, given: usize) -> RedisResult<()> {
        let _giving = self.giving.lock().await;
        if self.given() == given {
            load_scripts(&self.data).await?;
            self.given.fetch_add(1, Relaxed);
        }
        Ok(())
    }

    /// Whether it answers, still has its buckets, and can still tell us of mailboxes.
    pub async fn is_well(&self, keys: &Keys) -> bool {
        if self.turns.is_closed() {
            return false;
        }
        let Some(bucket) = self.buckets.first() else { return true };
        let mut looking = redis::cmd("EXISTS");
        looking.arg(keys.deadlines(*bucket));
        let ping = redis::cmd("PING");
        let (mut data, mut push) = (self.data.clone(), self.push.clone());
        let both = async { tokio::join!(data.send_packed_command(&looking), push.send_packed_command(&ping)) };
        let well = |outcome: RedisResult<Value>| outcome.and_then(Value::extract_error).is_ok();
        timeout(PING_LIMIT, both).await.is_ok_and(|(data, push)| well(data) && well(push))
    }
}

/// Redis forgets scripts when it starts.
async fn load_scripts(connection: &MultiplexedConnection) -> RedisResult<()> {
    let all = Script::ALL.map(async |script| {
        let mut cmd = redis::cmd("SCRIPT");
        cmd.arg("LOAD").arg(script.text());
        ask(connection, &cmd).await
    });
    join_all(all).await.into_iter().try_for_each(|outcome| outcome.map(drop))
}

async fn ask(connection: &MultiplexedConnection, cmd: &Cmd) -> RedisResult<Value> {
    connection.clone().send_packed_command(cmd).await?.extract_error()
}

async fn open(info: ConnectionInfo, ears: Option<Ears>) -> RedisResult<MultiplexedConnection> {
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(CONNECT_LIMIT))
        .set_response_timeout(Some(ANSWER_LIMIT));
    let config = match ears {
        Some(ears) => config.set_push_sender(move |push: PushInfo| {
            hear(&ears, push);
            Ok::<(), redis::aio::SendError>(())
        }),
        None => config,
    };
    Client::open(info)?.get_multiplexed_async_connection_with_config(&config).await
}

fn hear(ears: &Ears, push: PushInfo) {
    match push.kind {
        PushKind::SMessage => {
            if let Some(Value::BulkString(ids)) = push.data.get(1) {
                ears.places.wake(ids_in(ids), None);
            }
        }
        // A bucket has gone to another server of the cluster, or the connection is gone.
        PushKind::SUnsubscribe | PushKind::Disconnection => ears.look.notify_one(),
        _ => {}
    }
}

/// Which servers there are now. Of a cluster, those that are known to be well are asked first: others may have gone since the
/// address was written.
pub async fn find_servers(address: &Address, known: impl Iterator<Item = Host>) -> Result<Vec<Share>, String> {
    let mut failures = Vec::new();
    let known = known.filter(|_| address.master.is_none());
    for host in &known.chain(address.hosts.iter().cloned()).collect::<Vec<_>>() {
        let found = match &address.master {
            Some(master) => ask_sentinel(address, host, master).await,
            None => ask_server(address, host).await,
        };
        match found {
            Ok(shares) => return Ok(shares),
            Err(why) => failures.push(format!("{host}: {why}")),
        }
    }
    Err(failures.join("; "))
}

async fn ask_server(address: &Address, host: &Host) -> Result<Vec<Share>, String> {
    let failed = |error: redis::RedisError| error.to_string();
    let info = address.connection(host, ProtocolVersion::RESP2).map_err(failed)?;
    let connection = open(info, None).await.map_err(failed)?;
    let about = About::ask(&connection).await.map_err(failed)?;
    match about.mode.as_str() {
        "cluster" => {
            let mut cmd = redis::cmd("CLUSTER");
            cmd.arg("SLOTS");
            shares_of_cluster(ask(&connection, &cmd).await.map_err(failed)?, host)
                .ok_or_else(|| "it does not know its cluster".into())
        }
        "sentinel" => Err("this is a Sentinel: use redis-sentinel://host:port/NAME-OF-THE-MASTER".into()),
        _ => about.check().map(|()| vec![(host.clone(), Bucket::all().collect())]),
    }
}

async fn ask_sentinel(address: &Address, host: &Host, master: &str) -> Result<Vec<Share>, String> {
    let failed = |error: redis::RedisError| error.to_string();
    let connection = open(address.sentinel_connection(host).map_err(failed)?, None).await.map_err(failed)?;
    let mut cmd = redis::cmd("SENTINEL");
    cmd.arg("GET-MASTER-ADDR-BY-NAME").arg(master);
    match ask(&connection, &cmd).await.map_err(failed)? {
        Value::Array(place) => {
            let name = place.first().and_then(text_of).ok_or("it does not say where the master is")?;
            let port = place.get(1).and_then(text_of).and_then(|port| port.parse().ok());
            let host = Host { name, port: port.ok_or("it does not say where the master is")? };
            Ok(vec![(host, Bucket::all().collect())])
        }
        _ => Err(format!("it knows no master called {master}")),
    }
}

/// From `CLUSTER SLOTS`: ranges of slots, each with its master and then its replicas.
fn shares_of_cluster(answer: Value, asked: &Host) -> Option<Vec<Share>> {
    let Value::Array(ranges) = answer else { return None };
    let mut shares: Vec<Share> = Vec::new();
    for range in ranges {
        let Value::Array(range) = range else { return None };
        let [Value::Int(first), Value::Int(last), Value::Array(master), ..] = &range[..] else { return None };
        let name = master.first().and_then(text_of).filter(|name| !name.is_empty() && name != "?");
        let Value::Int(port) = master.get(1)? else { return None };
        let host = Host { name: name.unwrap_or_else(|| asked.name.clone()), port: u16::try_from(*port).ok()? };
        let within = Bucket::all().filter(|bucket| (*first..=*last).contains(&bucket.slot().into()));
        match shares.iter_mut().find(|(known, _)| *known == host) {
            Some((_, buckets)) => buckets.extend(within),
            None => shares.push((host, within.collect())),
        }
    }
    shares.iter_mut().for_each(|(_, buckets)| buckets.sort_unstable_by_key(|bucket| bucket.index()));
    shares.retain(|(_, buckets)| !buckets.is_empty());
    (!shares.is_empty()).then_some(shares)
}

fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::BulkString(bytes) => String::from_utf8(bytes.clone()).ok(),
        Value::SimpleString(text) => Some(text.clone()),
        _ => None,
    }
}

/// What a server says of itself.
struct About {
    version: String,
    mode: String,
    role: String,
    eviction: String,
    /// Another one after each start.
    run: String,
    /// Its log is on.
    logs: bool,
    /// It was a replica, and was promoted.
    promoted: bool,
}

/// Characters of a name of a life.
const LIFE: usize = 8;
/// What the life of the only server is called if nothing that it has acknowledged can be lost.
const LASTING: &str = "lasting.";

impl About {
    async fn ask(connection: &MultiplexedConnection) -> RedisResult<Self> {
        Ok(Self::read(&text_of(&ask(connection, &redis::cmd("INFO")).await?).unwrap_or_default()))
    }

    fn read(text: &str) -> Self {
        let find = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        let line = |name: &str| find(name).unwrap_or_default().trim().to_owned();
        Self {
            version: line("redis_version"),
            // As Valkey calls it.
            mode: line(if find("redis_mode").is_some() { "redis_mode" } else { "server_mode" }),
            role: line("role"),
            eviction: line("maxmemory_policy"),
            run: line("run_id"),
            logs: line("aof_enabled") == "1",
            promoted: line("master_replid2").contains(|digit| digit != '0'),
        }
    }

    /// A master that has its log on disk before it answers lives on after a crash; anybody else may have lost what came last,
    /// and has a new life with each start. Nodes may disagree on which it is, if that was changed while it ran, so both
    /// names are said. Whoever was promoted has not been the one that lived before.
    async fn life(&self, connection: &MultiplexedConnection) -> RedisResult<String> {
        let short = |name: &str| format!("{name:.LIFE$}");
        let run = short(&self.run);
        if self.promoted {
            return Ok(run);
        }
        let lasting = match self.mode.as_str() {
            "cluster" => {
                let mut cmd = redis::cmd("CLUSTER");
                cmd.arg("MYID");
                short(&text_of(&ask(connection, &cmd).await?).unwrap_or_default())
            }
            _ => LASTING.into(),
        };
        let mut cmd = redis::cmd("CONFIG");
        cmd.arg("GET").arg("appendfsync");
        let always = match ask(connection, &cmd).await {
            Ok(Value::Array(setting)) => setting.get(1).and_then(text_of).is_some_and(|how| how == "always"),
            // Nobody may ask: then it is not known.
            _ => false,
        };
        Ok(if always && self.logs { lasting + &run } else { run + &lasting })
    }

    fn check(&self) -> Result<(), String> {
        let major = self.version.split('.').next().and_then(|major| major.parse::<u32>().ok()).unwrap_or_default();
        if major < OLDEST_MAJOR {
            return Err(format!("this is version {}; it takes Redis {OLDEST_MAJOR} or Valkey", self.version));
        }
        if self.role != "master" {
            return Err(format!("it is a {}; rooms are kept by a master", self.role));
        }
        if self.eviction.starts_with("allkeys") {
            return Err(format!("its maxmemory-policy is {}, which drops rooms: set noeviction", self.eviction));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_says_that_it_is_one_be_it_of_redis_or_of_valkey() {
        for lines in
            ["redis_version:7.0.15\r\nredis_mode", "redis_version:7.2.4\r\nvalkey_version:9.1.2\r\nserver_mode"]
        {
            let about = About::read(&format!("# Server\r\n{lines}:cluster\r\nrole:master\r\n"));
            assert_eq!((about.mode.as_str(), about.check()), ("cluster", Ok(())), "{lines}");
        }
    }
}

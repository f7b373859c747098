//! One Redis server: finding it, connecting to it, asking it whether it is well.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use futures_util::future::join_all;
use redis::{Cmd, ErrorKind, ProtocolVersion, RedisResult, ServerErrorKind, Value, aio::MultiplexedConnection};
use tokio::{
    sync::{Mutex, Semaphore},
    time::timeout,
};

use crate::engine::redis::{
    connection::{Ears, ask, open},
    discovery::Share,
    keys::{self, Bucket, Keys},
    rights::{self, Rights},
    scripts::Script,
    server_info::About,
    url::{Address, Host},
};

/// A server that is well says so within this.
const PING_LIMIT: Duration = Duration::from_secs(1);

/// So many calls are on their way to a server at a time, ten milliseconds' worth; dozens of nodes may do the same before answers
/// come too late. Others wait here: whoever has to wait for too long knows that nothing was sent, and the question whether the
/// server is well is not behind them.
const CALLS_AT_ONCE: usize = 256;

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
    /// Asks what our user may not do.
    rights: Cmd,
}

impl Server {
    pub async fn connect(address: &Address, (host, buckets): Share, ears: &Ears) -> Result<Self, String> {
        let failed = |error: redis::RedisError| format!("{host}: {}", address.explain(&error));
        let client = |protocol| address.client(&host, protocol).map_err(|why| format!("{host}: {why}"));
        let data = open(client(ProtocolVersion::RESP2)?, None).await.map_err(failed)?;
        let about = About::ask(&data).await.map_err(failed)?;
        about.check().map_err(|why| format!("{host}: {why}"))?;
        let life = about.life(&data).await.map_err(failed)?;
        load_scripts(&data, &[Script::Rights]).await.map_err(failed)?;
        let bucket = buckets.first().copied().unwrap_or_default();
        let rights = rights::question(&ears.digests, &ears.keys, bucket, &ears.node);
        let missing = Rights::missing(&ask(&data, &rights).await.map_err(failed)?, &keys::prefix(&address.prefix));
        if !missing.is_complete() {
            return Err(format!("{host}: {}", missing.explain(address.user())));
        }
        load_scripts(&data, &Script::ALL).await.map_err(failed)?;
        let push = open(client(ProtocolVersion::RESP3)?, Some(ears.clone())).await.map_err(failed)?;
        let (turns, given, giving) = (Semaphore::new(CALLS_AT_ONCE), AtomicUsize::new(1), Mutex::default());
        let server = Self { host: host.clone(), buckets, data, life, turns, given, giving, push, rights };
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
            load_scripts(&self.data, &Script::ALL).await?;
            self.given.fetch_add(1, Relaxed);
        }
        Ok(())
    }

    /// Whether it answers, still has its buckets, lets us do what we must, and can still tell us of mailboxes.
    pub async fn is_well(&self, keys: &Keys) -> bool {
        if self.turns.is_closed() {
            return false;
        }
        let Some(bucket) = self.buckets.first() else { return true };
        let mut looking = redis::cmd("EXISTS");
        looking.arg(keys.deadlines(*bucket));
        let ping = redis::cmd("PING");
        let all =
            async { tokio::join!(ask(&self.data, &looking), ask(&self.data, &self.rights), ask(&self.push, &ping)) };
        timeout(PING_LIMIT, all).await.is_ok_and(|(data, rights, push)| {
            let may = match rights {
                Ok(answer) => Rights::missing(&answer, "").is_complete(),
                // Whoever calls another script next gives it all of them again.
                Err(error) => error.kind() == ErrorKind::Server(ServerErrorKind::NoScript),
            };
            data.is_ok() && may && push.is_ok()
        })
    }
}

/// Redis forgets scripts when it starts.
async fn load_scripts(connection: &MultiplexedConnection, scripts: &[Script]) -> RedisResult<()> {
    let all = scripts.iter().map(async |script| {
        let mut cmd = redis::cmd("SCRIPT");
        cmd.arg("LOAD").arg(script.text());
        ask(connection, &cmd).await
    });
    join_all(all).await.into_iter().try_for_each(|outcome| outcome.map(drop))
}

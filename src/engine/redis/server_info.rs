//! What a server says of itself: whether rooms can be kept there, and which of the lives of its data this is.

use redis::{RedisResult, Value, aio::MultiplexedConnection};

use crate::engine::redis::{connection::ask, decode::text_of};

/// The oldest that has sharded channels and scripts with flags.
const OLDEST_MAJOR: u32 = 7;

/// What a server says of itself.
pub struct About {
    version: String,
    pub mode: String,
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
    pub async fn ask(connection: &MultiplexedConnection) -> RedisResult<Self> {
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
    pub async fn life(&self, connection: &MultiplexedConnection) -> RedisResult<String> {
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

    pub fn check(&self) -> Result<(), String> {
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

//! What a server reports about itself: whether it can store rooms, and the incarnation of its data.

use redis::{RedisResult, aio::MultiplexedConnection};

use crate::engine::redis::connection::session::query;

/// The oldest version with sharded channels and script flags.
const OLDEST_MAJOR: u32 = 7;

pub struct ServerInfo {
    version: String,
    pub mode: String,
    role: String,
    pub memory: MemoryInfo,
    /// Changes with each start.
    run_id: String,
    has_log: bool,
    was_promoted: bool,
}

/// What a server reports about its memory, in bytes.
#[derive(Debug)]
pub struct MemoryInfo {
    pub used: u64,
    /// 0 if there is no limit.
    pub maxmemory: u64,
    /// Of the machine; 0 if unknown.
    pub machine: u64,
    pub eviction: String,
}

impl MemoryInfo {
    pub async fn query(connection: &MultiplexedConnection) -> RedisResult<Self> {
        query::<String>(connection, redis::cmd("INFO").arg("memory")).await.map(|text| Self::parse(&text))
    }

    fn parse(text: &str) -> Self {
        let number = |name: &str| field(text, name).and_then(|number| number.parse().ok()).unwrap_or_default();
        Self {
            // Redis compares what remains with `maxmemory`, too.
            used: u64::saturating_sub(number("used_memory"), number("mem_not_counted_for_evict")),
            maxmemory: number("maxmemory"),
            machine: number("total_system_memory"),
            eviction: field(text, "maxmemory_policy").unwrap_or_default().to_owned(),
        }
    }

    /// Nothing that a room needs may be evicted.
    pub fn check_policy(&self) -> Result<(), String> {
        if self.eviction.starts_with("allkeys") {
            return Err(format!("its maxmemory-policy is {}, which deletes rooms: set noeviction", self.eviction));
        }
        Ok(())
    }
}

fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
}

/// Characters of each name of an incarnation.
const NAME_LEN: usize = 8;
/// Names the incarnation of a single server that never loses what it has acknowledged.
const LASTING: &str = "lasting.";

impl ServerInfo {
    pub async fn query(connection: &MultiplexedConnection) -> RedisResult<Self> {
        query::<String>(connection, &redis::cmd("INFO")).await.map(|text| Self::parse(&text))
    }

    fn parse(text: &str) -> Self {
        let line = |name: &str| field(text, name).unwrap_or_default().to_owned();
        Self {
            version: line("redis_version"),
            // Valkey has `server_mode`.
            mode: line(if field(text, "redis_mode").is_some() { "redis_mode" } else { "server_mode" }),
            role: line("role"),
            memory: MemoryInfo::parse(text),
            run_id: line("run_id"),
            has_log: line("aof_enabled") == "1",
            was_promoted: line("master_replid2").contains(|digit| digit != '0'),
        }
    }

    /// A master that syncs its log before it responds keeps its data over a crash. Any other may lose the latest writes, so each
    /// start is a new incarnation, and so is each promotion. Nodes may disagree on which applies if the setting is changed at
    /// run time, so the result has both names, the one that applies first.
    pub async fn incarnation(&self, connection: &MultiplexedConnection) -> RedisResult<String> {
        let short = |name: &str| format!("{name:.NAME_LEN$}");
        let run = short(&self.run_id);
        if self.was_promoted {
            return Ok(run);
        }
        let lasting = match self.mode.as_str() {
            "cluster" => short(&query::<String>(connection, redis::cmd("CLUSTER").arg("MYID")).await?),
            _ => LASTING.into(),
        };
        // Without the permission to ask, the setting counts as off.
        let setting = query::<Vec<String>>(connection, redis::cmd("CONFIG").arg("GET").arg("appendfsync")).await;
        let syncs_always = setting.is_ok_and(|setting| setting.get(1).is_some_and(|value| value == "always"));
        Ok(if syncs_always && self.has_log { lasting + &run } else { run + &lasting })
    }

    pub fn check(&self) -> Result<(), String> {
        let major = self.version.split('.').next().and_then(|major| major.parse::<u32>().ok()).unwrap_or_default();
        if major < OLDEST_MAJOR {
            return Err(format!("this is version {}; Redis {OLDEST_MAJOR} or Valkey is required", self.version));
        }
        if self.role != "master" {
            return Err(format!("it is a {}; only a master can store rooms", self.role));
        }
        self.memory.check_policy()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redis_and_valkey_report_cluster_mode() {
        for lines in
            ["redis_version:7.0.15\r\nredis_mode", "redis_version:7.2.4\r\nvalkey_version:9.1.2\r\nserver_mode"]
        {
            let info = ServerInfo::parse(&format!("# Server\r\n{lines}:cluster\r\nrole:master\r\n"));
            assert_eq!((info.mode.as_str(), info.check()), ("cluster", Ok(())), "{lines}");
        }
    }
}

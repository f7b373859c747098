//! Finds the servers: the one that the address names, those of its cluster, or the master that Sentinels name.

use redis::{ProtocolVersion, RedisError, Value};

use crate::engine::redis::{
    connection::{
        address::{Address, Host},
        server_info::ServerInfo,
        session::{open, query},
    },
    keys::Bucket,
};

/// A server and the buckets that it has.
pub type Assignment = (Host, Vec<Bucket>);

/// Asks the hosts of the address in turn. In a cluster, servers that are known to be healthy are asked first: those of the address
/// may be gone by now.
pub async fn find_servers(address: &Address, known: impl Iterator<Item = Host>) -> Result<Vec<Assignment>, String> {
    let mut failures = Vec::new();
    let known = known.filter(|_| address.master.is_none());
    for host in &known.chain(address.hosts.iter().cloned()).collect::<Vec<_>>() {
        let found = match &address.master {
            Some(master) => ask_sentinel(address, host, master).await,
            None => ask_server(address, host).await,
        };
        match found {
            Ok(assignments) => return Ok(assignments),
            Err(why) => failures.push(format!("{host}: {why}")),
        }
    }
    Err(failures.join("; "))
}

async fn ask_server(address: &Address, host: &Host) -> Result<Vec<Assignment>, String> {
    let failed = |error: RedisError| address.explain(&error);
    let connection = open(address.client(host, ProtocolVersion::RESP2)?, None).await.map_err(failed)?;
    let info = ServerInfo::query(&connection).await.map_err(failed)?;
    match info.mode.as_str() {
        "cluster" => {
            let slots = query(&connection, redis::cmd("CLUSTER").arg("SLOTS")).await.map_err(failed)?;
            assignments(slots, host).ok_or_else(|| "it does not know its cluster".into())
        }
        "sentinel" => Err("this is a Sentinel: use redis-sentinel://host:port/NAME-OF-THE-MASTER".into()),
        _ => info.check().map(|()| vec![(host.clone(), Bucket::all().collect())]),
    }
}

/// The master that the Sentinel names. One that was cut off names a server that is down or a replica by now, and others know better
/// ("Guidelines for Redis clients with support for Redis Sentinel", step 3).
async fn ask_sentinel(address: &Address, host: &Host, master: &str) -> Result<Vec<Assignment>, String> {
    let failed = |error: RedisError| address.explain_sentinel(&error);
    let connection = open(address.sentinel_client(host)?, None).await.map_err(failed)?;
    let mut cmd = redis::cmd("SENTINEL");
    let found = query(&connection, cmd.arg("GET-MASTER-ADDR-BY-NAME").arg(master)).await.map_err(failed)?;
    let Some((name, port)) = found else { return Err(format!("it knows no master called {master}")) };
    let named = Host { name, port };
    ask_server(address, &named).await.map_err(|why| format!("it names {named}: {why}"))
}

/// From `CLUSTER SLOTS`: ranges of slots, each with its master and then its replicas.
fn assignments(ranges: Vec<Vec<Value>>, asked: &Host) -> Option<Vec<Assignment>> {
    let mut assignments: Vec<Assignment> = Vec::new();
    for range in ranges {
        let [Value::Int(first), Value::Int(last), Value::Array(master), ..] = &range[..] else { return None };
        let [name, Value::Int(port), ..] = &master[..] else { return None };
        let name: Option<String> = redis::from_redis_value_ref(name).ok();
        let name = name.filter(|name| !name.is_empty() && name != "?").unwrap_or_else(|| asked.name.clone());
        let host = Host { name, port: u16::try_from(*port).ok()? };
        let within = Bucket::all().filter(|bucket| (*first..=*last).contains(&bucket.slot().into()));
        match assignments.iter_mut().find(|(known, _)| *known == host) {
            Some((_, buckets)) => buckets.extend(within),
            None => assignments.push((host, within.collect())),
        }
    }
    assignments.iter_mut().for_each(|(_, buckets)| buckets.sort_unstable_by_key(|bucket| bucket.index()));
    assignments.retain(|(_, buckets)| !buckets.is_empty());
    (!assignments.is_empty()).then_some(assignments)
}

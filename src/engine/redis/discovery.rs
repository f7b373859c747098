//! Which servers there are: the one that the address names, those of its cluster, or the master that Sentinels know.

use redis::{ProtocolVersion, Value};

use crate::engine::redis::{
    connection::{ask, open},
    decode::text_of,
    keys::Bucket,
    server_info::About,
    url::{Address, Host},
};

/// Which server has which buckets.
pub type Share = (Host, Vec<Bucket>);

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
    let failed = |error: redis::RedisError| address.explain(&error);
    let connection = open(address.client(host, ProtocolVersion::RESP2)?, None).await.map_err(failed)?;
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
    let failed = |error: redis::RedisError| address.explain_sentinel(&error);
    let connection = open(address.sentinel_client(host)?, None).await.map_err(failed)?;
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

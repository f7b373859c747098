//! A Redis Cluster that loses a master.

use std::{collections::BTreeSet, time::Duration};

use reqwest::Client;
use serde_json::Value;
use tokio::time::sleep;

use crate::{
    programs::{Folder, free_port},
    redis::Redis,
};

const MASTERS: usize = 3;
/// After how many ms a silent server counts as down.
const NODE_TIMEOUT: &str = "2000";
/// How far the replica is behind when its master dies.
const BEHIND: Duration = Duration::from_millis(300);

/// Three masters with a replica each. Returns one master, its replica, and the others.
pub async fn start(folder: &Folder) -> (Redis, Redis, Vec<Redis>) {
    let mut servers = Vec::new();
    for number in 0..2 * MASTERS {
        let (at, bus) = (folder.within(&format!("redis-{number}")), free_port().await.to_string());
        let options = ["--cluster-enabled", "yes", "--cluster-port", &bus, "--cluster-node-timeout", NODE_TIMEOUT];
        let options = [&options[..], &["--cluster-require-full-coverage", "no"]].concat();
        servers.push(Redis::start(at, free_port().await, &options).await);
    }
    let places: Vec<String> = servers.iter().map(|server| format!("127.0.0.1:{}", server.port)).collect();
    let places: Vec<&str> = places.iter().map(String::as_str).collect();
    let making = [&["--cluster", "create"], &places[..], &["--cluster-replicas", "1", "--cluster-yes"]].concat();
    let made = servers[0].ask(&making).await;
    assert!(made.contains("All 16384 slots covered"), "{made}");
    for server in &servers {
        while !server.ask(&["CLUSTER", "INFO"]).await.contains("cluster_state:ok") {}
    }
    for replica in &servers[MASTERS..] {
        while !replica.ask(&["INFO", "replication"]).await.contains("master_link_status:up") {}
    }
    let master = servers.remove(0);
    let its = format!("master_port:{}\r", master.port);
    for index in MASTERS - 1..servers.len() {
        if servers[index].ask(&["INFO", "replication"]).await.contains(&its) {
            return (master, servers.remove(index), servers);
        }
    }
    panic!("{made}");
}

/// A master dies, and its slightly older replica is promoted; then the master restarts as a replica. Until the promotion, only requests
/// for its rooms get 503.
pub async fn lose_master(master: &mut Redis, replica: &Redis, haproxy: u16) {
    let keys = master.ask(&["--scan", "--pattern", "*:r:*"]).await;
    let its: BTreeSet<&str> = keys.lines().filter_map(|key| key.rsplit(':').next()).collect();
    let http = Client::builder().no_proxy().build().unwrap();
    // A wrong password keeps the replica from reconnecting.
    replica.ask(&["CONFIG", "SET", "masterauth", "of nobody"]).await;
    assert_eq!(replica.ask(&["CLIENT", "KILL", "TYPE", "master"]).await.trim(), "1");
    sleep(BEHIND).await;
    master.program.kill().await;
    let mut put_off = 0;
    while !replica.ask(&["ROLE"]).await.starts_with("master") {
        let mut there = 0;
        for number in 0..30 {
            let room = format!("room-{number}");
            let response = http.get(format!("http://127.0.0.1:{haproxy}/v1/rooms/{room}")).send();
            let response = response.await.unwrap();
            let (status, later) = (response.status().as_u16(), response.headers().contains_key("retry-after"));
            // HAProxy itself answers 503, too, when no node is ready.
            let problem: Value = response.json().await.unwrap_or_default();
            let is_put_off = status == 503 && later && problem["type"] == "/problems/engine-unavailable";
            put_off += usize::from(is_put_off && its.contains(room.as_str()));
            there += usize::from(status == 200 && !its.contains(room.as_str()));
        }
        assert!(there > 0, "with one master all rooms are gone");
    }
    assert!(put_off > 0, "nobody was told to come later");
    master.restart().await;
    while !master.ask(&["ROLE"]).await.starts_with("slave") {}
}

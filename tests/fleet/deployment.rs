//! Nodes behind HAProxy with `deploy/haproxy-nodes.cfg`, and where their rooms are.

use tokio::process::Command;

use crate::{
    cluster,
    programs::{Folder, Program, free_port},
    redis::Redis,
    relay::Relay,
};

const NODES: usize = 3;
const HAPROXY: &str = include_str!("../../deploy/haproxy-nodes.cfg");

/// Where the rooms are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeping {
    /// In the memory of the only node.
    Memory,
    /// In Redis.
    Redis { appendfsync: &'static str },
    /// In a master with a replica, which a Sentinel promotes.
    Sentinel,
    /// In three masters with a replica each.
    Cluster,
}

pub struct Node {
    pub program: Program,
    port: u16,
    engine: String,
}

pub struct Deployment {
    pub nodes: Vec<Node>,
    /// The server that may die.
    pub redis: Option<Redis>,
    /// Its replica, in a cluster.
    pub replica: Option<Redis>,
    /// Between the last node and Redis.
    pub relay: Option<Relay>,
    _others: Vec<Program>,
    pub port: u16,
    _haproxy: Program,
    folder: Folder,
}

impl Node {
    async fn start(number: usize, port: u16, engine: &str, folder: &Folder) -> Node {
        // On a busy machine Redis may not answer in time, and the node does not start: retry, as an operator would.
        for _ in 0..20 {
            let mut command = Command::new(env!("CARGO_BIN_EXE_signalpost"));
            command.args(["--listen", &format!("127.0.0.1:{port}"), "--trusted-proxy", "127.0.0.1", "--log", "warn"]);
            command.args(["--token-key", "kZ3vq9TfWm1x8LrP0aYdBcQe5Ns7Hj2U", "--rate-join", "0", "--rate-send", "0"]);
            command.args(["--rate-poll", "0", "--workers", "2"]);
            if engine != "memory" {
                command.args(["--engine", engine]);
            }
            let mut program = Program::start(&format!("node-{number}"), folder.path(), command);
            if program.listens(port).await {
                return Node { program, port, engine: engine.into() };
            }
        }
        panic!("node {number} does not start");
    }
}

impl Deployment {
    pub async fn start(keeping: Keeping) -> Deployment {
        let folder = Folder::new();
        let (mut others, mut replica) = (Vec::new(), None);
        let (redis, relay, engines) = match keeping {
            Keeping::Memory => (None, None, vec!["memory".to_owned()]),
            Keeping::Cluster => {
                let (master, its_replica, rest) = cluster::start(&folder).await;
                let engine = format!("redis://127.0.0.1:{},127.0.0.1:{}", master.port, rest[0].port);
                others = rest.into_iter().map(|redis| redis.program).collect();
                replica = Some(its_replica);
                (Some(master), None, vec![engine; NODES])
            }
            Keeping::Sentinel => {
                let redis = Redis::start(folder.within("redis"), free_port().await, &[]).await;
                let (started, sentinel) = watched(&redis, &folder).await;
                others = started;
                (Some(redis), None, vec![format!("redis-sentinel://127.0.0.1:{sentinel}/calls"); NODES])
            }
            Keeping::Redis { appendfsync } => {
                let options = ["--appendfsync", appendfsync];
                let redis = Redis::start(folder.within("redis"), free_port().await, &options).await;
                let relay = Relay::start(redis.port).await;
                let mut engines = vec![format!("redis://127.0.0.1:{}", redis.port); NODES];
                engines[NODES - 1] = format!("redis://127.0.0.1:{}", relay.port);
                (Some(redis), Some(relay), engines)
            }
        };
        let mut nodes = Vec::new();
        for (number, engine) in engines.iter().enumerate() {
            nodes.push(Node::start(number, free_port().await, engine, &folder).await);
        }
        let port = free_port().await;
        let haproxy = haproxy(&nodes, port, &folder).await;
        Deployment { nodes, redis, replica, relay, _others: others, port, _haproxy: haproxy, folder }
    }

    /// Restarts a stopped node at its address.
    pub async fn start_again(&mut self, number: usize) {
        let (port, engine) = (self.nodes[number].port, self.nodes[number].engine.clone());
        self.nodes[number] = Node::start(number, port, &engine, &self.folder).await;
    }
}

/// A replica of this Redis, and a Sentinel that knows both; returns when it does.
async fn watched(redis: &Redis, folder: &Folder) -> (Vec<Program>, u16) {
    let (replica_port, sentinel_port) = (free_port().await, free_port().await);
    let of = format!("127.0.0.1 {}", redis.port);
    let replica = Redis::start(folder.within("replica"), replica_port, &["--replicaof", &of]).await;
    let at = folder.within("sentinel");
    let config = format!(
        "port {sentinel_port}\nbind 127.0.0.1\nsentinel monitor calls 127.0.0.1 {} 1\n\
         sentinel down-after-milliseconds calls 500\nsentinel failover-timeout calls 5000\n",
        redis.port
    );
    std::fs::write(at.join("sentinel.conf"), config).unwrap();
    let mut command = Command::new("redis-server");
    command.arg(at.join("sentinel.conf")).arg("--sentinel");
    let mut sentinel = Program::start("sentinel", &at, command);
    sentinel.listening(sentinel_port).await;
    while !redis.ask_at(sentinel_port, &["SENTINEL", "REPLICAS", "calls"]).await.contains("127.0.0.1") {}
    while redis.ask(&["WAIT", "1", "1000"]).await.trim() != "1" {}
    (vec![replica.program, sentinel], sentinel_port)
}

/// The file in `deploy/`, with other addresses, without TLS, and with a server for each node.
async fn haproxy(nodes: &[Node], port: u16, folder: &Folder) -> Program {
    let mut config = String::new();
    for line in HAPROXY.lines() {
        let server = [8080, 8082, 8084].iter().position(|port| line.trim_end().ends_with(&format!("127.0.0.1:{port}")));
        match server.filter(|_| line.trim_start().starts_with("server ")) {
            Some(number) if number >= nodes.len() => continue,
            Some(number) => {
                let (before, _) = line.rsplit_once(' ').unwrap();
                config += &format!("{before} 127.0.0.1:{}\n", nodes[number].port);
            }
            None if line.trim_start().starts_with("bind ") => config += &format!("    bind 127.0.0.1:{port}\n"),
            None => config += &format!("{line}\n"),
        }
    }
    let path = folder.path().join("haproxy.cfg");
    std::fs::write(&path, config).unwrap();
    let paths = format!("{}:/usr/sbin", std::env::var("PATH").unwrap_or_default());
    let mut command = Command::new("haproxy");
    command.env("PATH", paths).args(["-db", "-f"]).arg(&path);
    let mut program = Program::start("haproxy", folder.path(), command);
    program.listening(port).await;
    program
}

//! Debian's redis-server on a free port; it ends with the test.

use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
};

use parking_lot::Mutex;

pub struct RedisServer {
    pub port: u16,
    folder: PathBuf,
    options: Vec<String>,
    /// Whether the user with the least rights was created.
    least: AtomicBool,
    /// Arguments for redis-cli besides the port.
    cli: Vec<String>,
    /// Behind a lock, so that a test may stop and start it from anywhere.
    child: Mutex<Option<Child>>,
}

impl RedisServer {
    /// A private server, with more options.
    pub fn start(options: &[&str]) -> Self {
        Self::start_with(options, &[])
    }

    /// The same, with arguments that redis-cli needs to connect.
    pub fn start_with(options: &[&str], cli: &[&str]) -> Self {
        let port = free_port();
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("redis-{port}"));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        let [options, cli] = [options, cli].map(|words| words.iter().map(|word| word.to_string()).collect());
        let server = Self { port, folder, options, least: AtomicBool::new(false), cli, child: Mutex::new(None) };
        server.start_again();
        server
    }

    /// A replica of this server.
    pub fn replica(&self) -> Self {
        let replica = Self::start(&["--replicaof", "127.0.0.1", &self.port.to_string()]);
        while !replica.cli(&["info", "replication"]).contains("master_link_status:up") {}
        replica
    }

    /// Returns when the replica has everything. WAIT covers only the writes of its own connection.
    pub fn until_replicated(&self) {
        loop {
            let state = self.cli(&["info", "replication"]);
            let number =
                |before: &str| state.split_once(before)?.1.split([',', '\r', '\n']).next()?.parse::<u64>().ok();
            let offsets = (number("master_repl_offset:"), number(",offset="));
            if offsets.0.is_some() && offsets.0 == offsets.1 {
                return;
            }
        }
    }

    /// A Sentinel that watches this server and its replicas, with a quorum of one.
    pub fn sentinel(&self, name: &str) -> Self {
        self.sentinel_with(name, self.port, "", &[], &[])
    }

    /// The same with more configuration lines and options, watching another port of this server.
    pub fn sentinel_with(&self, name: &str, port: u16, lines: &str, options: &[&str], cli: &[&str]) -> Self {
        let watched = free_port();
        let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("sentinel-{watched}.conf"));
        let text = format!(
            "sentinel monitor {name} 127.0.0.1 {port} 1\nsentinel down-after-milliseconds {name} 2000\n\
             sentinel failover-timeout {name} 3000\n{lines}\n"
        );
        std::fs::write(&file, text).unwrap();
        let sentinel = Self::start_with(&[&[file.to_str().unwrap(), "--sentinel"], options].concat(), cli);
        let asked = if lines.is_empty() { "replicas" } else { "master" };
        while !sentinel.cli(&["sentinel", asked, name]).contains("127.0.0.1") {}
        sentinel
    }

    /// Creates the user of docs/redis.md, with this key prefix.
    pub fn admit(&self, prefix: &str) {
        for rule in least_rights() {
            let rule: Vec<String> =
                rule.iter().map(|word| word.replace("sp2", prefix).replace("PASSWORD", "s3cret")).collect();
            let words: Vec<&str> = rule.iter().map(String::as_str).collect();
            assert_eq!(self.cli(&words), "OK", "{words:?}");
        }
        self.least.store(true, Ordering::Relaxed);
    }

    /// One for all tests: each engine has its own prefix, and only the rights in docs/redis.md.
    pub fn shared() -> Arc<Self> {
        static SHARED: Mutex<Weak<RedisServer>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock();
        shared.upgrade().unwrap_or_else(|| {
            let server = Arc::new(Self::start(&["--save", "", "--appendonly", "no"]));
            server.admit("t*");
            *shared = Arc::downgrade(&server);
            server
        })
    }

    /// After [`RedisServer::kill`]: on the same port, with its files.
    pub fn start_again(&self) {
        // A configuration file comes first.
        let (files, options): (Vec<_>, Vec<_>) = self.options.iter().partition(|option| option.ends_with(".conf"));
        let mut child = Command::new("redis-server")
            .args(files)
            .args(["--port", &self.port.to_string(), "--bind", "127.0.0.1", "--logfile", ""])
            .args(["--loglevel", "notice"])
            .args(options)
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("redis-server is missing: tests/run.sh installs it");
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut said = Vec::new();
        let ready = lines.by_ref().map_while(Result::ok).any(|line| {
            said.push(line);
            // A Sentinel logs `+monitor`.
            said.last().is_some_and(|line| line.contains("Ready to accept connections") || line.contains("+monitor"))
        });
        assert!(ready, "redis-server: {said:#?}");
        std::thread::spawn(move || lines.for_each(drop));
        *self.child.lock() = Some(child);
    }

    pub fn url(&self) -> String {
        let user = if self.least.load(Ordering::Relaxed) { LEAST_USER } else { "" };
        format!("redis://{user}127.0.0.1:{}", self.port)
    }

    /// With its own prefix: no other test sees its rooms.
    pub fn url_apart(&self) -> String {
        format!("{}?prefix={}", self.url(), fresh_prefix())
    }

    pub fn kill(&self) {
        if let Some(mut child) = self.child.lock().take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Alive, but answers nothing until [`RedisServer::go_on`].
    pub fn pause(&self) {
        self.signal("-STOP");
    }

    pub fn go_on(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, which: &str) {
        let id = self.child.lock().as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args([which, &id]).status().unwrap().success());
    }

    /// How often a command was called.
    pub fn calls(&self, command: &str) -> usize {
        let (stats, head) = (self.cli(&["info", "commandstats"]), format!("cmdstat_{command}:calls="));
        let calls = stats.lines().find_map(|line| line.strip_prefix(&head)?.split(',').next());
        calls.map_or(0, |calls| calls.parse().unwrap())
    }

    /// The output of redis-cli.
    pub fn cli(&self, arguments: &[&str]) -> String {
        let output = Command::new("redis-cli")
            .args(["-p", &self.port.to_string()])
            .args(&self.cli)
            .args(arguments)
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Three masters, each with a third of the slots.
pub struct RedisCluster {
    pub masters: Vec<RedisServer>,
}

impl RedisCluster {
    pub fn start() -> Self {
        Self::start_with(Vec::new)
    }

    /// The same with more options for each.
    pub fn start_with(more: impl Fn() -> Vec<String>) -> Self {
        let master = || {
            let bus = free_port().to_string();
            let more = more();
            let more: Vec<&str> = more.iter().map(String::as_str).collect();
            RedisServer::start(
                &[
                    &["--cluster-enabled", "yes", "--cluster-port", &bus, "--cluster-node-timeout", "15000"][..],
                    &["--cluster-require-full-coverage", "no", "--appendonly", "yes", "--appendfsync", "always"],
                    &more,
                ]
                .concat(),
            )
        };
        let cluster = Self { masters: std::iter::repeat_with(master).take(3).collect() };
        let places: Vec<String> = cluster.masters.iter().map(|master| format!("127.0.0.1:{}", master.port)).collect();
        let places: Vec<&str> = places.iter().map(String::as_str).collect();
        let made = cluster.masters[0].cli(&[&["--cluster", "create"], &places[..], &["--cluster-yes"]].concat());
        assert!(made.contains("All 16384 slots covered"), "{made}");
        for master in &cluster.masters {
            while !master.cli(&["cluster", "info"]).contains("cluster_state:ok") {}
        }
        cluster
    }

    /// One for all tests.
    pub fn shared() -> Arc<Self> {
        static SHARED: Mutex<Weak<RedisCluster>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock();
        shared.upgrade().unwrap_or_else(|| {
            let cluster = Arc::new(Self::start());
            cluster.masters.iter().for_each(|master| master.admit("t*"));
            *shared = Arc::downgrade(&cluster);
            cluster
        })
    }

    /// Names two of the masters, which know the third.
    pub fn url(&self) -> String {
        format!("{},127.0.0.1:{}", self.masters[0].url(), self.masters[1].port)
    }

    pub fn url_apart(&self) -> String {
        format!("{}?prefix={}", self.url(), fresh_prefix())
    }
}

/// The ACL rules for servers with rooms, from docs/redis.md.
pub fn least_rights() -> Vec<Vec<String>> {
    let page = include_str!("../../../docs/redis.md").replace("\\\n", "");
    let rules = page.lines().filter_map(|line| line.strip_prefix("redis-cli ACL SETUSER "));
    let words =
        |rule: &str| rule.split('#').next().unwrap().split_whitespace().map(|word| word.replace('\'', "")).collect();
    let rules: Vec<Vec<String>> = rules.map(words).collect();
    assert_eq!(rules.len(), 3);
    rules.into_iter().map(|rule| ["ACL".into(), "SETUSER".into()].into_iter().chain(rule).collect()).collect()
}

/// The credentials that these rules create.
pub const LEAST_USER: &str = "signalpost:s3cret@";

/// A free port below those that the system gives to connections, so that it stays free between two starts. No other call gets it.
pub fn free_port() -> u16 {
    static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());
    let mut ports = std::iter::repeat_with(|| fastrand::u16(10_000..30_000));
    ports.find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok() && GIVEN.lock().insert(*port)).unwrap()
}

fn fresh_prefix() -> String {
    static MADE: AtomicU32 = AtomicU32::new(0);
    format!("t{}-", MADE.fetch_add(1, Ordering::Relaxed))
}

//! Debian's redis-server, started by a test on a free port and gone with it.

use std::{
    io::{BufRead, BufReader},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc, Weak,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use parking_lot::Mutex;
use signalpost::{
    clock::Clock,
    domain::Limits,
    engine::{Engine, Redis},
};
use tokio::runtime::{Builder, Handle, Runtime};

use crate::wire::Wire;

pub struct RedisServer {
    pub port: u16,
    folder: PathBuf,
    options: Vec<String>,
    /// One lock, so that a test may stop and start it from anywhere.
    child: Mutex<Option<Child>>,
}

impl RedisServer {
    /// A server of one's own, with more options.
    pub fn start(options: &[&str]) -> Self {
        let port = free_port();
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("redis-{port}"));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        let options = options.iter().map(|option| option.to_string()).collect();
        let server = Self { port, folder, options, child: Mutex::new(None) };
        server.start_again();
        server
    }

    /// A replica of this server.
    pub fn replica(&self) -> Self {
        let replica = Self::start(&["--replicaof", "127.0.0.1", &self.port.to_string()]);
        while !replica.cli(&["info", "replication"]).contains("master_link_status:up") {}
        replica
    }

    /// Returns when the replica has everything. WAIT would only wait for what its own connection has written.
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

    /// A Sentinel that watches this server and its replicas, and needs nobody's consent to promote one.
    pub fn sentinel(&self, name: &str) -> Self {
        let watched = free_port();
        let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("sentinel-{watched}.conf"));
        let text = format!(
            "sentinel monitor {name} 127.0.0.1 {} 1\nsentinel down-after-milliseconds {name} 2000\n\
             sentinel failover-timeout {name} 3000\n",
            self.port
        );
        std::fs::write(&file, text).unwrap();
        let sentinel = Self::start(&[file.to_str().unwrap(), "--sentinel"]);
        while !sentinel.cli(&["sentinel", "replicas", name]).contains("127.0.0.1") {}
        sentinel
    }

    /// One for all tests that run now: each engine has its own prefix.
    pub fn shared() -> Arc<Self> {
        static SHARED: Mutex<Weak<RedisServer>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock();
        shared.upgrade().unwrap_or_else(|| {
            let server = Arc::new(Self::start(&["--save", "", "--appendonly", "no"]));
            *shared = Arc::downgrade(&server);
            server
        })
    }

    /// After [`RedisServer::kill`]: on the same port, with what it has kept.
    pub fn start_again(&self) {
        // A file of options comes first.
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
            // A Sentinel says `+monitor`.
            said.last().is_some_and(|line| line.contains("Ready to accept connections") || line.contains("+monitor"))
        });
        assert!(ready, "redis-server: {said:#?}");
        std::thread::spawn(move || lines.for_each(drop));
        *self.child.lock() = Some(child);
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// A room keeper of its own here: no other test sees its rooms.
    pub fn url_apart(&self) -> String {
        format!("{}?prefix={}", self.url(), fresh_prefix())
    }

    pub fn kill(&self) {
        if let Some(mut child) = self.child.lock().take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Alive, but answers nobody until [`RedisServer::go_on`].
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

    /// How often such a command was called.
    pub fn calls(&self, command: &str) -> usize {
        let (stats, head) = (self.cli(&["info", "commandstats"]), format!("cmdstat_{command}:calls="));
        let calls = stats.lines().find_map(|line| line.strip_prefix(&head)?.split(',').next());
        calls.map_or(0, |calls| calls.parse().unwrap())
    }

    /// What redis-cli answers.
    pub fn cli(&self, arguments: &[&str]) -> String {
        let output = Command::new("redis-cli").args(["-p", &self.port.to_string()]).args(arguments).output().unwrap();
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
        let master = || {
            let bus = free_port().to_string();
            RedisServer::start(
                &[
                    &["--cluster-enabled", "yes", "--cluster-port", &bus, "--cluster-node-timeout", "15000"][..],
                    &["--cluster-require-full-coverage", "no", "--appendonly", "yes", "--appendfsync", "always"],
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

    /// One for all tests that run now.
    pub fn shared() -> Arc<Self> {
        static SHARED: Mutex<Weak<RedisCluster>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock();
        shared.upgrade().unwrap_or_else(|| {
            let cluster = Arc::new(Self::start());
            *shared = Arc::downgrade(&cluster);
            cluster
        })
    }

    /// Two of them are named: they know the third.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{},127.0.0.1:{}", self.masters[0].port, self.masters[1].port)
    }

    pub fn url_apart(&self) -> String {
        format!("{}?prefix={}", self.url(), fresh_prefix())
    }
}

pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn fresh_prefix() -> String {
    static MADE: AtomicU32 = AtomicU32::new(0);
    format!("t{}-", MADE.fetch_add(1, Ordering::Relaxed))
}

/// A node with an engine at that address. Its time-outs never strike, however busy the machine is: see [`Still`].
pub fn engine_at(url: &str, limits: Limits, clock: Clock) -> Engine {
    Still::start().engine_at(url, limits, clock)
}

/// The time of the thread that drives an engine's connections: it stands still, except when a test lets some pass.
pub struct Still {
    tasks: Handle,
    runtime: Option<Runtime>,
}

impl Still {
    pub fn start() -> Self {
        let runtime = Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        // A paused clock leaps ahead as soon as every task waits, unless a blocking task runs. This one ends with the runtime,
        // which drops its tasks first.
        let (awake, ended) = std::sync::mpsc::channel::<()>();
        runtime.spawn_blocking(move || ended.recv());
        runtime.spawn(async move {
            let _awake = awake;
            std::future::pending::<()>().await;
        });
        Self { tasks: runtime.handle().clone(), runtime: Some(runtime) }
    }

    /// To be called once.
    pub fn engine_at(&mut self, url: &str, limits: Limits, clock: Clock) -> Engine {
        let runtime = self.runtime.take().unwrap();
        Engine::Redis(Redis::connect_on(runtime, url.parse().unwrap(), Arc::new(limits), clock).unwrap())
    }

    /// An engine that reaches Redis over this wire, and its time.
    pub async fn engine_behind(wire: &Wire, limits: Limits) -> (Engine, Self) {
        let (mut still, url) = (Self::start(), wire.url());
        // It blocks until it is connected, and the wire needs this thread.
        let connecting = move || (still.engine_at(&url, limits, Clock::start()), still);
        tokio::task::spawn_blocking(connecting).await.unwrap()
    }

    /// Lets time pass, after everything that the engine was asked before has been begun, and until nothing is left of what
    /// that woke.
    pub async fn pass(&self, span: Duration) {
        let passing = async move {
            tokio::time::advance(span).await;
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
        };
        self.tasks.spawn(passing).await.unwrap();
    }
}

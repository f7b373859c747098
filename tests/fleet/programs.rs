//! Servers as processes, on free ports, in a folder that is removed with them.

use std::{
    collections::BTreeSet,
    fs::File,
    path::{Path, PathBuf},
    process::Stdio,
    sync::Mutex,
};

use tokio::{
    io::{AsyncBufReadExt, BufReader},
    net::{TcpListener, TcpStream},
    process::{Child, Command},
};

/// A folder that is removed at the end.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Folder {
        let path = std::env::temp_dir().join(format!("signalpost-fleet-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir(&path).unwrap();
        Folder(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// A folder within it.
    pub fn within(&self, name: &str) -> PathBuf {
        let path = self.0.join(name);
        std::fs::create_dir_all(&path).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("logs are in {}", self.0.display());
        } else {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }
}

/// A free port below the ephemeral range, so that a server may stop and start again on it.
pub async fn free_port() -> u16 {
    static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());
    loop {
        let port = fastrand::u16(12_000..32_000);
        if TcpListener::bind(("127.0.0.1", port)).await.is_ok() && GIVEN.lock().unwrap().insert(port) {
            return port;
        }
    }
}

/// A server that ends with the test.
pub struct Program {
    name: String,
    child: Child,
}

impl Program {
    /// Starts it; its output goes to a file.
    pub fn start(name: &str, folder: &Path, mut command: Command) -> Program {
        let log = File::options().create(true).append(true).open(folder.join(format!("{name}.log"))).unwrap();
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log).kill_on_drop(true);
        let child = command.spawn().unwrap_or_else(|error| panic!("{name}: {error}: is it installed?"));
        Program { name: name.into(), child }
    }

    /// Returns when the port is open; fails if the program has exited.
    pub async fn listening(&mut self, port: u16) {
        assert!(self.listens(port).await, "{} ended before it listened", self.name);
    }

    /// Returns whether the port was opened before the program exited.
    pub async fn listens(&mut self, port: u16) -> bool {
        while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            if self.child.try_wait().unwrap().is_some() {
                return false;
            }
            tokio::task::yield_now().await;
        }
        true
    }

    async fn signal(&self, signal: &str) {
        let pid = self.child.id().unwrap().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().await.unwrap().success());
    }

    /// SIGKILL, like a power cut.
    pub async fn kill(&mut self) {
        self.signal("-KILL").await;
        self.child.wait().await.unwrap();
    }

    /// SIGTERM; returns when it has exited.
    pub async fn stop(&mut self) {
        self.signal("-TERM").await;
        self.child.wait().await.unwrap();
    }

    /// SIGSTOP.
    pub async fn pause(&self) {
        self.signal("-STOP").await;
    }

    pub async fn go_on(&self) {
        self.signal("-CONT").await;
    }
}

/// `tests/faults/proxy.js` in front of a server.
pub async fn breaking_wire(upstream: u16, rate: f64) -> (Child, u16) {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/faults/proxy.js");
    let mut child = Command::new("node")
        .args([script, "--upstream", &format!("127.0.0.1:{upstream}"), "--rate", &rate.to_string()])
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line = lines.next_line().await.unwrap().unwrap();
    (child, line.rsplit(':').next().unwrap().parse().unwrap())
}

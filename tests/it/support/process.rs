//! The server as a process, as an operator starts it.

use std::process::Stdio;

use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    sync::watch,
    task::JoinHandle,
};

pub struct ServerProcess {
    pub child: Child,
    pub port: u16,
    /// Read all the time: a process with a full pipe would block.
    reading: JoinHandle<()>,
    logged: watch::Receiver<String>,
}

impl ServerProcess {
    /// Tries again if Redis takes longer than the product waits at its start, as [`harness::build`](super::harness::build) does.
    pub async fn start(flags: &[&str]) -> ServerProcess {
        for _ in 0..4 {
            match Self::once(flags).await {
                Err(log) if log.contains("timed out") => println!("again: {log}"),
                started => return started.unwrap(),
            }
        }
        Self::once(flags).await.unwrap()
    }

    /// An error is the log of one that has ended.
    async fn once(flags: &[&str]) -> Result<ServerProcess, String> {
        let mut child = Command::new(env!("CARGO_BIN_EXE_signalpost"))
            .args(["--listen", "127.0.0.1:0"])
            .args(flags)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
        let (logs, logged) = watch::channel(String::new());
        let reading = tokio::spawn(async move {
            while let Some(line) = log.next_line().await.unwrap() {
                logs.send_modify(|logs| *logs += &(line + "\n"));
            }
        });
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let Some(line) = lines.next_line().await.unwrap() else {
            reading.await.unwrap();
            return Err(logged.borrow().clone());
        };
        let port = line.rsplit(':').next().unwrap().parse().unwrap();
        Ok(ServerProcess { child, port, reading, logged })
    }

    pub async fn terminate(&self) {
        let pid = self.child.id().unwrap().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().await.unwrap().success());
    }

    /// Resident memory, in bytes.
    pub fn memory(&self) -> usize {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id().unwrap())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 1024
    }

    /// Waits until it has logged this.
    pub async fn has_logged(&self, text: &str) {
        self.logged.clone().wait_for(|logs| logs.contains(text)).await.unwrap();
    }

    /// Stops it, and returns its whole log.
    pub async fn logs(mut self) -> String {
        self.terminate().await;
        assert_eq!(self.child.wait().await.unwrap().code(), Some(0));
        self.reading.await.unwrap();
        self.logged.borrow().clone()
    }
}

//! Redis as a process, and what it has on disk.

use std::path::PathBuf;

use tokio::process::Command;

use crate::programs::Program;

/// A Redis that can be killed and restarted with its files.
pub struct Redis {
    pub program: Program,
    pub port: u16,
    folder: PathBuf,
    options: Vec<String>,
}

impl Redis {
    /// With `appendfsync everysec` unless the options say otherwise.
    pub async fn start(folder: PathBuf, port: u16, options: &[&str]) -> Redis {
        let options = options.iter().map(|option| option.to_string()).collect();
        Redis::run(folder, port, options).await
    }

    async fn run(folder: PathBuf, port: u16, options: Vec<String>) -> Redis {
        let mut command = Command::new("redis-server");
        command.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "yes"]);
        command.args(&options).arg("--dir").arg(&folder);
        let mut program = Program::start("redis", &folder, command);
        program.listening(port).await;
        let redis = Redis { program, port, folder, options };
        // It accepts connections before it has loaded its log, and answers LOADING.
        while redis.ask(&["PING"]).await.trim() != "PONG" {}
        redis
    }

    pub async fn restart(&mut self) {
        *self = Redis::run(self.folder.clone(), self.port, self.options.clone()).await;
    }

    /// The current part of the append-only file.
    fn log(&self) -> PathBuf {
        let entries = std::fs::read_dir(self.folder.join("appendonlydir")).unwrap();
        let mut logs = entries.map(|entry| entry.unwrap().path());
        logs.find(|path| path.to_string_lossy().ends_with(".incr.aof")).unwrap()
    }

    pub fn log_length(&self) -> u64 {
        self.log().metadata().unwrap().len()
    }

    /// Truncates the log, as if the rest had never reached the disk.
    pub fn forget_after(&self, length: u64) {
        std::fs::File::options().write(true).open(self.log()).unwrap().set_len(length).unwrap();
    }

    /// Runs redis-cli and returns its output.
    pub async fn ask(&self, words: &[&str]) -> String {
        self.ask_at(self.port, words).await
    }

    pub async fn ask_at(&self, port: u16, words: &[&str]) -> String {
        let output = Command::new("redis-cli").args(["-p", &port.to_string()]).args(words).output().await.unwrap();
        String::from_utf8(output.stdout).unwrap()
    }
}

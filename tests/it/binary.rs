//! The binary itself, as an operator starts it.

use std::process::Stdio;

use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

pub struct Binary {
    pub child: Child,
    pub port: u16,
}

impl Binary {
    pub async fn start(flags: &[&str]) -> Binary {
        let mut child = Command::new(env!("CARGO_BIN_EXE_signalpost"))
            .args(["--listen", "127.0.0.1:0"])
            .args(flags)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = lines.next_line().await.unwrap().unwrap();
        let port = line.strip_prefix("listening on http://127.0.0.1:").unwrap().parse().unwrap();
        Binary { child, port }
    }

    pub async fn terminate(&self) {
        let pid = self.child.id().unwrap().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().await.unwrap().success());
    }

    /// Ends it, and gives everything it has logged.
    pub async fn logs(self) -> String {
        self.terminate().await;
        let output = self.child.wait_with_output().await.unwrap();
        assert_eq!(output.status.code(), Some(0));
        String::from_utf8(output.stderr).unwrap()
    }
}

//! A server as a child process, a gate before it, and events that are waited for.

use std::env;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use signalpost_client::{Event, Events, Join, Message, Peer, Room, Signal, join};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Against hanging only.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Who polls every second or two keeps its seat even on a busy machine; a longer hold would keep that of one who has gone, too.
pub const BRIEF: [&str; 4] = ["--lease-ms", "4000", "--wait-max-ms", "1500"];

pub struct Server {
    child: Child,
    pub base: String,
}

impl Server {
    pub fn start() -> Self {
        Self::with(&[])
    }

    pub fn with(flags: &[&str]) -> Self {
        let built = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/debug/signalpost");
        let binary = env::var("SIGNALPOST_BIN").unwrap_or_else(|_| built.to_owned());
        let mut command = Command::new(&binary);
        command
            .args(["--listen", "127.0.0.1:0", "--rate-join", "0", "--rate-send", "0", "--rate-poll", "0"])
            .args(flags);
        let mut child = command
            .env("SIGNALPOST_LOG", "error")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{binary}: {error}"));
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let base = line.trim().strip_prefix("listening on ").expect(&line).to_owned();
        Self { child, base }
    }

    pub fn room(&self, name: &str) -> Join {
        join(&self.base, name)
    }

    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Takes requests to a server at once, and responses back only while it is open. It can cut all connections, and refuse new ones.
pub struct Gate {
    pub base: String,
    open: watch::Sender<bool>,
    /// How many connections have carried something to the server.
    asked: watch::Receiver<usize>,
    /// How often something was carried back.
    answered: watch::Receiver<usize>,
    is_cut: watch::Sender<bool>,
    refused: watch::Receiver<usize>,
}

impl Gate {
    pub async fn before(server: &Server) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let target = server.base.trim_start_matches("http://").to_owned();
        let (open, opened) = watch::channel(true);
        let (asking, asked) = watch::channel(0);
        let (answering, answered) = watch::channel(0);
        let (is_cut, cutting) = watch::channel(false);
        let (refusing, refused) = watch::channel(0);
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let mut cutting = cutting.clone();
                if *cutting.borrow() {
                    drop(near);
                    refusing.send_modify(|refused| *refused += 1);
                    continue;
                }
                let far = TcpStream::connect(&target).await.unwrap();
                let carrying = carry(near, far, opened.clone(), asking.clone(), answering.clone());
                tokio::spawn(async move {
                    tokio::select! {
                        _ = cutting.wait_for(|is_cut| *is_cut) => {}
                        () = carrying => {}
                    }
                });
            }
        });
        Self { base, open, asked, answered, is_cut, refused }
    }

    /// Cuts all connections, refuses one, and lets one be answered.
    pub async fn falter(&self) {
        let (mut refused, mut answered) = (self.refused.clone(), self.answered.clone());
        refused.mark_unchanged();
        self.is_cut.send_replace(true);
        refused.changed().await.unwrap();
        answered.mark_unchanged();
        self.is_cut.send_replace(false);
        answered.changed().await.unwrap();
    }

    pub fn close(&self) {
        self.open.send_replace(false);
    }

    pub fn open(&self) {
        self.open.send_replace(true);
    }

    /// Something was sent to the server over this many connections.
    pub async fn asked(&self, connections: usize) {
        self.asked.clone().wait_for(|asked| *asked >= connections).await.unwrap();
    }
}

async fn carry(
    near: TcpStream,
    far: TcpStream,
    mut opened: watch::Receiver<bool>,
    asking: watch::Sender<usize>,
    answering: watch::Sender<usize>,
) {
    let ((mut from_near, mut to_near), (mut from_far, mut to_far)) = (near.into_split(), far.into_split());
    tokio::spawn(async move {
        from_near.readable().await.unwrap();
        let mut first = vec![0; 64 * 1024];
        let length = from_near.try_read(&mut first).unwrap_or_default();
        to_far.write_all(&first[..length]).await.unwrap();
        asking.send_modify(|asked| *asked += 1);
        let _ = copy(&mut from_near, &mut to_far).await;
        let _ = to_far.shutdown().await;
    });
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = from_far.read(&mut buffer).await.unwrap_or_default();
        if opened.wait_for(|open| *open).await.is_err()
            || read == 0
            || to_near.write_all(&buffer[..read]).await.is_err()
        {
            return;
        }
        answering.send_modify(|answered| *answered += 1);
    }
}

/// Polls once, and gives up if that is not the end.
pub async fn once<F: Future>(future: F) -> Option<F::Output> {
    tokio::select! {
        biased;
        done = future => Some(done),
        () = std::future::ready(()) => None,
    }
}

/// The first event that is chosen.
pub async fn until<T>(events: &mut Events, mut choose: impl FnMut(&Event) -> Option<T>) -> T {
    let mut seen = Vec::new();
    let waiting = async {
        loop {
            let event = events.next().await.unwrap_or_else(|| panic!("the room has ended: {seen:?}"));
            if let Some(chosen) = choose(&event) {
                return chosen;
            }
            seen.push(event);
        }
    };
    let chosen = tokio::time::timeout(PATIENCE, waiting).await;
    chosen.unwrap_or_else(|_| panic!("it did not happen: {seen:?}"))
}

pub async fn message(events: &mut Events) -> Message {
    until(events, |event| if let Event::Message(message) = event { Some(message.clone()) } else { None }).await
}

pub async fn data(events: &mut Events) -> serde_json::Value {
    match message(events).await.signal {
        Signal::Data(data) => data,
        other => panic!("{other:?}"),
    }
}

pub async fn arrival(events: &mut Events) -> Peer {
    until(events, |event| if let Event::PeerJoined(peer) = event { Some((**peer).clone()) } else { None }).await
}

/// Who left, and why.
pub async fn departure(events: &mut Events) -> (String, String) {
    until(events, |event| match event {
        Event::PeerLeft { peer, reason } => Some((peer.id.clone(), reason.to_string())),
        _ => None,
    })
    .await
}

pub fn say(room: &Room, to: &str, data: impl Into<serde_json::Value>) {
    drop(room.send(to, Signal::Data(data.into())));
}

//! A link from an engine to Redis on which a test holds calls back and releases them, so that the machine's speed does not decide how
//! many are in flight.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

use memchr::memmem;
use parking_lot::Mutex;
use sha1::{Digest, Sha1};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy},
    net::{TcpListener, TcpStream, tcp},
    sync::watch,
    task::JoinSet,
};

use crate::support::redis_server::RedisServer;

/// Starts every script call and nothing else that the engine sends. The script's digest follows.
const CALL: &[u8] = b"EVALSHA\r\n$40\r\n";
const DIGEST: usize = 40;
/// The script of the periodic rights check, whose calls are not counted.
const RIGHTS: &str = include_str!("../../../src/engine/redis/connection/permissions.lua");

pub struct RedisLink {
    pub port: u16,
    inner: Arc<Inner>,
}

struct Inner {
    /// How many more calls may pass; `None` is all.
    may_pass: watch::Sender<Option<usize>>,
    /// Calls from the engine, including held ones.
    asked: AtomicUsize,
    /// Connections made so far.
    made: AtomicUsize,
    connections: Mutex<JoinSet<()>>,
}

impl RedisLink {
    pub async fn to(redis: &RedisServer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (port, to) = (listener.local_addr().unwrap().port(), redis.port);
        let inner = Arc::new(Inner {
            may_pass: watch::Sender::new(None),
            asked: AtomicUsize::new(0),
            made: AtomicUsize::new(0),
            connections: Mutex::default(),
        });
        let accepting = inner.clone();
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                accepting.made.fetch_add(1, Relaxed);
                let connection = connect(near, to, accepting.clone());
                accepting.connections.lock().spawn(connection);
            }
        });
        Self { port, inner }
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub fn asked(&self) -> usize {
        self.inner.asked.load(Relaxed)
    }

    pub fn made(&self) -> usize {
        self.inner.made.load(Relaxed)
    }

    /// Holds back all calls from now on, and everything sent after them.
    pub fn hold(&self) {
        self.inner.may_pass.send_replace(Some(0));
    }

    /// Lets that many more calls pass.
    pub fn let_pass(&self, calls: usize) {
        self.inner.may_pass.send_modify(|may_pass| *may_pass = may_pass.map(|before| before + calls));
    }

    pub fn release(&self) {
        self.inner.may_pass.send_replace(None);
    }

    /// Ends all connections.
    pub fn cut(&self) {
        *self.inner.connections.lock() = JoinSet::new();
    }
}

async fn connect(near: TcpStream, to: u16, inner: Arc<Inner>) {
    let far = TcpStream::connect(("127.0.0.1", to)).await.unwrap();
    near.set_nodelay(true).unwrap();
    far.set_nodelay(true).unwrap();
    let (from_near, mut to_near) = near.into_split();
    let (mut from_far, to_far) = far.into_split();
    tokio::select! {
        () = carry(from_near, to_far, inner) => {}
        _ = copy(&mut from_far, &mut to_near) => {}
    }
}

async fn carry(mut from: tcp::OwnedReadHalf, mut to: tcp::OwnedWriteHalf, inner: Arc<Inner>) {
    let mut changes = inner.may_pass.subscribe();
    let rights = Sha1::digest(format!("#!lua flags=allow-oom\n{RIGHTS}"));
    let rights: String = rights.iter().map(|byte| format!("{byte:02x}")).collect();
    let (mut held, mut counted) = (Vec::new(), 0);
    loop {
        changes.mark_unchanged();
        let is_whole = |at: usize| held.len() >= at + CALL.len() + DIGEST;
        let is_of_somebody =
            |at: &usize| held.get(at + CALL.len()..at + CALL.len() + DIGEST) != Some(rights.as_bytes());
        let (whole, cut): (Vec<usize>, Vec<usize>) = memmem::find_iter(&held, CALL).partition(|at| is_whole(*at));
        let calls: Vec<usize> = whole.into_iter().filter(is_of_somebody).collect();
        inner.asked.fetch_add(calls.len() - counted, Relaxed);
        let passing = take(&inner.may_pass, calls.len());
        let end = calls.get(passing).or(cut.first()).copied().unwrap_or_else(|| held.len() - begun(&held));
        if to.write_all(&held[..end]).await.is_err() {
            return;
        }
        held.drain(..end);
        counted = calls.len() - passing;
        tokio::select! {
            read = from.read_buf(&mut held) => if !matches!(read, Ok(1..)) { return },
            // `inner` holds the sender, so this never fails.
            _ = changes.changed() => {}
        }
    }
}

/// The length of a partial call at the end.
fn begun(held: &[u8]) -> usize {
    (1..CALL.len().min(held.len() + 1)).rev().find(|length| held.ends_with(&CALL[..*length])).unwrap_or(0)
}

/// Takes permission for these calls, or for as many as may pass.
fn take(may_pass: &watch::Sender<Option<usize>>, calls: usize) -> usize {
    let mut taken = calls;
    may_pass.send_if_modified(|left| {
        if let Some(left) = left {
            taken = calls.min(*left);
            *left -= taken;
        }
        false
    });
    taken
}

//! One connection, as its stream, its requests and the one who looks after all of them see it.

use std::{
    any::Any,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    task::Waker,
    time::Duration,
};

use futures_util::task::AtomicWaker;
use parking_lot::Mutex;

use crate::transport::limits::Clock;

/// What may come on a connection when there is nothing to do: the head of a request, some 16 KiB, and what belongs to TLS.
const HEAD_BYTES: usize = 20 * 1024;
/// The same over HTTP/2, where several requests and the beginnings of their bodies may come at once.
const FRAMES_BYTES: usize = 256 * 1024;
/// How long a client may take nothing of what it is sent, and no longer than it may say nothing.
const BLOCKED: Duration = Duration::from_secs(30);

/// How long something that has begun to come may take until it is whole: the head of a request, a record of TLS, a frame.
pub const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub struct Connection {
    clock: Clock,
    pub over_limit: bool,
    /// Requests under way, each until its answer is taken.
    requests: AtomicUsize,
    /// When there was last something on it, in milliseconds of our clock.
    heard: AtomicU64,
    /// Since when something has been coming over TLS that is not whole yet.
    begun: AtomicU64,
    /// Nothing else can come before that, not even to requests that are under way.
    in_frame: AtomicBool,
    /// Since when its client takes nothing.
    blocked_since: AtomicU64,
    /// Answers that are being sent.
    answers: AtomicUsize,
    /// When the client must have taken them.
    due: AtomicU64,
    /// What may come until there is nothing to do again.
    allowed: AtomicUsize,
    /// Of that, what was announced as bodies.
    announced: AtomicUsize,
    /// Everything was answered, and nothing has come since.
    fresh: AtomicBool,
    http_2: AtomicBool,
    /// Ends by itself when it is idle, if it is told that it is.
    http_1: AtomicBool,
    idle: AtomicBool,
    ended: AtomicBool,
    waker: AtomicWaker,
    /// What the service remembers of it.
    memo: Mutex<Option<Box<dyn Any + Send>>>,
}

/// Where what has come over HTTP/2 ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Between,
    /// Within a piece of a body, which has a limit of its own.
    InBody,
    /// Within any other frame, or in front of the rest of a block of header fields.
    InHead,
}

/// In `begun`, `blocked_since` and `due`: at no time.
const NEVER: u64 = u64::MAX;

impl Connection {
    pub fn new(clock: Clock, over_limit: bool) -> Self {
        let now = clock.millis();
        Self {
            clock,
            over_limit,
            requests: AtomicUsize::new(0),
            heard: AtomicU64::new(now),
            begun: AtomicU64::new(NEVER),
            in_frame: AtomicBool::new(false),
            blocked_since: AtomicU64::new(NEVER),
            answers: AtomicUsize::new(0),
            due: AtomicU64::new(NEVER),
            allowed: AtomicUsize::new(HEAD_BYTES),
            announced: AtomicUsize::new(0),
            fresh: AtomicBool::new(false),
            http_2: AtomicBool::new(false),
            http_1: AtomicBool::new(false),
            idle: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            waker: AtomicWaker::new(),
            memo: Mutex::new(None),
        }
    }

    /// What the service remembers of it, until it remembers something else.
    pub fn recall<T: 'static, R>(&self, read: impl FnOnce(&T) -> R) -> Option<R> {
        let memo = self.memo.lock();
        memo.as_deref().and_then(|memo| memo.downcast_ref()).map(read)
    }

    pub fn remember<T: Send + 'static>(&self, memo: T) {
        *self.memo.lock() = Some(Box::new(memo));
    }

    /// Ends it from outside: its stream finds out when it is next polled, which is at once.
    pub fn end(&self) {
        self.ended.store(true, Ordering::Release);
        self.waker.wake();
    }

    pub fn is_closed(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }

    /// What polls the stream.
    pub fn wake_with(&self, waker: &Waker) {
        self.waker.register(waker);
    }

    pub fn set_http_2(&self) {
        self.http_2.store(true, Ordering::Relaxed);
        self.nothing_begun();
        self.allowed.store(FRAMES_BYTES, Ordering::Relaxed);
    }

    pub fn set_http_1(&self) {
        self.http_1.store(true, Ordering::Relaxed);
        self.nothing_begun();
    }

    /// Something comes of which nobody knows yet whether it is whole.
    pub fn begun(&self) {
        if self.begun.load(Ordering::Relaxed) == NEVER {
            self.begun.store(self.clock.millis(), Ordering::Relaxed);
        }
    }

    /// What has come is whole, as far as it is to be in time.
    fn nothing_begun(&self) {
        self.begun.store(NEVER, Ordering::Relaxed);
    }

    /// Over HTTP/2: where what has come so far ends, and whether something was whole before.
    pub fn set_frame_position(&self, end: End, passed: bool) {
        if passed || end == End::Between {
            self.nothing_begun();
        }
        if end != End::Between {
            self.begun();
        }
        self.in_frame.store(end == End::InHead, Ordering::Relaxed);
    }

    /// Ends it because nothing has been on it for too long. Over HTTP/1 whoever reads from it does so, if nothing has come
    /// at the last moment.
    fn end_idle(&self) {
        if self.http_1.load(Ordering::Relaxed) {
            self.idle.store(true, Ordering::Release);
            self.waker.wake();
        } else {
            self.end();
        }
    }

    /// Whether that was said since the last request.
    pub fn is_idle(&self) -> bool {
        self.idle.load(Ordering::Acquire)
    }

    /// Has it look whether there is something to do.
    pub fn wake(&self) {
        self.waker.wake();
    }

    /// The client takes nothing at present, or again something.
    pub fn blocked(&self, blocked: bool) {
        self.blocked_since.store(if blocked { self.clock.millis() } else { NEVER }, Ordering::Relaxed);
    }

    /// Whether everything has been answered since this was last asked: then the client may send as much as at first.
    /// What is left of a refused body is thrown away, and may still come.
    pub fn is_fresh(&self, arrived: usize) -> bool {
        let fresh = self.fresh.load(Ordering::Acquire)
            && self.requests.load(Ordering::Acquire) == 0
            && arrived >= self.announced.load(Ordering::Relaxed);
        if fresh {
            self.fresh.store(false, Ordering::Relaxed);
            self.announced.store(0, Ordering::Relaxed);
            let first = if self.http_2.load(Ordering::Relaxed) { FRAMES_BYTES } else { HEAD_BYTES };
            self.allowed.store(first, Ordering::Relaxed);
        }
        fresh
    }

    /// Whether the requests that are under way need as much as has come. Over HTTP/2 windows see to that.
    pub fn allows(&self, arrived: usize) -> bool {
        let many_at_once = self.http_2.load(Ordering::Relaxed) && self.requests.load(Ordering::Acquire) > 0;
        many_at_once || arrived <= self.allowed.load(Ordering::Relaxed)
    }

    /// Ends it if there is a reason to: answers that are not taken, or nothing on it for too long.
    pub fn close_if_overdue(&self, now: u64, idle: Duration) {
        let past = |since: u64, span: Duration| since != NEVER && since.saturating_add(millis(span)) < now;
        let blocked = past(self.blocked_since.load(Ordering::Relaxed), idle.min(BLOCKED));
        let asked_nothing = self.requests.load(Ordering::Acquire) == 0;
        let half = (asked_nothing || self.in_frame.load(Ordering::Relaxed))
            && past(self.begun.load(Ordering::Relaxed), HEAD_TIMEOUT);
        if blocked || half || past(self.due.load(Ordering::Relaxed), Duration::ZERO) {
            self.end();
        } else if asked_nothing && past(self.heard.load(Ordering::Relaxed), idle) {
            self.end_idle();
        }
    }

    /// A request begins that announces a body of so many bytes; one of unknown length may be so long.
    pub fn begin(self: &Arc<Self>, announced: Option<usize>, unknown: usize) -> InRequest {
        let before = self.requests.fetch_add(1, Ordering::AcqRel);
        self.idle.store(false, Ordering::Release);
        if self.http_1.load(Ordering::Relaxed) {
            self.nothing_begun();
        }
        let lent = if announced.is_none() && before == 0 { unknown } else { 0 };
        // Records of TLS cost something, too.
        let body = announced.unwrap_or(lent).min(1 << 40);
        self.allowed.fetch_add(body + body / 4, Ordering::Relaxed);
        self.announced.fetch_add(announced.map_or(0, |_| body), Ordering::Relaxed);
        InRequest { connection: self.clone(), before, lent: lent + lent / 4, answered: false }
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

/// A request that is on a connection.
#[derive(Debug)]
pub struct InRequest {
    connection: Arc<Connection>,
    /// Requests that were there already.
    pub before: usize,
    /// What a body of unknown length was allowed; taken back afterwards, for there it could hide other requests.
    lent: usize,
    answered: bool,
}

impl InRequest {
    /// Its answer is sent, and must be taken in this time.
    pub fn answer_due(&mut self, within: Duration) {
        let due = self.connection.clock.millis().saturating_add(millis(within));
        self.connection.answers.fetch_add(1, Ordering::AcqRel);
        self.answered = true;
        let _ = self.connection.due.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |others| {
            Some(if others == NEVER { due } else { others.max(due) })
        });
    }
}

impl Drop for InRequest {
    fn drop(&mut self) {
        let connection = &self.connection;
        if !connection.in_frame.load(Ordering::Relaxed) {
            connection.nothing_begun();
        }
        connection.heard.store(connection.clock.millis(), Ordering::Relaxed);
        connection.allowed.fetch_sub(self.lent, Ordering::Relaxed);
        connection.fresh.store(true, Ordering::Release);
        connection.requests.fetch_sub(1, Ordering::AcqRel);
        if self.answered && connection.answers.fetch_sub(1, Ordering::AcqRel) == 1 {
            connection.due.store(NEVER, Ordering::Relaxed);
        }
        if self.lent > 0 {
            connection.waker.wake();
        }
    }
}

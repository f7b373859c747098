//! The state of one connection, which its stream, its requests and the watchdog share.

use std::{
    any::Any,
    sync::{
        Arc,
        atomic::{
            AtomicBool, AtomicU64, AtomicUsize,
            Ordering::{Acquire, Relaxed, Release},
        },
    },
    task::Waker,
    time::Duration,
};

use futures_util::task::AtomicWaker;
use parking_lot::Mutex;

use crate::transport::limits::Clock;

/// Bytes accepted while no request is in flight: a request head of about 16 KiB, and the overhead of TLS.
pub const HEAD_BYTES: usize = 20 * 1024;
/// The same over HTTP/2, where several heads and the beginnings of their bodies may arrive at once.
const FRAMES_BYTES: usize = 256 * 1024;
/// How long a client may accept no output; the idle time-out, if that is shorter.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a request head, a TLS record or an HTTP/2 frame may take from its first byte to its last.
pub const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// The state of a connection.
///
/// Its stream and its requests run on one worker's thread, and only they write these fields. The exceptions are `closed`
/// and `idle`, which the watchdog sets from its own thread, where it also reads the others.
///
/// `requests` and `in_frame` are released and acquired: a thread that sees the end of a request or frame also sees its time. Other
/// accesses are `Relaxed`: a stale value makes a time-out fire a little early or late. A flag cannot be missed: it is stored before `waker.wake()`, and tasks register the waker
/// before they load it, which [`AtomicWaker`] synchronizes.
#[derive(Debug)]
pub struct Connection {
    clock: Clock,
    pub over_limit: bool,
    /// Requests in flight: each until its response has been sent.
    requests: AtomicUsize,
    /// When the last request ended, in milliseconds.
    last_active: AtomicU64,
    /// Since when a head, record or frame has been incomplete.
    partial_since: AtomicU64,
    /// An HTTP/2 frame is incomplete, so nothing else can arrive, not even for requests in flight.
    in_frame: AtomicBool,
    /// Since when the client has accepted no output.
    blocked_since: AtomicU64,
    /// Responses being sent.
    responses: AtomicUsize,
    /// When they must have been sent.
    responses_due: AtomicU64,
    /// Bytes that may arrive until the count starts again.
    allowance: AtomicUsize,
    /// The part of it that is bodies of a known length.
    announced: AtomicUsize,
    /// A request has ended since the count last started.
    request_ended: AtomicBool,
    /// What the requests since the last look have earned for the frames of the client (HTTP/2 only).
    earned: AtomicUsize,
    http_2: AtomicBool,
    http_1: AtomicBool,
    /// It speaks another protocol, which has limits of its own.
    other_protocol: AtomicBool,
    idle: AtomicBool,
    closed: AtomicBool,
    waker: AtomicWaker,
    memo: Mutex<Option<Box<dyn Any + Send>>>,
}

/// Where the input received over HTTP/2 ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FramePosition {
    Between,
    /// Within a DATA frame: bodies have a time-out of their own.
    InData,
    /// Within any other frame, or before the rest of a header block.
    InHead,
}

/// No time, in `partial_since`, `blocked_since` and `responses_due`.
const NEVER: u64 = u64::MAX;

impl Connection {
    pub fn new(clock: Clock, over_limit: bool) -> Self {
        let now = clock.millis();
        Self {
            clock,
            over_limit,
            requests: AtomicUsize::default(),
            last_active: AtomicU64::new(now),
            partial_since: AtomicU64::new(NEVER),
            in_frame: AtomicBool::default(),
            blocked_since: AtomicU64::new(NEVER),
            responses: AtomicUsize::default(),
            responses_due: AtomicU64::new(NEVER),
            allowance: AtomicUsize::new(HEAD_BYTES),
            announced: AtomicUsize::default(),
            request_ended: AtomicBool::default(),
            earned: AtomicUsize::default(),
            http_2: AtomicBool::default(),
            http_1: AtomicBool::default(),
            other_protocol: AtomicBool::default(),
            idle: AtomicBool::default(),
            closed: AtomicBool::default(),
            waker: AtomicWaker::new(),
            memo: Mutex::default(),
        }
    }

    /// Reads what the service last remembered about this connection.
    pub fn recall<T: 'static, R>(&self, read: impl FnOnce(&T) -> R) -> Option<R> {
        let memo = self.memo.lock();
        memo.as_deref().and_then(|memo| memo.downcast_ref()).map(read)
    }

    pub fn remember<T: Send + 'static>(&self, memo: T) {
        *self.memo.lock() = Some(Box::new(memo));
    }

    /// Closes the connection from outside its task.
    pub fn close(&self) {
        self.closed.store(true, Relaxed);
        self.waker.wake();
    }

    pub fn is_closed(&self) -> bool {
        self.closed.load(Relaxed)
    }

    pub fn register_waker(&self, waker: &Waker) {
        self.waker.register(waker);
    }

    pub fn wake(&self) {
        self.waker.wake();
    }

    pub fn set_http_2(&self) {
        self.http_2.store(true, Relaxed);
        self.clear_partial();
        self.allowance.store(FRAMES_BYTES, Relaxed);
    }

    pub fn set_http_1(&self) {
        self.http_1.store(true, Relaxed);
        self.clear_partial();
    }

    pub fn set_other_protocol(&self) {
        self.other_protocol.store(true, Relaxed);
    }

    pub fn is_other_protocol(&self) -> bool {
        self.other_protocol.load(Relaxed)
    }

    /// A request has been of use, so its client may send more frames.
    pub fn earn(&self, amount: usize) {
        self.earned.fetch_add(amount, Relaxed);
    }

    pub fn take_earned(&self) -> usize {
        self.earned.swap(0, Relaxed)
    }

    /// In milliseconds.
    pub fn now(&self) -> u64 {
        self.clock.millis()
    }

    /// Input has arrived that may be incomplete.
    pub fn set_partial(&self) {
        if self.partial_since.load(Relaxed) == NEVER {
            self.partial_since.store(self.clock.millis(), Relaxed);
        }
    }

    fn clear_partial(&self) {
        self.partial_since.store(NEVER, Relaxed);
    }

    /// Over HTTP/2: where the input ends, and whether a frame was completed before.
    pub fn set_frame_position(&self, position: FramePosition, completed: bool) {
        if completed || position == FramePosition::Between {
            self.clear_partial();
        }
        if position != FramePosition::Between {
            self.set_partial();
        }
        self.in_frame.store(position == FramePosition::InHead, Release);
    }

    /// The watchdog has found the connection idle since its last request.
    pub fn is_idle(&self) -> bool {
        self.idle.load(Relaxed)
    }

    pub fn set_write_blocked(&self, blocked: bool) {
        self.blocked_since.store(if blocked { self.clock.millis() } else { NEVER }, Relaxed);
    }

    /// Whether to count arriving bytes from zero again: all requests have been answered since the last time. The rest of
    /// a refused body is discarded and may still arrive.
    pub fn restarts_count(&self, arrived: usize) -> bool {
        let restarts = self.request_ended.load(Relaxed)
            && self.requests.load(Relaxed) == 0
            && arrived >= self.announced.load(Relaxed);
        if restarts {
            self.request_ended.store(false, Relaxed);
            self.announced.store(0, Relaxed);
            let allowance = if self.http_2.load(Relaxed) { FRAMES_BYTES } else { HEAD_BYTES };
            self.allowance.store(allowance, Relaxed);
        }
        restarts
    }

    /// Whether the requests in flight account for the bytes that have arrived. HTTP/2 has flow control for them.
    pub fn allows(&self, arrived: usize) -> bool {
        let flow_controlled = self.http_2.load(Relaxed) && self.requests.load(Relaxed) > 0;
        flow_controlled || arrived <= self.allowance.load(Relaxed) || self.is_other_protocol()
    }

    /// Closes the connection if a time-out has passed. One that is merely idle closes itself, unless a request has arrived by
    /// then, and an HTTP/2 client is told before.
    pub fn close_if_overdue(&self, now: u64, idle: Duration) {
        let past = |since: &AtomicU64, span: Duration| {
            let since = since.load(Relaxed);
            since != NEVER && since.saturating_add(millis(span)) < now
        };
        let no_request = self.requests.load(Acquire) == 0 && !self.is_other_protocol();
        let may_be_late = no_request || self.in_frame.load(Acquire);
        let write = if self.is_other_protocol() { WRITE_TIMEOUT } else { idle.min(WRITE_TIMEOUT) };
        if past(&self.blocked_since, write)
            || past(&self.responses_due, Duration::ZERO)
            || (may_be_late && past(&self.partial_since, HEAD_TIMEOUT))
        {
            self.close();
        } else if no_request && past(&self.last_active, idle) {
            // Before it speaks either, it is in its handshake.
            if self.http_1.load(Relaxed) || self.http_2.load(Relaxed) {
                self.idle.store(true, Relaxed);
                self.wake();
            } else {
                self.close();
            }
        }
    }

    /// A request begins. `body_max` is what a body of unknown length may have.
    pub fn begin(self: &Arc<Self>, content_length: Option<usize>, body_max: usize) -> RequestGuard {
        let others = self.requests.fetch_add(1, Relaxed);
        self.idle.store(false, Relaxed);
        if self.http_1.load(Relaxed) {
            self.clear_partial();
        }
        let lent = if content_length.is_none() && others == 0 { body_max } else { 0 };
        let body = content_length.unwrap_or(lent).min(1 << 40);
        self.allowance.fetch_add(with_overhead(body), Relaxed);
        self.announced.fetch_add(content_length.map_or(0, |_| body), Relaxed);
        RequestGuard { connection: self.clone(), others, lent: with_overhead(lent), is_sending: false }
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

/// What a body may take on the wire, with chunk sizes and TLS records.
fn with_overhead(body: usize) -> usize {
    body + body / 4
}

/// Counts a request as in flight until dropped.
#[derive(Debug)]
pub struct RequestGuard {
    connection: Arc<Connection>,
    /// Requests that were in flight before it.
    pub others: usize,
    /// The allowance for a body of unknown length; taken back at the end, because further requests could hide in it.
    lent: usize,
    is_sending: bool,
}

impl RequestGuard {
    /// The response is about to be sent, and must have been within this time.
    pub fn response_due(&mut self, within: Duration) {
        let connection = &self.connection;
        let due = connection.clock.millis().saturating_add(millis(within));
        let earlier = connection.responses_due.load(Relaxed);
        connection.responses.fetch_add(1, Relaxed);
        connection.responses_due.store(if earlier == NEVER { due } else { earlier.max(due) }, Relaxed);
        self.is_sending = true;
    }
}

impl Drop for RequestGuard {
    fn drop(&mut self) {
        let connection = &self.connection;
        if !connection.in_frame.load(Relaxed) {
            connection.clear_partial();
        }
        connection.last_active.store(connection.clock.millis(), Relaxed);
        connection.allowance.fetch_sub(self.lent, Relaxed);
        connection.request_ended.store(true, Relaxed);
        connection.requests.fetch_sub(1, Release);
        if self.is_sending && connection.responses.fetch_sub(1, Relaxed) == 1 {
            connection.responses_due.store(NEVER, Relaxed);
        }
        if self.lent > 0 {
            connection.wake();
        }
    }
}

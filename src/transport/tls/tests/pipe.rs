//! A socket in memory.

use std::{
    cell::RefCell,
    collections::VecDeque,
    io,
    pin::Pin,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    task::{Context, Poll, Wake, Waker},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The other end of a stream.
#[derive(Clone, Default)]
pub struct Pipe(pub Rc<RefCell<Wire>>);

pub struct Wire {
    /// What each read gives, at most.
    pub input: VecDeque<Vec<u8>>,
    pub input_ended: bool,
    pub output: Vec<u8>,
    /// Bytes of output until a write has to wait.
    pub room: usize,
    /// The error of the next write; `WriteZero` is a write of nothing.
    pub write_error: Option<io::ErrorKind>,
    pub shutdown_error: Option<io::ErrorKind>,
    pub shut_down: bool,
    /// A read or a write has returned `Pending`, and would wake its task.
    pub waits: bool,
    /// How many there were, and their bytes.
    pub reads: usize,
    pub received: usize,
}

impl Default for Wire {
    fn default() -> Self {
        let (input, output) = (VecDeque::new(), Vec::new());
        Self {
            input,
            input_ended: false,
            output,
            room: usize::MAX,
            write_error: None,
            shutdown_error: None,
            shut_down: false,
            waits: false,
            reads: 0,
            received: 0,
        }
    }
}

impl Pipe {
    pub fn push(&self, bytes: impl Into<Vec<u8>>) {
        let bytes = bytes.into();
        assert!(!bytes.is_empty(), "it would be the end of the input");
        self.0.borrow_mut().input.push_back(bytes);
    }

    pub fn end_input(&self) {
        self.0.borrow_mut().input_ended = true;
    }

    pub fn take_output(&self) -> Vec<u8> {
        std::mem::take(&mut self.0.borrow_mut().output)
    }

    pub fn set_room(&self, room: usize) {
        self.0.borrow_mut().room = room;
    }

    pub fn is_shut_down(&self) -> bool {
        self.0.borrow().shut_down
    }

    /// Polls, and checks that a pending task would be woken.
    pub fn poll<R>(&self, mut work: impl FnMut(&mut Context<'_>) -> Poll<R>) -> Poll<R> {
        // More than any test needs. A task that wakes itself is polled at once.
        for _ in 0..100_000 {
            match self.poll_once(&mut work) {
                (Poll::Pending, true) => {}
                (outcome, _) => return outcome,
            }
        }
        panic!("it wakes itself for ever");
    }

    /// Polls once; whether the task has woken itself.
    pub fn poll_once<R>(&self, mut work: impl FnMut(&mut Context<'_>) -> Poll<R>) -> (Poll<R>, bool) {
        struct Wakes(AtomicUsize);

        impl Wake for Wakes {
            fn wake(self: Arc<Self>) {
                self.0.fetch_add(1, Relaxed);
            }
        }

        self.0.borrow_mut().waits = false;
        let wakes = Arc::new(Wakes(AtomicUsize::new(0)));
        let outcome = work(&mut Context::from_waker(&Waker::from(wakes.clone())));
        let woken = wakes.0.load(Relaxed) > 0;
        if outcome.is_pending() {
            assert!(woken || self.0.borrow().waits, "nothing would wake the task");
        }
        (outcome, woken)
    }
}

impl AsyncRead for Pipe {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let mut wire = self.0.borrow_mut();
        wire.reads += 1;
        assert!(into.remaining() > 0, "a read into no buffer looks like the end of the input");
        let Some(mut bytes) = wire.input.pop_front() else {
            wire.waits |= !wire.input_ended;
            return if wire.input_ended { Poll::Ready(Ok(())) } else { Poll::Pending };
        };
        let rest = bytes.split_off(bytes.len().min(into.remaining()));
        into.put_slice(&bytes);
        wire.received += bytes.len();
        if !rest.is_empty() {
            wire.input.push_front(rest);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Pipe {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let mut wire = self.0.borrow_mut();
        if let Some(kind) = wire.write_error.take() {
            if kind == io::ErrorKind::WriteZero {
                return Poll::Ready(Ok(0));
            }
            return Poll::Ready(Err(kind.into()));
        }
        assert!(!wire.shut_down, "a write after the socket was shut down");
        let length = bytes.len().min(wire.room);
        if length == 0 {
            wire.waits = true;
            return Poll::Pending;
        }
        wire.room -= length;
        wire.output.extend_from_slice(&bytes[..length]);
        Poll::Ready(Ok(length))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut wire = self.0.borrow_mut();
        wire.shut_down = true;
        Poll::Ready(wire.shutdown_error.map_or(Ok(()), |kind| Err(kind.into())))
    }
}

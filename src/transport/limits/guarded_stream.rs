//! Closes the socket if the client stops reading, sends more than its requests need, or the watchdog says so.

use std::{
    future::Future,
    io::{self, IoSlice},
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use actix_web::rt::net::{ActixStream, Ready, TcpStream};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::Sleep,
};

use crate::transport::limits::{
    connection::Connection,
    registry::{ConnectionRegistry, Slot},
};

/// Wrapped directly around the socket, so that TLS handshakes are guarded, too.
#[derive(Debug)]
pub struct GuardedStream {
    io: TcpStream,
    peer: SocketAddr,
    /// Only TLS sees the input until a record is complete.
    under_tls: bool,
    /// The kernel was told to keep little output, see [`OUTPUT_KEPT`].
    keeps_little: bool,
    /// The last write was refused, because the client does not read.
    write_blocked: bool,
    /// Bytes since the connection was opened.
    received: u64,
    /// Bytes since the count last started, see [`Connection::restarts_count`].
    arrived: usize,
    /// They were more than the requests known by then allow.
    over_allowance: bool,
    /// Bytes since the last pause.
    burst: usize,
    /// A pause in reading. Not a mere `Pending`: a reader with buffered input would come back at once.
    pause: Option<Pin<Box<Sleep>>>,
    slot: Slot,
}

/// Bytes read before the rest of the connection's work gets a turn.
const BURST_MAX: usize = 64 * 1024;
/// How much output of another protocol the kernel keeps, besides what is in transit. The rest is media, which is worth nothing once
/// it is late, and may be dropped only as long as it is here.
const OUTPUT_KEPT: u32 = 16 * 1024;
const PAUSE: Duration = Duration::from_millis(1);

impl GuardedStream {
    /// Guards an accepted connection, if there is room for it.
    pub fn accept(io: TcpStream, connections: &Arc<ConnectionRegistry>, under_tls: bool) -> io::Result<Self> {
        io.set_nodelay(true)?;
        let peer = io.peer_addr()?;
        let slot = connections.admit(peer)?;
        let (write_blocked, over_allowance, keeps_little) = (false, false, false);
        let (received, arrived, burst, pause) = (0, 0, 0, None);
        Ok(Self {
            io,
            peer,
            under_tls,
            keeps_little,
            write_blocked,
            received,
            arrived,
            over_allowance,
            burst,
            pause,
            slot,
        })
    }

    pub fn peer(&self) -> SocketAddr {
        self.peer
    }

    pub fn connection(&self) -> &Arc<Connection> {
        &self.slot.connection
    }

    /// The first byte that arrives, which stays to be read; `None` at the end.
    pub async fn peek(&self) -> io::Result<Option<u8>> {
        let mut first = [0];
        Ok((self.io.peek(&mut first).await? > 0).then_some(first[0]))
    }

    /// Bytes since the connection was opened.
    pub fn received(&self) -> u64 {
        self.received
    }

    /// Whether the connection was closed. The kernel does not keep output that nobody reads.
    fn is_closed(&self) -> bool {
        let closed = self.connection().is_closed();
        if closed && self.write_blocked {
            let _ = socket2::SockRef::from(&self.io).set_linger(Some(Duration::ZERO));
        }
        closed
    }

    fn track_write(&mut self, context: &Context<'_>, wrote: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        let blocked = wrote.is_pending();
        if blocked {
            self.connection().register_waker(context.waker());
        }
        if blocked != self.write_blocked {
            self.connection().set_write_blocked(blocked);
        }
        if self.write_blocked && !blocked {
            // `poll_read` has returned `Pending` meanwhile.
            context.waker().wake_by_ref();
        }
        self.write_blocked = blocked;
        wrote
    }
}

impl AsyncRead for GuardedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.connection().register_waker(context.waker());
        if self.is_closed() {
            return Poll::Ready(Ok(()));
        }
        // A client that does not read sends no further requests: their responses would pile up.
        if self.write_blocked && !self.connection().is_other_protocol() {
            return Poll::Pending;
        }
        if let Some(pause) = &mut self.pause {
            ready!(pause.as_mut().poll(context));
            self.pause = None;
        }
        if self.connection().restarts_count(self.arrived) {
            self.arrived = 0;
        }
        let allowed = self.connection().allows(self.arrived);
        if !allowed && self.over_allowance {
            self.connection().close();
            return Poll::Ready(Ok(()));
        }
        // After a pause, the head of a request that needs more may have been parsed.
        self.over_allowance = !allowed;
        if !allowed || self.burst >= BURST_MAX {
            self.burst = 0;
            let pause = self.pause.insert(Box::pin(tokio::time::sleep(PAUSE)));
            // Polled once, or its timer would wake nobody.
            ready!(pause.as_mut().poll(context));
        }
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.io).poll_read(context, buffer);
        let length = buffer.filled().len() - before;
        self.burst = if read.is_pending() { 0 } else { self.burst + length };
        self.arrived += length;
        self.received += length as u64;
        if self.under_tls && length > 0 {
            self.connection().set_partial();
        }
        read
    }
}

impl AsyncWrite for GuardedStream {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.is_closed() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        if !self.keeps_little && self.connection().is_other_protocol() {
            self.keeps_little = true;
            let _ = socket2::SockRef::from(&self.io).set_tcp_notsent_lowat(OUTPUT_KEPT);
        }
        let wrote = Pin::new(&mut self.io).poll_write(context, bytes);
        self.track_write(context, wrote)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.is_closed() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        let wrote = Pin::new(&mut self.io).poll_write_vectored(context, slices);
        self.track_write(context, wrote)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }
}

impl ActixStream for GuardedStream {
    fn poll_read_ready(&self, context: &mut Context<'_>) -> Poll<io::Result<Ready>> {
        ActixStream::poll_read_ready(&self.io, context)
    }

    fn poll_write_ready(&self, context: &mut Context<'_>) -> Poll<io::Result<Ready>> {
        ActixStream::poll_write_ready(&self.io, context)
    }
}

//! A connection's stream, which ends when its client takes no answers, sends more than requests need, or is told to.

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
    registry::{ConnectionRegistry, Seat},
};

/// Wrapped directly around the socket, so that it is in force during TLS handshakes, too.
#[derive(Debug)]
pub struct GuardedStream {
    io: TcpStream,
    peer: SocketAddr,
    connection: Arc<Connection>,
    /// Nobody sees what comes before all of a record is there.
    under_tls: bool,
    /// The client takes nothing at present.
    blocked: bool,
    /// Bytes since there was nothing to do.
    arrived: usize,
    /// That was more than the requests need, as far as they were known.
    warned: bool,
    /// Bytes since the rest of the connection's work last had its turn.
    at_a_stretch: usize,
    /// Until when it has its turn. Not a mere `Pending`: what reads here may have something left, and be back at once.
    rest: Option<Pin<Box<Sleep>>>,
    _seat: Seat,
}

/// What a client may send at a stretch before what has come is worked off.
const STRETCH: usize = 64 * 1024;
const REST: Duration = Duration::from_millis(1);

impl GuardedStream {
    /// A connection that has come, if there is room for it.
    pub fn accept(io: TcpStream, connections: &Arc<ConnectionRegistry>) -> io::Result<Self> {
        io.set_nodelay(true)?;
        let peer = io.peer_addr()?;
        Ok(Self::new(io, peer, connections.admit(peer)?))
    }

    fn new(io: TcpStream, peer: SocketAddr, seat: Seat) -> Self {
        let connection = seat.connection().clone();
        Self {
            io,
            peer,
            connection,
            under_tls: false,
            blocked: false,
            arrived: 0,
            warned: false,
            at_a_stretch: 0,
            rest: None,
            _seat: seat,
        }
    }

    pub fn under_tls(self) -> Self {
        Self { under_tls: true, ..self }
    }

    pub fn peer(&self) -> SocketAddr {
        self.peer
    }

    pub fn connection(&self) -> &Arc<Connection> {
        &self.connection
    }

    /// Whether the connection is to end. The kernel is not left with answers that nobody takes.
    fn ended(&self) -> bool {
        let ended = self.connection.is_closed();
        if ended && self.blocked {
            let _ = socket2::SockRef::from(&self.io).set_linger(Some(Duration::ZERO));
        }
        ended
    }

    /// Keeps in mind whether the client takes what it is sent.
    fn note(&mut self, context: &Context<'_>, wrote: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        let blocked = wrote.is_pending();
        if blocked {
            self.connection.wake_with(context.waker());
        }
        if blocked != self.blocked {
            self.connection.blocked(blocked);
        }
        if self.blocked && !blocked {
            // Reading was put off meanwhile.
            context.waker().wake_by_ref();
        }
        self.blocked = blocked;
        wrote
    }
}

impl AsyncRead for GuardedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.connection.wake_with(context.waker());
        if self.ended() {
            return Poll::Ready(Ok(()));
        }
        // Who takes no answers is asked for no further requests: their answers would pile up.
        if self.blocked {
            return Poll::Pending;
        }
        if let Some(rest) = &mut self.rest {
            ready!(rest.as_mut().poll(context));
            self.rest = None;
        }
        if self.connection.is_fresh(self.arrived) {
            self.arrived = 0;
        }
        let allowed = self.connection.allows(self.arrived);
        if !allowed && self.warned {
            self.connection.end();
            return Poll::Ready(Ok(()));
        }
        // Perhaps a request is complete by now, and needs more.
        self.warned = !allowed;
        if !allowed || self.at_a_stretch >= STRETCH {
            self.at_a_stretch = 0;
            let rest = self.rest.insert(Box::pin(tokio::time::sleep(REST)));
            // It is not over yet; this leaves word when it will be.
            ready!(rest.as_mut().poll(context));
        }
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.io).poll_read(context, buffer);
        let length = buffer.filled().len() - before;
        self.at_a_stretch = if read.is_pending() { 0 } else { self.at_a_stretch + length };
        self.arrived += length;
        if self.under_tls && length > 0 {
            self.connection.begun();
        }
        read
    }
}

impl AsyncWrite for GuardedStream {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.ended() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        let wrote = Pin::new(&mut self.io).poll_write(context, bytes);
        self.note(context, wrote)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.ended() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        let wrote = Pin::new(&mut self.io).poll_write_vectored(context, slices);
        self.note(context, wrote)
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

//! The decrypted stream of an HTTP/2 connection, whose frames are followed before actix-http parses them.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
};

use actix_tls::accept::rustls_0_23::TlsStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::transport::{
    http2::{frame_budget::FrameBudget, header_block_guard::HeaderBlockGuard},
    limits::guarded_stream::GuardedStream,
};

/// GOAWAY (RFC 9113 section 6.8) with the error `ENHANCE_YOUR_CALM`, without the last stream.
const CALM_DOWN: [u8; 17] = [0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 11];

pub struct Inspected {
    tls: TlsStream<GuardedStream>,
    guard: HeaderBlockGuard,
    budget: FrameBudget,
    /// Bytes on the wire that are paid for.
    paid: u64,
    /// h2 has written whole frames only: it flushes after each.
    flushed: bool,
    refused: bool,
}

impl Inspected {
    pub fn new(tls: TlsStream<GuardedStream>) -> Self {
        let guarded = tls.get_ref().0;
        let (budget, paid) = (FrameBudget::new(guarded.connection().now()), guarded.received());
        let guard = HeaderBlockGuard::awaiting_preface();
        Self { tls, guard, budget, paid, flushed: false, refused: false }
    }

    pub fn guarded(&self) -> &GuardedStream {
        self.tls.get_ref().0
    }

    /// Whether the client may go on after this input.
    fn allows(&mut self, bytes: &[u8]) -> bool {
        let fits = self.guard.inspect(bytes);
        let guarded = self.tls.get_ref().0;
        let (connection, received) = (guarded.connection(), guarded.received());
        // Bytes on the wire: TLS records of one byte each would cost much, too.
        let wire = usize::try_from(received - self.paid).unwrap_or(usize::MAX);
        self.paid = received;
        let paid = self.budget.spend(self.guard.take_cost(), wire, connection.take_earned(), connection.now());
        if fits && paid {
            connection.set_frame_position(self.guard.position(), self.guard.has_completed());
        }
        fits && paid
    }

    /// Says why, if that does not have to wait, and closes.
    fn refuse(&mut self, context: &mut Context<'_>) {
        tracing::debug!(
            "an HTTP/2 client was disconnected: too many frames that serve no request, or too long a header block"
        );
        if self.flushed {
            let mut bytes = CALM_DOWN;
            bytes[9..13].copy_from_slice(&self.guard.last_stream().to_be_bytes());
            let tls = &mut self.tls;
            let wrote = Pin::new(&mut *tls).poll_write(context, &bytes);
            let flushed = Pin::new(tls).poll_flush(context);
            // The client may be gone, or not read.
            drop((wrote, flushed));
        }
        self.refused = true;
        self.guarded().connection().close();
    }
}

impl AsyncRead for Inspected {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.refused {
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut this.tls).poll_read(context, buffer))?;
        if !this.allows(&buffer.filled()[before..]) {
            buffer.set_filled(before);
            this.refuse(context);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Inspected {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.flushed = false;
        Pin::new(&mut this.tls).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.flushed = false;
        Pin::new(&mut this.tls).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.tls.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(Pin::new(&mut this.tls).poll_flush(context))?;
        this.flushed = true;
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().tls).poll_shutdown(context)
    }
}

//! A [`Session`] and its socket.

use std::{
    future::poll_fn,
    io::{self, IoSlice},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{
    scratch,
    session::{PLAINTEXT_MAX, RECORD_MAX, Session},
};

/// Bytes read in one poll without obtaining plaintext, before other tasks get a turn. 16 KiB may hold 600 key updates.
const FRUITLESS_MAX: usize = 16 * 1024;
/// What a read counts for at least. A record may arrive byte by byte.
const READ_COST_MIN: usize = FRUITLESS_MAX / 4;

/// The server side of a TLS connection.
///
/// * One task must do both reading and writing: reads send alerts and other unsent output, too.
/// * `poll_write` accepts output only when the socket has taken all earlier output, so no more than one write is kept.
/// * If the input ends without `close_notify`, reading fails with [`UnexpectedEof`](io::ErrorKind::UnexpectedEof).
/// * After `close_notify` from the client, output can still be written.
/// * After `poll_shutdown`, input is discarded.
pub struct TlsStream<T> {
    io: T,
    session: Box<Session>,
}

impl<T: AsyncRead + AsyncWrite + Unpin> TlsStream<T> {
    /// Performs the handshake. Its input is bounded; the caller bounds its time.
    pub async fn accept(io: T, config: Arc<ServerConfig>) -> io::Result<Self> {
        let session = Box::new(Session::new(config).map_err(io::Error::other)?);
        let mut stream = Self { io, session };
        while stream.session.is_handshaking() {
            poll_fn(|context| stream.poll_receive(context, &mut ReadBuf::new(&mut []))).await?;
            // If the handshake has failed, this sends the alert, and the next read returns the error.
            poll_fn(|context| Pin::new(&mut stream).poll_flush(context)).await?;
        }
        Ok(stream)
    }

    pub fn alpn_protocol(&self) -> Option<&[u8]> {
        self.session.alpn_protocol()
    }

    pub fn get_ref(&self) -> &T {
        &self.io
    }

    #[cfg(test)]
    pub(super) fn session(&self) -> &Session {
        &self.session
    }

    /// Reads from the socket once; returns how many bytes, even if they complete no record.
    fn poll_receive(&mut self, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<usize>> {
        self.session.check()?;
        let Self { io, session } = self;
        let length = ready!(scratch::lend(session.read_size(), |buffer| -> Poll<io::Result<usize>> {
            let kept = session.incomplete().len();
            let mut unfilled = ReadBuf::new(&mut buffer[kept..]);
            ready!(Pin::new(io).poll_read(context, &mut unfilled))?;
            let length = unfilled.filled().len();
            if length == 0 {
                return Poll::Ready(session.end_input().map(|()| 0));
            }
            buffer[..kept].copy_from_slice(session.incomplete());
            session.receive(&mut buffer[..kept + length], into);
            Poll::Ready(Ok(length))
        }))?;
        // Handshake messages and alerts. The next call retries what the socket does not take now.
        let _ = self.poll_send(context);
        Poll::Ready(Ok(length))
    }

    /// Ready when the socket has taken all ciphertext.
    fn poll_send(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.session.unsent().is_empty() {
            match ready!(Pin::new(&mut self.io).poll_write(context, self.session.unsent()))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                length => self.session.sent(length),
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Sends ciphertext, and keeps what the socket does not take, even because of an error: the plaintext counts as
    /// accepted, and a gap in the ciphertext would break the connection. The next call meets the error again.
    fn send(&mut self, context: &mut Context<'_>, mut ciphertext: &[u8]) {
        while !ciphertext.is_empty() {
            match Pin::new(&mut self.io).poll_write(context, ciphertext) {
                Poll::Ready(Ok(length)) if length > 0 => ciphertext = &ciphertext[length..],
                _ => break,
            }
        }
        self.session.keep_unsent(ciphertext);
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncRead for TlsStream<T> {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        // Writes and flushes report errors.
        let _ = this.poll_send(context);
        let before = into.filled().len();
        let mut budget = FRUITLESS_MAX;
        while budget > 0 {
            if into.remaining() == 0 || this.session.take_plaintext(into) || this.session.is_input_closed() {
                return Poll::Ready(Ok(()));
            }
            let length = ready!(this.poll_receive(context, into))?;
            budget = budget.saturating_sub(length.max(READ_COST_MIN));
            if into.filled().len() > before {
                return Poll::Ready(Ok(()));
            }
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncWrite for TlsStream<T> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        ready!(this.poll_send(context))?;
        let plaintext = &bytes[..bytes.len().min(PLAINTEXT_MAX)];
        scratch::lend(RECORD_MAX, |ciphertext| {
            let length = this.session.encrypt(plaintext, ciphertext)?;
            this.send(context, &ciphertext[..length]);
            Poll::Ready(Ok(plaintext.len()))
        })
    }

    /// Collects the slices, each of which would be a record. HTTP/2 passes a frame's header and payload as two.
    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        ready!(this.poll_send(context))?;
        let mut filled = slices.iter().filter(|slice| !slice.is_empty());
        let first = filled.next().map_or(&[][..], |slice| slice);
        if first.len() >= PLAINTEXT_MAX || filled.next().is_none() {
            return Pin::new(this).poll_write(context, first);
        }
        scratch::lend(PLAINTEXT_MAX, |collected| {
            let mut length = 0;
            for slice in slices {
                let taken = slice.len().min(PLAINTEXT_MAX - length);
                collected[length..length + taken].copy_from_slice(&slice[..taken]);
                length += taken;
            }
            Pin::new(this).poll_write(context, &collected[..length])
        })
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_send(context))?;
        Pin::new(&mut this.io).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.session.close_output();
        ready!(this.poll_send(context))?;
        match ready!(Pin::new(&mut this.io).poll_shutdown(context)) {
            // The client has closed the connection already.
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Poll::Ready(Ok(())),
            result => Poll::Ready(result),
        }
    }
}

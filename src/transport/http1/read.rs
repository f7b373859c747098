//! Reading requests: heads, bodies, and `100 Continue`.

use std::{
    future::poll_fn,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use actix_http::{
    Request as DecodedRequest,
    error::{ParseError, PayloadError},
    h1::{Message, MessageType},
};
use actix_web::{dev::Payload, http::StatusCode, web::BytesMut};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::codec::Decoder;

use crate::transport::{
    Request, Service,
    body::Body,
    http1::{Disconnected, Http1, Next, head::RequestHead, upgrades},
    limits::connection::{HEAD_BYTES, HEAD_TIMEOUT},
    other_protocol::OtherProtocol,
    payload::PayloadSender,
};

/// Input buffered beyond the current request. `GuardedStream` has a lower bound, except for long bodies.
const READ_BUF_MAX: usize = 128 * 1024;
const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

impl<T: AsyncRead + AsyncWrite + Unpin, S: Service> Http1<T, S> {
    pub(super) async fn next(&mut self) -> Next {
        loop {
            if let Some(next) = self.decode() {
                return next;
            }
            if let Err(end) = poll_fn(|context| self.poll_head(context)).await {
                return end;
            }
        }
    }

    fn decode(&mut self) -> Option<Next> {
        if self.read_buf.is_empty() {
            return None;
        }
        if let Some(other) = self.other_protocol() {
            // Only HTTP has a response that says so.
            return Some(if self.connection.over_limit { Next::End } else { Next::Other(other) });
        }
        if let Some(request) = self.take_in_place() {
            self.release_read_buf();
            return Some(Next::Request(request));
        }
        upgrades::ignore(&mut self.read_buf, |path| self.worker.service.upgrades(path));
        let next = match self.codec.decode(&mut self.read_buf) {
            // The connection accepts no more of a head, and is about to be closed.
            Ok(None) if self.read_buf.len() > HEAD_BYTES => Next::Invalid(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE),
            Ok(None) => return None,
            Ok(Some(Message::Item(request))) => {
                self.head_received();
                self.try_in_place = true;
                Next::Request(self.attach_body(request))
            }
            Ok(Some(Message::Chunk(_))) | Err(ParseError::Io(_)) => Next::End,
            Err(ParseError::TooLarge) => Next::Invalid(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE),
            Err(_) => Next::Invalid(StatusCode::BAD_REQUEST),
        };
        self.release_read_buf();
        Some(next)
    }

    fn other_protocol(&self) -> Option<Arc<dyn OtherProtocol>> {
        let first = self.read_buf.first().filter(|_| self.awaits_first_request)?;
        self.worker.others.as_ref().filter(|other| other.recognizes(*first)).cloned()
    }

    /// The next request, if it is complete and simple. Tried once: a request that arrives in pieces is left to the codec.
    fn take_in_place(&mut self) -> Option<Request> {
        if !self.try_in_place {
            return None;
        }
        let Some((head, body)) = RequestHead::take(&mut self.read_buf) else {
            self.try_in_place = false;
            return None;
        };
        self.head_received();
        Some(Request::in_place(head, Body::Whole(body), self.peer, self.connection.clone()))
    }

    fn head_received(&mut self) {
        (self.awaits_first_request, self.head_due) = (false, None);
    }

    /// Waits for more of a head, or for a reason to stop waiting.
    fn poll_head(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Next>> {
        match self.poll_read(context) {
            Poll::Ready(Ok(0) | Err(_)) => return Poll::Ready(Err(Next::End)),
            Poll::Ready(Ok(_)) => return Poll::Ready(Ok(())),
            Poll::Pending => {}
        }
        if self.worker.connections.is_draining() {
            return Poll::Ready(Err(Next::End));
        }
        // Between requests the watchdog decides. A head has its time-out from its first byte on, the first head of a connection
        // from the start.
        let late = if self.awaits_first_request || !self.read_buf.is_empty() {
            let due = self.head_due.get_or_insert_with(|| Box::pin(tokio::time::sleep(HEAD_TIMEOUT)));
            due.as_mut().poll(context).is_ready()
        } else {
            self.connection.is_idle()
        };
        match late {
            false => Poll::Pending,
            // Empty lines before a request are ignored (RFC 9112 section 2.2), so there is nothing to answer.
            true if self.read_buf.iter().all(|byte| matches!(byte, b'\r' | b'\n')) => Poll::Ready(Err(Next::End)),
            true => Poll::Ready(Err(Next::Invalid(StatusCode::REQUEST_TIMEOUT))),
        }
    }

    pub(super) fn poll_read(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        self.worker.buffers.poll_read(&mut self.io, context, &mut self.read_buf)
    }

    /// Frees the buffer when all of it is parsed.
    fn release_read_buf(&mut self) {
        if self.read_buf.is_empty() {
            self.read_buf = BytesMut::new();
        }
    }

    fn attach_body(&mut self, mut request: DecodedRequest) -> Request {
        if self.codec.message_type() != MessageType::None {
            self.client_awaits_continue = request.head().expect();
            *request.payload() = self.open_body();
        }
        Request::decoded(request, self.peer, self.connection.clone())
    }

    fn open_body(&mut self) -> Payload {
        let (source, payload) = PayloadSender::open();
        self.body = Some(source);
        self.feed_body(None);
        payload
    }

    /// Passes received parts of the body to the handler; whether there were any.
    fn feed_body(&mut self, context: Option<&Context<'_>>) -> bool {
        let mut fed = false;
        while let Some(body) = &self.body {
            if context.is_some_and(|context| !body.has_room(context)) {
                break;
            }
            match self.codec.decode(&mut self.read_buf) {
                Ok(None) => break,
                Ok(Some(Message::Chunk(Some(piece)))) => body.push(piece, context),
                Ok(Some(Message::Chunk(None))) => {
                    body.finish(Ok(()), context);
                    self.body = None;
                }
                Ok(Some(Message::Item(_))) | Err(_) => {
                    body.finish(Err(PayloadError::EncodingCorrupted), context);
                    self.broken = true;
                    self.body = None;
                }
            }
            fed = true;
        }
        self.release_read_buf();
        fed
    }

    /// Reads while a request is in flight; ready when the handler has received more of the body.
    pub(super) fn poll_input(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Disconnected>> {
        loop {
            if self.feed_body(Some(context)) {
                return Poll::Ready(Ok(()));
            }
            if self.poll_interim(context).is_err() || self.connection.is_closed() {
                return Poll::Ready(Err(Disconnected));
            }
            let room = self.body.as_ref().is_none_or(|body| body.has_room(context));
            if !room || self.read_buf.len() >= READ_BUF_MAX {
                return Poll::Pending;
            }
            match ready!(self.poll_read(context)) {
                Ok(0) | Err(_) => return Poll::Ready(Err(Disconnected)),
                Ok(_) => {}
            }
        }
    }

    /// Sends `100 Continue` once the handler waits for the body.
    fn poll_interim(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        if self.client_awaits_continue && self.body.as_ref().is_some_and(PayloadSender::is_wanted) {
            self.client_awaits_continue = false;
            self.unsent_interim = CONTINUE;
        }
        while !self.unsent_interim.is_empty() {
            match Pin::new(&mut self.io).poll_write(context, self.unsent_interim) {
                Poll::Ready(written) => self.unsent_interim = &self.unsent_interim[written?..],
                Poll::Pending => break,
            }
        }
        Ok(())
    }
}

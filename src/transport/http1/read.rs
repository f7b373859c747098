//! What comes in: heads, bodies, and what is sent ahead of an answer.

use std::{
    future::poll_fn,
    io,
    pin::Pin,
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
    http1::{Gone, Http1, head::RequestHead, payload::Source, upgrades},
    limits::connection::HEAD_TIMEOUT,
};

/// What may be sent ahead. `Watched` has a lower bound where nothing so long was announced.
const AHEAD_BYTES: usize = 128 * 1024;
const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// What the next request turns out to be.
pub enum Next {
    Request(Request),
    /// Nothing that could be understood, or not in time.
    Misshapen(StatusCode),
    /// There is none.
    End,
}

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
        if self.ahead.is_empty() {
            return None;
        }
        if let Some(request) = self.take_in_place() {
            self.let_go();
            return Some(Next::Request(request));
        }
        upgrades::ignore(&mut self.ahead, |path| self.worker.service.upgrades(path));
        let next = match self.codec.decode(&mut self.ahead) {
            Ok(None) => return None,
            Ok(Some(Message::Item(request))) => {
                self.head_came();
                self.may_be_plain = true;
                Next::Request(self.begin(request))
            }
            Ok(Some(Message::Chunk(_))) | Err(ParseError::Io(_)) => Next::End,
            Err(ParseError::TooLarge) => Next::Misshapen(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE),
            Err(_) => Next::Misshapen(StatusCode::BAD_REQUEST),
        };
        self.let_go();
        Some(next)
    }

    /// The next request, if it arrived whole and is plain. It is looked at once: what arrives in pieces is left to actix-http.
    fn take_in_place(&mut self) -> Option<Request> {
        if !self.may_be_plain {
            return None;
        }
        let Some((head, body)) = RequestHead::take(&mut self.ahead) else {
            self.may_be_plain = false;
            return None;
        };
        self.head_came();
        Some(Request::in_place(head, Body::Whole(body), self.peer, self.connection.clone()))
    }

    fn head_came(&mut self) {
        (self.is_new, self.head_due) = (false, None);
    }

    /// Waits for more of a head; or for the reasons why there will be none.
    fn poll_head(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Next>> {
        match self.poll_read(context) {
            Poll::Ready(Ok(0) | Err(_)) => return Poll::Ready(Err(Next::End)),
            Poll::Ready(Ok(_)) => return Poll::Ready(Ok(())),
            Poll::Pending => {}
        }
        if self.worker.connections.is_draining() {
            return Poll::Ready(Err(Next::End));
        }
        // Between requests the watchdog says when it has been long enough. A head has its time from its first byte on, and the
        // first of a connection from the beginning.
        let late = if self.is_new || !self.ahead.is_empty() {
            let due = self.head_due.get_or_insert_with(|| Box::pin(tokio::time::sleep(HEAD_TIMEOUT)));
            due.as_mut().poll(context).is_ready()
        } else {
            self.connection.is_idle()
        };
        match late {
            false => Poll::Pending,
            // Nothing was asked, so there is nothing to answer: empty lines in front of a request are passed over (RFC 9112
            // section 2.2).
            true if self.ahead.iter().all(|byte| matches!(byte, b'\r' | b'\n')) => Poll::Ready(Err(Next::End)),
            true => Poll::Ready(Err(Next::Misshapen(StatusCode::REQUEST_TIMEOUT))),
        }
    }

    pub(super) fn poll_read(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        self.worker.buffers.poll_read(&mut self.io, context, &mut self.ahead)
    }

    /// Gives up the memory of what came, once all of it is made use of.
    fn let_go(&mut self) {
        if self.ahead.is_empty() {
            self.ahead = BytesMut::new();
        }
    }

    /// Gives the request what belongs to it.
    fn begin(&mut self, mut request: DecodedRequest) -> Request {
        if self.codec.message_type() != MessageType::None {
            self.expects = request.head().expect();
            *request.payload() = self.open_body();
        }
        Request::decoded(request, self.peer, self.connection.clone())
    }

    fn open_body(&mut self) -> Payload {
        let (source, payload) = Source::open();
        self.body = Some(source);
        self.feed(None);
        payload
    }

    /// Passes on what has come of the body; whether there was anything.
    fn feed(&mut self, context: Option<&Context<'_>>) -> bool {
        let mut fed = false;
        while let Some(body) = &self.body {
            if context.is_some_and(|context| !body.has_room(context)) {
                break;
            }
            match self.codec.decode(&mut self.ahead) {
                Ok(None) => break,
                Ok(Some(Message::Chunk(Some(piece)))) => body.give(piece, context),
                Ok(Some(Message::Chunk(None))) => {
                    body.end(Ok(()), context);
                    self.body = None;
                }
                Ok(Some(Message::Item(_))) | Err(_) => {
                    body.end(Err(PayloadError::EncodingCorrupted), context);
                    self.broken = true;
                    self.body = None;
                }
            }
            fed = true;
        }
        self.let_go();
        fed
    }

    /// While a request is being answered: takes what comes, and returns when its body has got something.
    pub(super) fn poll_meanwhile(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Gone>> {
        loop {
            if self.feed(Some(context)) {
                return Poll::Ready(Ok(()));
            }
            if self.poll_interim(context).is_err() || self.connection.is_ended() {
                return Poll::Ready(Err(Gone));
            }
            let room = self.body.as_ref().is_none_or(|body| body.has_room(context));
            if !room || self.ahead.len() >= AHEAD_BYTES {
                return Poll::Pending;
            }
            match ready!(self.poll_read(context)) {
                Ok(0) | Err(_) => return Poll::Ready(Err(Gone)),
                Ok(_) => {}
            }
        }
    }

    /// Tells the client to go on, when its body is wanted.
    fn poll_interim(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        if self.expects && self.body.as_ref().is_some_and(Source::is_wanted) {
            self.expects = false;
            self.interim = CONTINUE;
        }
        while !self.interim.is_empty() {
            match Pin::new(&mut self.io).poll_write(context, self.interim) {
                Poll::Ready(written) => self.interim = &self.interim[written?..],
                Poll::Pending => break,
            }
        }
        Ok(())
    }
}

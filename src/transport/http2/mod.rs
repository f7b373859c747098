//! One HTTP/2 connection (RFC 9113): passes requests to the service as they arrive, and sends responses as far as windows allow.
//!
//! [`Http2`] is the loop around the socket. [`connection::ServerConnection`] is the protocol, which knows no sockets: it turns input
//! into requests and responses into output. Input is split into [`frames`] by [`frame_reader`]; a header block becomes a [`head`]
//! by way of [`hpack`]; [`frame_budget`] bounds frames that serve no request. What happens on one stream is an `Exchange`.
//!
//! Nearly all of our connections wait, and one that waits keeps no buffers: its worker's are lent to it while it is polled. It
//! keeps a list of its requests, and the fields that its client refers to. See `docs/decisions/http2.md`.

pub mod connection;
mod exchange;
pub mod flow_control;
pub mod frame_budget;
pub mod frame_reader;
pub mod frames;
pub mod head;
pub mod head_builder;
pub mod hpack;
mod request;
mod respond;
pub mod sending;
mod settings;
mod shutdown;
pub mod streams;
#[cfg(test)]
mod tests;

use std::{
    future::{Future, poll_fn, ready},
    io,
    net::SocketAddr,
    pin::Pin,
    rc::Rc,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use actix_web::web::Bytes;
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf},
    time::Sleep,
};

use crate::transport::{
    Overload, Request, Service,
    body::Body,
    http2::{
        connection::{Event, Input, ServerConnection},
        exchange::{Exchange, Incoming, Stage},
        frame_budget::read_by_handler,
        frames::ErrorCode,
        head::Head,
    },
    limits::{HEADER_FIELDS_MAX, connection::Connection, guarded_stream::GuardedStream, registry::InFlight},
    payload::PayloadSender,
    tls::TlsStream,
    worker::Worker,
};

/// Output collected before it is written.
const OUT_MAX: usize = 32 * 1024;
/// How long closing a connection may take, and how long its client may keep sending requests.
const LINGER: Duration = Duration::from_secs(1);

pub struct Http2<S> {
    io: TlsStream<GuardedStream>,
    worker: Rc<Worker<S>>,
    peer: SocketAddr,
    connection: Arc<Connection>,
    protocol: ServerConnection,
    exchanges: Vec<Exchange>,
    /// Output that the socket has not taken. Without capacity when empty.
    unsent: Vec<u8>,
    /// Requests whose responses are in the output to the last byte.
    unflushed: Vec<InFlight>,
    /// Bytes on the wire that the frame budget has been charged for.
    charged: u64,
    /// The client has been told to send no more requests. When this ends, further ones are refused.
    shutdown: Option<Pin<Box<Sleep>>>,
    /// A response has asked for the end of the connection.
    is_leaving: bool,
    has_failed: bool,
}

impl<S: Service> Http2<S> {
    pub fn new(io: TlsStream<GuardedStream>, worker: Rc<Worker<S>>) -> Self {
        let guarded = io.get_ref();
        let (peer, connection, charged) = (guarded.peer(), guarded.connection().clone(), guarded.received());
        connection.set_http_2();
        let mut unsent = Vec::new();
        let protocol = ServerConnection::new(connection.now(), &mut unsent);
        Self {
            io,
            worker,
            peer,
            connection,
            protocol,
            exchanges: Vec::new(),
            unsent,
            unflushed: Vec::new(),
            charged,
            shutdown: None,
            is_leaving: false,
            has_failed: false,
        }
    }

    /// Serves requests until either side closes the connection.
    pub async fn run(mut self) {
        let ended = poll_fn(|context| self.poll(context)).await;
        self.exchanges = Vec::new();
        if ended.is_ok() {
            let _ = tokio::time::timeout(LINGER, self.close()).await;
        }
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            // Nothing is added to what a client does not read.
            ready!(self.poll_flush(context))?;
            if self.has_failed || self.protocol.is_finished() {
                return Poll::Ready(Ok(()));
            }
            let mut out = self.worker.buffers.take_frames();
            let received = self.poll_receive(context, &mut out);
            self.advance(context, &mut out);
            self.shut_down_if_due(context, &mut out);
            let is_full = out.len() >= OUT_MAX;
            let written = self.poll_write(context, &out);
            self.worker.buffers.put_frames_back(out);
            ready!(written)?;
            ready!(self.poll_flush(context))?;
            let has_ended = self.has_failed || self.protocol.is_finished();
            match received {
                Poll::Ready(end @ Err(_)) => return Poll::Ready(end),
                Poll::Pending if !is_full && !has_ended => return Poll::Pending,
                _ => {}
            }
        }
    }

    /// Begins to end the connection when the server stops, the connection has been idle, or a response says so.
    fn shut_down_if_due(&mut self, context: &mut Context<'_>, out: &mut Vec<u8>) {
        if self.has_failed {
            return;
        }
        if self.shutdown.is_none() {
            if !self.is_leaving && !self.worker.connections.is_draining() && !self.connection.is_idle() {
                return;
            }
            self.protocol.go_away(out);
        }
        let due = self.shutdown.get_or_insert_with(|| Box::pin(tokio::time::sleep(LINGER)));
        if due.as_mut().poll(context).is_ready() {
            // Does not wait for the client any longer.
            self.protocol.go_away(out);
            // Requests that were refused have no deadline of their own.
            self.exchanges.retain(|exchange| {
                let is_refused = exchange.in_flight.is_none();
                if is_refused {
                    self.protocol.reset(exchange.stream, ErrorCode::Cancel, out);
                }
                !is_refused
            });
        }
    }

    /// Reads once. An error is the end of the connection.
    fn poll_receive(&mut self, context: &mut Context<'_>, out: &mut Vec<u8>) -> Poll<io::Result<()>> {
        let worker = self.worker.clone();
        let mut buffer = worker.buffers.reading();
        let mut buffer = ReadBuf::new(&mut buffer);
        ready!(Pin::new(&mut self.io).poll_read(context, &mut buffer))?;
        if buffer.filled().is_empty() {
            return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
        }
        let received = self.io.get_ref().received();
        let input = Input {
            bytes: buffer.filled(),
            wire_len: usize::try_from(received - self.charged).unwrap_or(usize::MAX),
            earned: self.connection.take_earned(),
            now: self.connection.now(),
        };
        self.charged = received;
        let mut events = Vec::new();
        let outcome = self.protocol.receive(input, out, &mut events);
        self.connection.set_frame_position(self.protocol.position(), self.protocol.has_completed());
        if let Err(error) = outcome {
            tracing::debug!("an HTTP/2 client was disconnected: {}", error.reason);
            self.has_failed = true;
            self.exchanges = Vec::new();
            return Poll::Ready(Ok(()));
        }
        let mut events = events.into_iter().peekable();
        while let Some(event) = events.next() {
            // A body that came with its head is not passed on piece by piece.
            let whole = match &event {
                Event::Request { stream, ended: false, .. } => events.next_if(|next| next.is_end_of(*stream)),
                _ => None,
            };
            self.handle(event, whole, context, out);
        }
        Poll::Ready(Ok(()))
    }

    fn handle(&mut self, event: Event, whole: Option<Event>, context: &Context<'_>, out: &mut Vec<u8>) {
        match event {
            Event::Request { stream, head, ended } => {
                let body = match whole {
                    Some(Event::Data { bytes, .. }) => {
                        self.connection.earn(read_by_handler(bytes.len()));
                        self.protocol.release(stream, u32::try_from(bytes.len()).unwrap_or_default(), out);
                        Some(bytes)
                    }
                    _ => ended.then(Bytes::new),
                };
                self.begin(stream, &head, body, out);
            }
            Event::Data { stream, bytes, ended } => self.take_body(stream, bytes, ended, context),
            Event::Reset { stream } => self.exchanges.retain(|exchange| exchange.stream != stream),
            // Whatever can be sent is sent after any input.
            Event::WindowOpened => {}
        }
    }

    /// Passes a request to the service; with its body, if that has arrived.
    fn begin(&mut self, stream: u32, head: &Head, body: Option<Bytes>, out: &mut Vec<u8>) {
        let is_head = head.method() == "HEAD";
        let (body, incoming) = match body {
            Some(bytes) => (Body::Whole(bytes), Incoming::Ended),
            None if is_head || head.method() == "GET" => (Body::default(), Incoming::Unwanted(0)),
            None => {
                let (sender, payload) = PayloadSender::open();
                let expects = |value: &[u8]| value.eq_ignore_ascii_case(b"100-continue");
                (Body::Stream(payload), Incoming::arriving(sender, head.field("expect").is_some_and(expects)))
            }
        };
        let refused = |overload, request: Option<&Request>| -> Stage {
            Stage::Answering(Box::pin(ready(self.worker.service.refuse(overload, request))))
        };
        let (stage, in_flight) = if head.is_too_large() {
            (refused(Overload::HeaderFields(HEADER_FIELDS_MAX), None), None)
        } else {
            let request = request::request(head, body, self.peer, self.connection.clone());
            let Some(mut request) = request else { return self.protocol.reset(stream, ErrorCode::Protocol, out) };
            match self.worker.connections.begin(&mut request) {
                Ok(in_flight) => (Stage::Answering(Box::pin(self.worker.service.call(request))), Some(in_flight)),
                Err(overload) => (refused(overload, Some(&request)), None),
            }
        };
        // Most connections have one at a time; the list would begin with room for four.
        self.exchanges.reserve_exact(1);
        self.exchanges.push(Exchange { stream, is_head, incoming, stage, in_flight });
    }

    fn take_body(&mut self, stream: u32, bytes: Bytes, ended: bool, context: &Context<'_>) {
        let Some(exchange) = self.exchanges.iter_mut().find(|exchange| exchange.stream == stream) else { return };
        let is_sending = matches!(exchange.stage, Stage::Sending(_));
        if !exchange.incoming.take(bytes, ended, context) && !is_sending {
            // The operation that waits is dropped.
            exchange.incoming = Incoming::Ended;
            exchange.stage = Stage::Answering(Box::pin(ready(self.worker.service.refuse(Overload::Body, None))));
        }
    }

    /// Writes output. What the socket does not take is kept for [`poll_flush`](Self::poll_flush).
    fn poll_write(&mut self, context: &mut Context<'_>, mut out: &[u8]) -> Poll<io::Result<()>> {
        while !out.is_empty() {
            match Pin::new(&mut self.io).poll_write(context, out)? {
                Poll::Ready(0) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(written) => out = out.get(written..).unwrap_or_default(),
                Poll::Pending => {
                    self.unsent = out.to_vec();
                    return Poll::Pending;
                }
            }
        }
        Poll::Ready(Ok(()))
    }

    fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.unsent.is_empty() {
            let unsent = std::mem::take(&mut self.unsent);
            ready!(self.poll_write(context, &unsent))?;
        }
        ready!(Pin::new(&mut self.io).poll_flush(context))?;
        self.unflushed = Vec::new();
        Poll::Ready(Ok(()))
    }

    /// Closes the connection after the last frame. Input is discarded for a while: closing while it arrives resets the connection,
    /// and the client may lose that frame.
    async fn close(&mut self) {
        let _ = self.io.shutdown().await;
        let worker = self.worker.clone();
        loop {
            let read = poll_fn(|context| {
                let mut buffer = worker.buffers.reading();
                let mut buffer = ReadBuf::new(&mut buffer);
                let read = ready!(Pin::new(&mut self.io).poll_read(context, &mut buffer));
                Poll::Ready(read.map(|()| buffer.filled().len()))
            });
            match read.await {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            }
        }
    }
}

//! HTTP/1 on one connection: a request, its response, the next request. [`Http1::run`] is the loop.
//!
//! A request with nothing unusual about it is read where it arrived ([`head::RequestHead`]) and its response is written
//! by hand; actix-http's `Codec` parses and encodes the rest. The loop around both is our own: actix-http's keeps two
//! buffers of 8 KiB for each connection from its first request on, and sets a timer for each request. Nearly all of our
//! connections wait, for a message or for their next request, so here a waiting connection keeps neither. It reads into
//! and writes from buffers of its worker (`buffer_pool`), and one watchdog visits all connections ([`ConnectionRegistry`]).
//!
//! `docs/decisions/http1-loop.md` says what this costs and when it can go.

mod buffer_pool;
pub mod head;
mod payload;
mod read;
mod write;

#[cfg(test)]
mod tests;
mod upgrades;

use std::{
    future::poll_fn,
    net::SocketAddr,
    pin::{Pin, pin},
    rc::Rc,
    sync::Arc,
    task::{Poll, ready},
};

use actix_http::{KeepAlive, Response as ActixResponse, ServiceConfig, ServiceConfigBuilder, h1::Codec};
use actix_web::{
    body::{BodySize, MessageBody},
    http::StatusCode,
    web::BytesMut,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::Sleep,
};
use tokio_util::codec::Decoder;

use crate::transport::{
    Overload, Request, Response, Service,
    http1::{buffer_pool::BufferPool, payload::PayloadSender, read::Next},
    limits::{connection::Connection, registry::ConnectionRegistry},
};

/// What the connections of one worker have in common.
pub struct Worker<S> {
    service: Rc<S>,
    connections: Arc<ConnectionRegistry>,
    config: ServiceConfig,
    buffers: BufferPool,
}

impl<S> Worker<S> {
    /// To be called on the worker's own thread: the clock behind the `Date` header runs there.
    pub fn new(service: Rc<S>, connections: Arc<ConnectionRegistry>) -> Self {
        // All that is read from it is whether connections are kept, and the date.
        let config = ServiceConfigBuilder::new().keep_alive(KeepAlive::Os).build();
        Self { service, connections, config, buffers: BufferPool::default() }
    }

    pub fn connections(&self) -> &Arc<ConnectionRegistry> {
        &self.connections
    }
}

/// A connection.
pub struct Http1<T, S> {
    io: T,
    worker: Rc<Worker<S>>,
    peer: SocketAddr,
    connection: Arc<Connection>,
    codec: Codec,
    /// The next request may be a plain one: it has not been looked at.
    try_in_place: bool,
    /// What has come and is not yet made use of; empty, and without memory, as long as nothing has.
    read_buf: BytesMut,
    /// Where what comes belongs to, while a body is not complete.
    body: Option<PayloadSender>,
    /// The rest of the body cannot be found any more.
    broken: bool,
    /// The client waits for `100 Continue` before it sends the body.
    client_awaits_continue: bool,
    /// What is left to be written of that.
    unsent_interim: &'static [u8],
    /// Nothing has been asked yet.
    awaits_first_request: bool,
    /// Until when the head that is coming must be there.
    head_due: Option<Pin<Box<Sleep>>>,
}

/// The client has gone, or is to be taken for gone.
struct Disconnected;

impl<T: AsyncRead + AsyncWrite + Unpin, S: Service> Http1<T, S> {
    pub fn new(io: T, peer: SocketAddr, connection: Arc<Connection>, worker: Rc<Worker<S>>) -> Self {
        connection.set_http_1();
        Self {
            io,
            peer,
            connection,
            codec: Codec::new(worker.config.clone()),
            worker,
            try_in_place: true,
            read_buf: BytesMut::new(),
            body: None,
            broken: false,
            client_awaits_continue: false,
            unsent_interim: b"",
            awaits_first_request: true,
            head_due: None,
        }
    }

    /// Until the client has gone, or one of both has had enough.
    pub async fn run(&mut self) {
        loop {
            let request = match self.next().await {
                Next::Request(request) => request,
                Next::Invalid(status) => return Box::pin(self.refuse(status)).await,
                Next::End => return Box::pin(self.close()).await,
            };
            match self.respond(request).await {
                Ok(true) => {}
                Ok(false) => return Box::pin(self.close()).await,
                Err(Disconnected) => return,
            }
        }
    }

    /// Has a request answered; whether another may follow.
    async fn respond(&mut self, mut request: Request) -> Result<bool, Disconnected> {
        let in_place = request.is_in_place();
        let mut in_flight = self.worker.connections.begin(&mut request);
        let mut response = match &in_flight {
            Ok(_) => {
                let work = pin!(self.worker.service.call(request));
                self.drive(work).await?
            }
            Err(overload) => self.worker.service.refuse(*overload),
        };
        if in_flight.as_mut().is_ok_and(|in_flight| !in_flight.response_ready(response.body_len())) {
            response = self.worker.service.refuse(Overload::Memory);
        }
        // The request is over when all of the response has been taken.
        let may_go_on = match response.as_text() {
            Some(text) if in_place => self.send_text(&response, text).await,
            _ => {
                if in_place {
                    self.prime_codec();
                }
                self.send_encoded(response).await
            }
        };
        drop(in_flight);
        may_go_on
    }

    /// Tells the codec what it would know if it had decoded a request that was read in place: all of these are alike in
    /// what matters for a response.
    fn prime_codec(&mut self) {
        let _ = self.codec.decode(&mut BytesMut::from("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
    }

    async fn send_encoded(&mut self, response: Response) -> Result<bool, Disconnected> {
        let (head, body) = response.into_actix().into_parts();
        let body = pin!(body);
        let out = self.encode_head(head, body.size())?;
        self.send(out, body).await?;
        Ok(self.codec.keep_alive() && self.has_consumed_request())
    }

    /// Gives a request what it needs to come to its answer.
    async fn drive<F: Future<Output = Response>>(&mut self, mut work: Pin<&mut F>) -> Result<Response, Disconnected> {
        poll_fn(|context| {
            loop {
                if let Poll::Ready(outcome) = work.as_mut().poll(context) {
                    return Poll::Ready(Ok(outcome));
                }
                // It may want more of its body; and a client that goes away ends its request.
                if ready!(self.poll_input(context)).is_err() {
                    return Poll::Ready(Err(Disconnected));
                }
            }
        })
        .await
    }

    /// Answers what is no request, and ends.
    async fn refuse(&mut self, status: StatusCode) {
        self.broken = true;
        let Ok(out) = self.encode_head(ActixResponse::with_body(status, ()), BodySize::Sized(0)) else { return };
        if self.send(out, pin!(())).await.is_ok() {
            self.close().await;
        }
    }
}

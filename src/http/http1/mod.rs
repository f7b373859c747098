//! HTTP/1 on one connection: a request, its answer, the next request.
//!
//! Parsing and encoding are actix-http's (`Codec`). The loop around them is not: actix-http's keeps two buffers of 8 KiB for
//! each connection from its first request on, and sets a timer for each request. Nearly all of our connections wait, for a
//! message or for their next request, so here a connection that waits keeps neither: what comes and goes passes through
//! buffers that belong to the worker (`buffers`), and one watchdog looks at all connections (`Connections`).

mod body;
mod buffers;
mod incoming;
mod outgoing;
#[cfg(test)]
mod tests;

use std::{future::poll_fn, net::SocketAddr, pin::pin, rc::Rc, sync::Arc, task::Poll};

use actix_http::{KeepAlive, Request, Response, ServiceConfig, ServiceConfigBuilder, h1::Codec};
use actix_web::{
    Error,
    body::MessageBody,
    dev::{Service, ServiceResponse},
    http::StatusCode,
    web::BytesMut,
};
use tokio::io::{AsyncRead, AsyncWrite};

use super::{connection::Connection, connections::Connections};
use body::Source;
use buffers::Buffers;
use incoming::{FirstHead, Next};

/// What the connections of one worker have in common.
pub struct Worker<S> {
    app: S,
    connections: Arc<Connections>,
    config: ServiceConfig,
    buffers: Buffers,
}

impl<S> Worker<S> {
    /// To be called on the worker's own thread: the clock behind the `Date` header runs there.
    pub fn new(app: S, connections: Arc<Connections>) -> Self {
        // All that is read from it is whether connections are kept.
        let config = ServiceConfigBuilder::new().keep_alive(KeepAlive::Os).build();
        Self { app, connections, config, buffers: Buffers::default() }
    }

    pub fn connections(&self) -> &Arc<Connections> {
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
    /// What has come and is not yet made use of; empty, and without memory, as long as nothing has.
    ahead: BytesMut,
    /// Where what comes belongs to, while a body is not complete.
    body: Option<Source>,
    /// The rest of the body cannot be found any more.
    broken: bool,
    /// The client waits for `100 Continue` before it sends the body.
    expects: bool,
    /// What is left to be written of that.
    interim: &'static [u8],
    first: FirstHead,
}

/// The client has gone, or is to be taken for gone.
struct Gone;

impl<T, S, B> Http1<T, S>
where
    T: AsyncRead + AsyncWrite + Unpin,
    S: Service<Request, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody,
{
    pub fn new(io: T, peer: SocketAddr, connection: Arc<Connection>, worker: Rc<Worker<S>>) -> Self {
        connection.speaks_http_1();
        Self {
            io,
            peer,
            connection,
            codec: Codec::new(worker.config.clone()),
            worker,
            ahead: BytesMut::new(),
            body: None,
            broken: false,
            expects: false,
            interim: b"",
            first: FirstHead::Awaited,
        }
    }

    /// Until the client has gone, or one of both has had enough.
    pub async fn run(&mut self) {
        loop {
            let goes_on = match self.next().await {
                Next::Request(request) => self.answer(request).await,
                Next::Misshapen(status) => return self.refuse(status).await,
                Next::End => return self.shut_down().await,
            };
            match goes_on {
                Ok(true) => {}
                Ok(false) => return self.close().await,
                Err(Gone) => return,
            }
        }
    }

    /// Has a request answered; whether another may follow.
    async fn answer(&mut self, request: Request) -> Result<bool, Gone> {
        let worker = self.worker.clone();
        let outcome = {
            let mut work = pin!(worker.app.call(self.begin(request)));
            poll_fn(|context| {
                loop {
                    if let Poll::Ready(outcome) = work.as_mut().poll(context) {
                        return Poll::Ready(Ok(outcome));
                    }
                    // It may want more of its body; and a client that goes away ends its request.
                    if std::task::ready!(self.poll_meanwhile(context)).is_err() {
                        return Poll::Ready(Err(Gone));
                    }
                }
            })
            .await?
        };
        match outcome {
            Ok(response) => {
                let (head, body) = Response::<B>::from(response).into_parts();
                self.send(head, body).await?;
            }
            Err(error) => {
                let (head, body) = Response::from(error).into_parts();
                self.send(head, body).await?;
            }
        }
        Ok(self.codec.keep_alive() && self.is_at_an_end())
    }

    /// Answers what is no request, and ends.
    async fn refuse(&mut self, status: StatusCode) {
        self.broken = true;
        if self.send(Response::with_body(status, ()), ()).await.is_ok() {
            self.close().await;
        }
    }
}

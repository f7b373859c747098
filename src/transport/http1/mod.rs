//! HTTP/1 on one connection: a request, its answer, the next request.
//!
//! Requests that calls consist of are read in place (`Plain`) and answered by hand; parsing and encoding of the rest are
//! actix-http's (`Codec`). The loop around both is our own: actix-http's keeps two buffers of 8 KiB for
//! each connection from its first request on, and sets a timer for each request. Nearly all of our connections wait, for a
//! message or for their next request, so here a connection that waits keeps neither: what comes and goes passes through
//! buffers that belong to the worker (`buffers`), and one watchdog looks at all connections (`Connections`).

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

use actix_http::{KeepAlive, Response, ServiceConfig, ServiceConfigBuilder, h1::Codec};
use actix_web::{
    Error,
    body::{BodySize, BoxBody, EitherBody, MessageBody},
    dev::Service,
    http::StatusCode,
    web::BytesMut,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::Sleep,
};

use crate::{
    api::base_path::BasePath,
    transport::{
        http1::{buffer_pool::Buffers, payload::Source, read::Next},
        limits::{connection::Connection, registry::Connections},
        request::{Answered, Received},
        response::Answer,
    },
};

/// What the connections of one worker have in common.
pub struct Worker<S> {
    app: S,
    connections: Arc<Connections>,
    config: ServiceConfig,
    buffers: Buffers,
    /// Requests that calls consist of are read in place, if there is one.
    plain_under: Option<BasePath>,
}

impl<S> Worker<S> {
    /// To be called on the worker's own thread: the clock behind the `Date` header runs there.
    pub fn new(app: S, connections: Arc<Connections>, plain_under: Option<BasePath>) -> Self {
        // All that is read from it is whether connections are kept, and the date.
        let config = ServiceConfigBuilder::new().keep_alive(KeepAlive::Os).build();
        Self { app, connections, config, buffers: Buffers::default(), plain_under }
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
    /// The next request may be a plain one: it has not been looked at.
    may_be_plain: bool,
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
    /// Nothing has been asked yet.
    is_new: bool,
    /// Until when the head that is coming must be there.
    head_due: Option<Pin<Box<Sleep>>>,
}

/// The client has gone, or is to be taken for gone.
struct Gone;

impl<T, S, B> Http1<T, S>
where
    T: AsyncRead + AsyncWrite + Unpin,
    S: Service<Received, Response = Answered<B>, Error = Error>,
    B: MessageBody + 'static,
{
    pub fn new(io: T, peer: SocketAddr, connection: Arc<Connection>, worker: Rc<Worker<S>>) -> Self {
        connection.speaks_http_1();
        Self {
            io,
            peer,
            connection,
            codec: Codec::new(worker.config.clone()),
            worker,
            may_be_plain: true,
            ahead: BytesMut::new(),
            body: None,
            broken: false,
            expects: false,
            interim: b"",
            is_new: true,
            head_due: None,
        }
    }

    /// Until the client has gone, or one of both has had enough.
    pub async fn run(&mut self) {
        loop {
            let received = match self.next().await {
                Next::Request(received) => received,
                Next::Misshapen(status) => return Box::pin(self.refuse(status)).await,
                Next::End => return Box::pin(self.close()).await,
            };
            match self.answer(received).await {
                Ok(true) => {}
                Ok(false) => return Box::pin(self.close()).await,
                Err(Gone) => return,
            }
        }
    }

    /// Has a request answered; whether another may follow.
    async fn answer(&mut self, received: Received) -> Result<bool, Gone> {
        let answered = {
            let work = pin!(self.worker.app.call(received));
            self.outcome(work).await?
        };
        let (head, body) = match answered {
            Ok(Answered::Plain(answer, begun)) => {
                let may_go_on = self.send_plain(&answer).await;
                drop(begun);
                return may_go_on;
            }
            Ok(Answered::Any(response)) => response.map_body(|_, body| EitherBody::left(body)).into_parts(),
            Err(error) => Response::<BoxBody>::from(error).map_body(|_, body| EitherBody::right(body)).into_parts(),
        };
        // Whole until all of it is taken: then the request is over.
        let body = pin!(body);
        let out = self.begin_answer(head, body.size())?;
        self.send(out, body).await?;
        Ok(self.codec.keep_alive() && self.is_at_an_end())
    }

    /// Gives a request what it needs to come to its answer.
    async fn outcome(&mut self, mut work: Pin<&mut S::Future>) -> Result<Result<S::Response, Error>, Gone> {
        poll_fn(|context| {
            loop {
                if let Poll::Ready(outcome) = work.as_mut().poll(context) {
                    return Poll::Ready(Ok(outcome));
                }
                // It may want more of its body; and a client that goes away ends its request.
                if ready!(self.poll_meanwhile(context)).is_err() {
                    return Poll::Ready(Err(Gone));
                }
            }
        })
        .await
    }

    /// Answers what is no request, and ends.
    async fn refuse(&mut self, status: StatusCode) {
        self.broken = true;
        let Ok(out) = self.begin_answer(Response::with_body(status, ()), BodySize::Sized(0)) else { return };
        if self.send(out, pin!(())).await.is_ok() {
            self.close().await;
        }
    }
}

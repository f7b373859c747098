//! One HTTP/1 connection: reads a request, sends its response, and repeats. [`Http1::run`] is the loop.
//!
//! A simple request is parsed in place ([`head::RequestHead`]) and its response is written by hand; actix-http's `Codec`
//! decodes and encodes the others. The loop replaces actix-http's, which keeps two buffers of 8 KiB for each connection and
//! sets a timer for each request. Nearly all of our connections wait, for a message or for their next request, and a
//! waiting connection keeps neither here: buffers belong to the worker ([`Worker`]), and one watchdog checks all
//! connections (`limits::registry`). See `docs/decisions/http1-loop.md`.

pub mod head;
mod read;
mod write;

#[cfg(test)]
mod tests;
mod upgrades;

use std::{
    future::poll_fn,
    io,
    net::SocketAddr,
    pin::{Pin, pin},
    rc::Rc,
    sync::Arc,
    task::{Poll, ready},
};

use actix_http::{Response as ActixResponse, h1::Codec};
use actix_web::{http::StatusCode, web::BytesMut};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::Sleep,
};
use tokio_util::codec::Decoder;

use crate::transport::{
    Overload, Request, Response, Service,
    limits::connection::Connection,
    other_protocol::{AcceptedStream, OtherProtocol},
    payload::PayloadSender,
    worker::Worker,
};

pub struct Http1<T, S> {
    io: T,
    worker: Rc<Worker<S>>,
    peer: SocketAddr,
    connection: Arc<Connection>,
    codec: Codec,
    /// The next request has not been tried yet.
    try_in_place: bool,
    /// Input that is not parsed yet. Without capacity when empty.
    read_buf: BytesMut,
    /// The request's body, while it is arriving.
    body: Option<PayloadSender>,
    /// Where the next request begins is unknown.
    broken: bool,
    /// The client waits for `100 Continue` (RFC 9110 section 10.1.1).
    client_awaits_continue: bool,
    /// The rest of an interim response.
    unsent_interim: &'static [u8],
    awaits_first_request: bool,
    encrypted: bool,
    /// When the next head must be complete.
    head_due: Option<Pin<Box<Sleep>>>,
}

/// The next request, or why there is none.
enum Next {
    Request(Request),
    /// The input is malformed, too long or too late.
    Invalid(StatusCode),
    /// The connection speaks another protocol.
    Other(Arc<dyn OtherProtocol>),
    End,
}

/// The client has closed the connection, or must be assumed to have.
struct Disconnected;

impl From<io::Error> for Disconnected {
    fn from(_: io::Error) -> Self {
        Self
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin, S: Service> Http1<T, S> {
    pub fn new(io: T, peer: SocketAddr, connection: Arc<Connection>, worker: Rc<Worker<S>>) -> Self {
        connection.set_http_1();
        Self {
            io,
            peer,
            connection,
            codec: Codec::new(worker.config().clone()),
            worker,
            try_in_place: true,
            read_buf: BytesMut::new(),
            body: None,
            broken: false,
            client_awaits_continue: false,
            unsent_interim: b"",
            awaits_first_request: true,
            encrypted: false,
            head_due: None,
        }
    }

    pub fn encrypted(self) -> Self {
        Self { encrypted: true, ..self }
    }

    pub async fn serve(mut self) {
        self.run().await;
    }

    /// Serves requests until either side closes the connection.
    pub async fn run(&mut self) {
        loop {
            let request = match self.next().await {
                Next::Request(request) => request,
                Next::Invalid(status) => return Box::pin(self.refuse(status)).await,
                Next::Other(protocol) => return Box::pin(self.hand_over(&*protocol)).await,
                Next::End => return Box::pin(self.close()).await,
            };
            match self.respond(request).await {
                Ok(true) => {}
                Ok(false) => return Box::pin(self.close()).await,
                Err(Disconnected) => return,
            }
        }
    }

    async fn hand_over(&mut self, protocol: &dyn OtherProtocol) {
        self.connection.set_other_protocol();
        self.head_due = None;
        let received = std::mem::take(&mut self.read_buf);
        protocol.serve(AcceptedStream { io: &mut self.io, received, peer: self.peer, encrypted: self.encrypted }).await;
        self.shutdown().await;
    }

    /// Answers a request; whether another may follow.
    async fn respond(&mut self, mut request: Request) -> Result<bool, Disconnected> {
        let in_place = request.is_in_place();
        let mut in_flight = self.worker.connections.begin(&mut request);
        let mut response = match &in_flight {
            Ok(_) => {
                let work = pin!(self.worker.service.call(request));
                self.drive(work).await?
            }
            Err(overload) => self.worker.service.refuse(*overload, Some(&request)),
        };
        if in_flight.as_mut().is_ok_and(|in_flight| !in_flight.response_ready(response.body_len())) {
            response = response.replaced_by(self.worker.service.refuse(Overload::Memory, None));
        }
        // In flight until the response has been sent.
        let may_continue = match response.as_text() {
            Some(text) if in_place => self.send_text(&response, text).await,
            _ => {
                if in_place {
                    self.prime_codec();
                }
                self.send_encoded(response).await
            }
        };
        drop(in_flight);
        may_continue
    }

    /// Brings the codec into the state it would be in if it had decoded the request: the same for all that are parsed in
    /// place.
    fn prime_codec(&mut self) {
        let _ = self.codec.decode(&mut BytesMut::from("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
    }

    async fn send_encoded(&mut self, response: Response) -> Result<bool, Disconnected> {
        let (head, body) = response.into_actix().into_parts();
        self.send(head, pin!(body)).await?;
        Ok(self.codec.keep_alive() && self.has_consumed_request())
    }

    /// Waits for the response, while reading the body and watching for a disconnect.
    async fn drive<F: Future<Output = Response>>(&mut self, mut work: Pin<&mut F>) -> Result<Response, Disconnected> {
        poll_fn(|context| {
            loop {
                if let Poll::Ready(outcome) = work.as_mut().poll(context) {
                    return Poll::Ready(Ok(outcome));
                }
                if ready!(self.poll_input(context)).is_err() {
                    return Poll::Ready(Err(Disconnected));
                }
            }
        })
        .await
    }

    /// Answers input that is not a valid request, and closes the connection.
    async fn refuse(&mut self, status: StatusCode) {
        self.broken = true;
        if self.send(ActixResponse::with_body(status, ()), pin!(())).await.is_ok() {
            self.close().await;
        }
    }
}

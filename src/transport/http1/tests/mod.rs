//! Single connections over an in-memory pipe.

use std::{cell::Cell, net::SocketAddr, time::Duration};

use actix_service::Service as ActixService;
use actix_web::{
    App, Error, HttpRequest, HttpResponse,
    body::{BodyStream, BoxBody},
    dev::ServiceResponse,
    test::init_service,
    web::{self, Bytes, Payload},
};
use futures_util::{
    StreamExt,
    future::{Either, pending, ready},
    stream,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

use super::*;
use crate::transport::{
    body::Body,
    client_address::TrustedProxies,
    limits::{
        Clock,
        registry::{ConnectionLimits, ConnectionRegistry},
    },
};

const GET: &str = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
const WAIT: &str = "GET /wait HTTP/1.1\r\nHost: x\r\n\r\n";

thread_local! {
    /// Requests to `/wait` that are being answered.
    static WAITING: Cell<usize> = const { Cell::new(0) };
}

struct Waiting;

impl Drop for Waiting {
    fn drop(&mut self) {
        WAITING.set(WAITING.get() - 1);
    }
}

async fn wait() -> HttpResponse {
    WAITING.set(WAITING.get() + 1);
    let _waiting = Waiting;
    pending().await
}

/// Reports the number of pieces of a body, and the body.
async fn pieces(mut body: Payload) -> HttpResponse {
    let (mut count, mut text) = (0, Vec::new());
    while let Some(piece) = body.next().await {
        let Ok(piece) = piece else { return HttpResponse::BadRequest().body("broken") };
        count += 1;
        text.extend_from_slice(&piece);
    }
    HttpResponse::Ok().body(format!("{count} {}", String::from_utf8_lossy(&text)))
}

async fn who(request: HttpRequest) -> String {
    request.peer_addr().unwrap().to_string()
}

async fn slowly() -> HttpResponse {
    let pieces = stream::iter(["one", "two"]).then(|piece| async move {
        tokio::task::yield_now().await;
        Ok::<_, std::convert::Infallible>(Bytes::from(piece))
    });
    HttpResponse::Ok().body(BodyStream::new(Box::pin(pieces)))
}

async fn halting() -> HttpResponse {
    let pieces = stream::iter([Ok::<_, std::convert::Infallible>(Bytes::from("one"))]).chain(stream::pending());
    HttpResponse::Ok().body(BodyStream::new(pieces))
}

async fn broken() -> HttpResponse {
    let pieces = stream::iter([Ok(Bytes::from("one")), Err(std::io::Error::other("no more"))]);
    HttpResponse::Ok().body(BodyStream::new(pieces))
}

/// Says which request under `/v1` was read in place, with its body, or as many bytes as its query says. Answers all others
/// by the application.
struct Answers<A>(A);

impl<A> Service for Answers<A>
where
    A: ActixService<actix_http::Request, Response = ServiceResponse<BoxBody>, Error = Error> + 'static,
    A::Future: 'static,
{
    fn call(&self, request: Request) -> impl Future<Output = Response> + 'static {
        if request.is_in_place() && request.path().starts_with("/v1/") {
            return Either::Left(ready(in_place(&request)));
        }
        let answer = self.0.call(request.into_decoded(""));
        Either::Right(async move { Response::from_actix(answer.await.unwrap().into_parts().1) })
    }

    fn refuse(&self, overload: Overload, _: Option<&Request>) -> Response {
        Response::text(StatusCode::SERVICE_UNAVAILABLE, &[], format!("{overload:?}"))
    }

    fn upgrades(&self, _: &str) -> bool {
        false
    }
}

fn in_place(request: &Request) -> Response {
    let length = request.query().parse().unwrap_or(0);
    let Body::Whole(body) = request.take_body() else { panic!("a body that is still arriving") };
    let what = format!("{} {} ", request.method(), request.path());
    let text = what + std::str::from_utf8(&body).unwrap() + &"x".repeat(length);
    Response::text(StatusCode::OK, &[("content-type", "text/plain")], text)
}

fn clock() -> Clock {
    let clock = crate::clock::Clock::start();
    Clock::new(move || clock.now().millis())
}

fn limits() -> ConnectionLimits {
    let idle = Duration::from_secs(75);
    ConnectionLimits { total: 9, per_address: Some(9), idle, memory_bytes: 1 << 24, body_bytes: 1 << 20 }
}

/// A connection whose other end is `$client`.
macro_rules! connected {
    ($client:ident, $http1:ident) => {
        let (mut $client, server) = duplex(1 << 20);
        let app = App::new()
            .route("/wait", web::get().to(wait))
            .route("/pieces", web::post().to(pieces))
            .route("/who", web::get().to(who))
            .route("/slowly", web::get().to(slowly))
            .route("/halting", web::get().to(halting))
            .route("/broken", web::get().to(broken))
            .default_service(web::to(|| async { "here" }));
        let connections = ConnectionRegistry::new(limits(), Arc::new(TrustedProxies::default()), clock());
        let service = Rc::new(Answers(init_service(app).await));
        let worker = Rc::new(Worker::new(service, connections, None));
        let connection = Arc::new(Connection::new(clock(), false));
        let peer: SocketAddr = ([192, 0, 2, 1], 7).into();
        let mut $http1 = Http1::new(server, peer, connection, worker);
    };
}

/// Polls the connection until it waits; whether it has ended.
async fn has_ended(run: impl Future<Output = ()>) -> bool {
    tokio::select! {
        biased;
        () = run => true,
        () = async { for _ in 0..20 { tokio::task::yield_now().await } } => false,
    }
}

/// The output so far.
async fn received(client: &mut DuplexStream) -> String {
    let mut bytes = Vec::new();
    tokio::select! {
        biased;
        _ = client.read_to_end(&mut bytes) => {}
        () = std::future::ready(()) => {}
    }
    String::from_utf8(bytes).unwrap()
}

/// Sends input on a connection, which must stay open, and returns the output.
async fn exchange(client: &mut DuplexStream, run: impl Future<Output = ()>, input: &str) -> String {
    client.write_all(input.as_bytes()).await.unwrap();
    assert!(!has_ended(run).await);
    received(client).await
}

fn posting(fields: &str, body: &str) -> String {
    format!("POST /pieces HTTP/1.1\r\nHost: x\r\n{fields}\r\n\r\n{body}")
}

mod bodies;
mod in_place;
mod lifetime;

//! One connection with nothing but a pipe: what it keeps, and what it says when.

use std::{cell::Cell, time::Duration};

use actix_service::fn_service;
use actix_web::{
    App, HttpMessage, HttpRequest, HttpResponse,
    body::BodyStream,
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
use crate::{
    clock::Clock,
    transport::{client_address::TrustedProxies, http1::head::Plain, limits::registry::ConnectionLimits},
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

/// Says in how many pieces which body came, or that it did not.
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
    let known = request.extensions().contains::<Arc<Connection>>();
    format!("{} {known}", request.peer_addr().unwrap())
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

async fn not_to_its_end() -> HttpResponse {
    let pieces = stream::iter([Ok(Bytes::from("one")), Err(std::io::Error::other("no more"))]);
    HttpResponse::Ok().body(BodyStream::new(pieces))
}

/// Says which request was read in place, with its body, or as many bytes as its query says.
fn in_place(plain: Plain) -> Answer {
    let length = plain.query().parse().unwrap_or(0);
    let what = format!("{:?} {} ", plain.act(), plain.room());
    let body = String::from_utf8(plain.into_body().to_vec()).unwrap();
    Answer::json(StatusCode::OK, what + &body + &"x".repeat(length))
}

fn limits() -> ConnectionLimits {
    let idle = Duration::from_secs(75);
    ConnectionLimits { total: 9, per_address: 9, idle, transit_bytes: 1 << 20, body_bytes: 1 << 20 }
}

/// A connection whose other end is the test's, and the worker behind it.
macro_rules! connected {
    ($client:ident, $http1:ident) => {
        let (mut $client, server) = duplex(1 << 20);
        let app = App::new()
            .route("/wait", web::get().to(wait))
            .route("/pieces", web::post().to(pieces))
            .route("/who", web::get().to(who))
            .route("/slowly", web::get().to(slowly))
            .route("/halting", web::get().to(halting))
            .route("/broken", web::get().to(not_to_its_end))
            .default_service(web::to(|| async { "here" }));
        let proxies = Arc::new(TrustedProxies::default());
        let connections = Connections::new(limits(), proxies, Clock::start());
        let app = Rc::new(init_service(app).await);
        let app = fn_service(move |received: Received| {
            let (request, connection) = match received {
                Received::Plain { plain, .. } => {
                    return Either::Left(ready(Ok(Answered::Plain(in_place(plain), None))));
                }
                Received::Any { request, connection } => (request, connection),
            };
            let begun = connection.as_ref().map(|connection| connection.begin(Some(0), 0));
            connection.map(|connection| request.extensions_mut().insert(connection));
            let answer = app.call(request);
            Either::Right(async move {
                let _begun = begun;
                answer.await.map(|answer| Answered::Any(Response::from(answer)))
            })
        });
        let worker = Rc::new(Worker::new(app, connections, Some(BasePath::default())));
        let connection = Arc::new(Connection::new(Clock::start(), false));
        let mut $http1 = Http1::new(server, ([192, 0, 2, 1], 7).into(), connection, worker);
    };
}

/// Lets the connection do what there is to do for now; whether it has come to its end.
async fn has_ended(run: impl Future<Output = ()>) -> bool {
    tokio::select! {
        biased;
        () = run => true,
        () = async { for _ in 0..20 { tokio::task::yield_now().await } } => false,
    }
}

/// What has been said so far.
async fn said(client: &mut DuplexStream) -> String {
    let mut bytes = Vec::new();
    tokio::select! {
        biased;
        _ = client.read_to_end(&mut bytes) => {}
        () = std::future::ready(()) => {}
    }
    String::from_utf8(bytes).unwrap()
}

fn posting(fields: &str, body: &str) -> String {
    format!("POST /pieces HTTP/1.1\r\nHost: x\r\n{fields}\r\n\r\n{body}")
}

mod bodies;
mod keeping;
mod plain;

//! One connection with nothing but a pipe: what it keeps, and what it says when.

use std::{cell::Cell, time::Duration};

use actix_service::fn_service;
use actix_web::{
    App, HttpMessage, HttpRequest, HttpResponse,
    body::BodyStream,
    test::init_service,
    web::{self, Bytes, Payload},
};
use futures_util::{StreamExt, future::pending, stream};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

use super::*;
use crate::{
    clock::Clock,
    http::{ConnectionLimits, TrustedProxies},
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

async fn not_to_its_end() -> HttpResponse {
    let pieces = stream::iter([Ok(Bytes::from("one")), Err(std::io::Error::other("no more"))]);
    HttpResponse::Ok().body(BodyStream::new(pieces))
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
            .route("/broken", web::get().to(not_to_its_end))
            .default_service(web::to(|| async { "here" }));
        let proxies = Arc::new(TrustedProxies::default());
        let connections = Connections::new(limits(), proxies, Clock::start());
        let app = Rc::new(init_service(app).await);
        let app = fn_service(move |asked: Asked| {
            let Asked { request, connection } = asked;
            connection.map(|connection| request.extensions_mut().insert(connection));
            let answer = app.call(request);
            async move { answer.await.map(Response::from) }
        });
        let worker = Rc::new(Worker::new(app, connections));
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

#[actix_web::test]
async fn nothing_is_kept_while_a_request_waits_nor_between_requests() {
    connected!(client, http1);
    client.write_all(format!("{GET}{WAIT}").as_bytes()).await.unwrap();
    let worker = http1.worker.clone();
    {
        let mut run = pin!(http1.run());
        assert!(!has_ended(run.as_mut()).await);
        assert_eq!(WAITING.get(), 1);
        assert!(said(&mut client).await.starts_with("HTTP/1.1 200"));
        assert_eq!(worker.buffers.kept(), 1);
        // It is the client that ends it.
        drop(client);
        assert!(has_ended(run.as_mut()).await);
    }
    assert_eq!((http1.ahead.capacity(), WAITING.get()), (0, 0));

    connected!(client, http1);
    client.write_all(posting("Content-Length: 4", "mine").as_bytes()).await.unwrap();
    assert!(!has_ended(http1.run()).await);
    assert!(said(&mut client).await.ends_with("1 mine"));
    assert_eq!((http1.ahead.capacity(), http1.worker.buffers.kept()), (0, 1));
}

#[actix_web::test]
async fn requests_are_answered_in_order_however_they_are_cut() {
    let requests = format!("{}{GET}{}", posting("Content-Length: 3", "one"), posting("Transfer-Encoding: chunked", ""));
    let requests = format!("{requests}2\r\nab\r\n1;x=y\r\nc\r\n0\r\n\r\n{}", GET.replace("/ ", "/who "));
    for size in [1, 7, 1000] {
        connected!(client, http1);
        let mut run = pin!(http1.run());
        for part in requests.as_bytes().chunks(size) {
            client.write_all(part).await.unwrap();
            assert!(!has_ended(run.as_mut()).await);
        }
        let all = said(&mut client).await;
        assert_eq!(all.matches("HTTP/1.1 200 OK").count(), 4, "{all}");
        assert_eq!(all.matches("\r\ndate: ").count(), 4, "{all}");
        let order =
            ["one", "here", "abc", "192.0.2.1:7 true"].map(|text| all.find(text).unwrap_or_else(|| panic!("{all}")));
        assert!(order.is_sorted(), "{all}");
    }
}

#[actix_web::test]
async fn the_client_is_told_to_go_on_when_its_body_is_wanted_and_only_then() {
    connected!(client, http1);
    let mut run = pin!(http1.run());
    client.write_all(posting("Expect: 100-continue\r\nContent-Length: 3", "").as_bytes()).await.unwrap();
    assert!(!has_ended(run.as_mut()).await);
    assert_eq!(said(&mut client).await, "HTTP/1.1 100 Continue\r\n\r\n");
    client.write_all(b"yes").await.unwrap();
    assert!(!has_ended(run.as_mut()).await);
    assert!(said(&mut client).await.ends_with("1 yes"));
    let unwanted = posting("Expect: 100-continue\r\nContent-Length: 3", "").replace("/pieces", "/");
    client.write_all(unwanted.as_bytes()).await.unwrap();
    assert!(!has_ended(run.as_mut()).await);
    let refused = said(&mut client).await;
    assert!(refused.starts_with("HTTP/1.1 200") && refused.contains("connection: close"), "{refused}");
    client.shutdown().await.unwrap();
    assert!(has_ended(run).await);
}

#[actix_web::test]
async fn of_a_body_that_nobody_takes_only_so_much_is_read() {
    connected!(client, http1);
    let head = WAIT.replace("\r\n\r\n", "\r\nContent-Length: 1000000\r\n\r\n");
    client.write_all(head.as_bytes()).await.unwrap();
    client.write_all(&[b'x'; 500_000]).await.unwrap();
    let mut run = Box::pin(http1.run());
    assert!(!has_ended(run.as_mut()).await);
    // What has been read makes room for more.
    let room = 1 << 20;
    let mut taken = 0;
    while tokio::select! { biased; _ = client.write_all(&[b'x'; 1024]) => true, () = std::future::ready(()) => false } {
        taken += 1024;
        assert!(taken < room);
    }
    assert!(taken <= room - 500_000 + 64 * 1024, "{taken}");
    drop(client);
}

#[actix_web::test]
async fn after_a_body_that_was_not_read_the_connection_ends_and_the_answer_is_heard() {
    tokio::time::pause();
    connected!(client, http1);
    client.write_all(posting("Content-Length: 9", "half").replace("/pieces", "/").as_bytes()).await.unwrap();
    let mut run = pin!(http1.run());
    assert!(!has_ended(run.as_mut()).await);
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    assert!(answer.ends_with("here") && answer.contains("connection: close"), "{answer}");
    // What comes later is read all the same, for a second.
    client.write_all(b"more").await.unwrap();
    assert!(!has_ended(run.as_mut()).await);
    tokio::time::advance(Duration::from_millis(1001)).await;
    assert!(has_ended(run).await);
}

#[actix_web::test]
async fn chunks_that_are_none_break_the_body_and_end_the_connection() {
    connected!(client, http1);
    let broken = posting("Transfer-Encoding: chunked", &format!("2\r\nab\r\n+1\r\nc\r\n0\r\n\r\n{GET}"));
    client.write_all(broken.as_bytes()).await.unwrap();
    client.shutdown().await.unwrap();
    assert!(has_ended(http1.run()).await);
    let answer = said(&mut client).await;
    assert!(answer.starts_with("HTTP/1.1 400") && answer.ends_with("broken"), "{answer}");
    assert!(answer.contains("connection: close"), "{answer}");
    assert_eq!(answer.matches("HTTP/1.").count(), 1, "{answer}");
}

#[actix_web::test]
async fn a_first_head_has_ten_seconds_and_only_half_a_head_is_answered() {
    for (half, answer) in [("", ""), ("GET / HT", "HTTP/1.1 408")] {
        tokio::time::pause();
        connected!(client, http1);
        client.write_all(half.as_bytes()).await.unwrap();
        let mut run = pin!(http1.run());
        assert!(!has_ended(run.as_mut()).await);
        tokio::time::advance(Duration::from_millis(9990)).await;
        assert!(!has_ended(run.as_mut()).await);
        tokio::time::advance(Duration::from_millis(20)).await;
        // Half a head is followed by a second in which its rest may come.
        assert_eq!(has_ended(run.as_mut()).await, half.is_empty());
        let said = said(&mut client).await;
        assert!(said.starts_with(answer) && said.is_empty() == answer.is_empty(), "{said}");
        tokio::time::resume();
    }
}

#[actix_web::test]
async fn an_idle_connection_ends_when_it_is_told_and_one_that_is_asked_something_does_not() {
    let much_later = Clock::start().now() + Duration::from_secs(80);
    connected!(client, http1);
    let connection = http1.connection.clone();
    let mut run = pin!(http1.run());
    client.write_all(GET.as_bytes()).await.unwrap();
    assert!(!has_ended(run.as_mut()).await);
    assert!(said(&mut client).await.ends_with("here"));
    connection.end_if_overdue(much_later, Duration::from_secs(90));
    assert!(!has_ended(run.as_mut()).await);
    // At the last moment something came.
    client.write_all(GET.as_bytes()).await.unwrap();
    connection.end_if_overdue(much_later, Duration::from_secs(75));
    has_ended(run.as_mut()).await;
    assert!(said(&mut client).await.ends_with("here"));

    connected!(client, http1);
    let connection = http1.connection.clone();
    let mut run = pin!(http1.run());
    client.write_all(format!("{GET}GET / HT").as_bytes()).await.unwrap();
    assert!(!has_ended(run.as_mut()).await);
    connection.end_if_overdue(much_later, Duration::from_secs(75));
    assert!(!has_ended(run.as_mut()).await);
    let all = said(&mut client).await;
    assert!(all.contains("here") && all.contains("HTTP/1.1 408"), "{all}");
}

#[actix_web::test]
async fn when_the_server_stops_idle_connections_end_and_others_after_their_answer() {
    connected!(client, http1);
    let worker = http1.worker.clone();
    let mut run = pin!(http1.run());
    assert!(!has_ended(run.as_mut()).await);
    client.write_all(GET.as_bytes()).await.unwrap();
    worker.connections.drain();
    assert!(has_ended(run).await);
    let answer = said(&mut client).await;
    assert!(answer.ends_with("here") && answer.contains("connection: close"), "{answer}");

    connected!(client, http1);
    http1.worker.connections.drain();
    assert!(has_ended(http1.run()).await);
    assert_eq!(said(&mut client).await, "");
}

#[actix_web::test]
async fn the_connection_is_kept_as_the_client_says() {
    let get = |line: &str| format!("GET / {line}\r\nHost: x\r\n\r\n");
    for (line, keeps, says) in [
        ("HTTP/1.1", true, None),
        ("HTTP/1.1\r\nConnection: close", false, Some("connection: close")),
        ("HTTP/1.0", false, None),
        ("HTTP/1.0\r\nConnection: keep-alive", true, Some("connection: keep-alive")),
    ] {
        connected!(client, http1);
        client.write_all(get(line).as_bytes()).await.unwrap();
        assert_eq!(has_ended(http1.run()).await, !keeps, "{line}");
        let answer = said(&mut client).await;
        assert!(answer.ends_with("here") && answer.contains("content-length: 4"), "{answer}");
        assert_eq!(answer.lines().find(|line| line.starts_with("connection")), says, "{line}");
    }
}

#[actix_web::test]
async fn heads_are_answered_without_bodies_and_bodies_without_lengths_in_chunks() {
    connected!(client, http1);
    client.write_all(GET.replace("GET", "HEAD").as_bytes()).await.unwrap();
    client.write_all(GET.replace("/ ", "/slowly ").as_bytes()).await.unwrap();
    client.write_all(GET.replace("/ ", "/broken ").as_bytes()).await.unwrap();
    assert!(has_ended(http1.run()).await);
    let all = said(&mut client).await;
    let (head, others) = all.split_once("\r\n\r\n").unwrap();
    assert!(head.contains("content-length: 4") && others.starts_with("HTTP/1.1 200"), "{all}");
    // What breaks off must not look complete.
    let (fine, broken) = others.split_once("0\r\n\r\n").unwrap();
    assert!(fine.ends_with("\r\n\r\n3\r\none\r\n3\r\ntwo\r\n") && !broken.contains("0\r\n\r\n"), "{all}");
}

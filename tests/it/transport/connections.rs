//! Limits on connections: how many, from where, and how long they may be idle.

use std::time::Duration;

use reqwest::Method;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::support::harness::{Server, config, send};

async fn connect(server: &Server) -> TcpStream {
    TcpStream::connect(("127.0.0.1", server.port)).await.unwrap()
}

/// Everything that comes until the server closes the connection.
async fn to_the_end(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let reading = tokio::time::timeout(Duration::from_secs(30), stream.read_to_end(&mut bytes));
    // A reset ends it, too.
    let _ = reading.await.expect("the server closes the connection");
    String::from_utf8(bytes).unwrap()
}

/// Sends a request and reads the response's head, so that the connection is known to be accepted.
async fn ask(stream: &mut TcpStream) -> String {
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let mut bytes = vec![0; 1024];
    let length = stream.read(&mut bytes).await.unwrap_or(0);
    String::from_utf8_lossy(&bytes[..length]).into_owned()
}

#[actix_web::test]
async fn connections_per_address_is_enforced() {
    let server = Server::start(&["--connections-per-address", "5"]);
    let mut streams = Vec::new();
    for _ in 0..5 {
        let mut stream = connect(&server).await;
        assert!(ask(&mut stream).await.starts_with("HTTP/1.1 200"));
        streams.push(stream);
    }
    assert_eq!(to_the_end(&mut connect(&server).await).await, "");
    streams.pop();
    loop {
        let mut stream = connect(&server).await;
        if ask(&mut stream).await.starts_with("HTTP/1.1 200") {
            break;
        }
    }
}

#[actix_web::test]
async fn trusted_proxies_are_exempt_from_connections_per_address() {
    let server = Server::start(&["--connections-per-address", "2", "--trusted-proxy", "127.0.0.1"]);
    let mut streams = Vec::new();
    for _ in 0..10 {
        let mut stream = connect(&server).await;
        assert!(ask(&mut stream).await.starts_with("HTTP/1.1 200"));
        streams.push(stream);
    }
}

#[actix_web::test]
async fn connections_beyond_the_maximum_are_refused_with_503() {
    let server = Server::start(&["--connections-max", "4"]);
    let mut streams = Vec::new();
    for _ in 0..4 {
        let mut stream = connect(&server).await;
        assert!(ask(&mut stream).await.starts_with("HTTP/1.1 200"));
        streams.push(stream);
    }
    let mut stream = connect(&server).await;
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let answer = to_the_end(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("too-many-connections"), "{answer}");
    assert!(answer.contains("retry-after: 2"), "{answer}");
}

/// A page saw only `TypeError: Failed to fetch`, and not that it should wait.
#[actix_web::test]
async fn a_page_on_an_allowed_origin_can_read_a_refusal() {
    let server = Server::start(&["--connections-max", "1", "--cors-origin", "https://app.example"]);
    let mut first = connect(&server).await;
    assert!(ask(&mut first).await.starts_with("HTTP/1.1 200"));
    for (origin, may_read) in [("https://app.example", true), ("https://other.example", false)] {
        // Without a preflight that succeeds, it could not.
        let mut stream = connect(&server).await;
        let preflight = format!(
            "OPTIONS /v1/rooms/tea/peers HTTP/1.1\r\nHost: localhost\r\nOrigin: {origin}\r\nAccess-Control-Request-Method: POST\r\n\r\n"
        );
        stream.write_all(preflight.as_bytes()).await.unwrap();
        let answer = to_the_end(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert!(answer.contains("connection: close\r\n"), "{answer}");
        for field in ["access-control-allow-methods: ", "access-control-allow-origin: https://app.example\r\n"] {
            assert_eq!(answer.contains(field), may_read, "{answer}");
        }
        let mut stream = connect(&server).await;
        let request = format!("GET /v1/rooms/tea HTTP/1.1\r\nHost: localhost\r\nOrigin: {origin}\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let answer = to_the_end(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("vary: Origin\r\n"), "{answer}");
        assert_eq!(answer.contains("access-control-allow-origin: https://app.example\r\n"), may_read, "{answer}");
        assert_eq!(answer.contains("access-control-expose-headers: "), may_read, "{answer}");
    }
}

#[actix_web::test]
async fn an_unfinished_second_head_times_out() {
    let server = Server::start(&["--keep-alive-ms", "500"]);
    let mut stream = connect(&server).await;
    assert!(ask(&mut stream).await.starts_with("HTTP/1.1 200"));
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHo").await.unwrap();
    to_the_end(&mut stream).await;
}

#[actix_web::test]
async fn a_parked_poll_outlives_keep_alive() {
    let server = Server::start(&["--keep-alive-ms", "1000"]);
    let ann = server.join_room("tea", "Ann").await;
    assert!(ann.poll(0, 2.0).await.messages().is_empty());
}

#[actix_web::test]
async fn slow_first_heads_and_bodies_time_out() {
    let server = Server::start(&[]);
    let ann = server.join_room("tea", "Ann").await;
    let mut head = connect(&server).await;
    head.write_all(b"GET /healthz HTTP/1.1\r\nHo").await.unwrap();
    let mut body = connect(&server).await;
    let path = ann.path("/messages");
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{{",
        ann.token
    );
    body.write_all(request.as_bytes()).await.unwrap();
    // Other clients are served meanwhile.
    ann.say(&ann, 1).await;
    let (head, body) = tokio::join!(to_the_end(&mut head), async {
        let mut bytes = vec![0; 4096];
        let length = body.read(&mut bytes).await.unwrap();
        String::from_utf8_lossy(&bytes[..length]).into_owned()
    });
    assert!(head.is_empty() || head.starts_with("HTTP/1.1 408"), "{head}");
    assert!(body.starts_with("HTTP/1.1 408") && body.contains("body-timeout"), "{body}");
    assert_eq!(ann.messages(0).await.len(), 1);
}

#[actix_web::test]
async fn malformed_and_smuggled_requests_are_refused() {
    let server = Server::start(&[]);
    for (bad, status) in [
        (
            "POST /v1/rooms HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "400",
        ),
        ("POST /v1/rooms HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}", "400"),
        ("POST /v1/rooms HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n", "400"),
        ("GET /healthz HTTP/1.1\r\n\r\n", "400"),
        ("nonsense\r\n\r\n", "400"),
        ("GET /v1/rooms/%zz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", "422"),
        ("GET /v1/rooms/\u{e9} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", "400"),
    ] {
        let mut stream = connect(&server).await;
        stream.write_all(bad.as_bytes()).await.unwrap();
        let mut bytes = vec![0; 4096];
        let length = stream.read(&mut bytes).await.unwrap_or(0);
        let answer = String::from_utf8_lossy(&bytes[..length]).into_owned();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{bad:?}: {answer}");
    }
    let headers = (0..200)
        .fold(server.request(Method::GET, "/healthz"), |request, number| request.header(format!("x-{number}"), "x"));
    assert_eq!(send_raw(headers).await, 431);
}

/// As with the cookies of everything that was ever developed on localhost: the connection was closed without a word.
#[actix_web::test]
async fn heads_that_are_too_long_are_refused() {
    let server = Server::start(&[]);
    for (bytes, status) in [(16_000, "200"), (40_000, "431"), (60_000, "431")] {
        let mut stream = connect(&server).await;
        let cookie = "x".repeat(bytes);
        let head = format!("GET /healthz HTTP/1.1\r\nHost: localhost\r\nCookie: {cookie}\r\nConnection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        let answer = to_the_end(&mut stream).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{bytes}: {answer}");
    }
}

/// It used to be an unknown path.
#[actix_web::test]
async fn options_of_the_whole_server_are_answered() {
    for flags in [&[][..], &["--base-path", "/signal"]] {
        let server = Server::start(flags);
        let mut stream = connect(&server).await;
        stream.write_all(b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await.unwrap();
        let answer = to_the_end(&mut stream).await.to_lowercase();
        assert!(answer.starts_with("http/1.1 204"), "{answer}");
        assert!(answer.contains("\r\nallow: get, head, post, patch, delete, options\r\n"), "{answer}");
    }
}

/// Without the check against the document: these responses come from the transport.
async fn send_raw(request: reqwest::RequestBuilder) -> u16 {
    request.send().await.unwrap().status().as_u16()
}

#[actix_web::test]
async fn metrics_may_have_their_own_listener() {
    let server = Server::start(&["--metrics-listen", "127.0.0.1:0"]);
    send(server.request(Method::GET, "/metrics")).await.refused(404, "not-found");
    let there = format!("http://{}", server.metrics.unwrap());
    let figures = reqwest::get(format!("{there}/metrics")).await.unwrap().text().await.unwrap();
    assert!(figures.contains("signalpost_rooms 0\n"), "{figures}");
    assert_eq!(reqwest::get(format!("{there}/healthz")).await.unwrap().status(), 200);
    assert_eq!(reqwest::get(format!("{there}/v1/rooms/tea")).await.unwrap().status(), 404);
}

/// The server is bound but does not accept yet: connections must queue and not be dropped.
#[actix_web::test]
async fn the_backlog_holds_a_thousand_connections() {
    let app = signalpost::app::App::build(config(&[])).unwrap();
    let mut crowd = Vec::new();
    for number in 0..1000 {
        let coming = tokio::time::timeout(Duration::from_secs(10), TcpStream::connect(app.addr()));
        crowd.push(coming.await.unwrap_or_else(|_| panic!("there is no place for number {number}")).unwrap());
    }
}

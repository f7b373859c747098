//! Upgrade offers. Except for the probe's WebSocket they are ignored, and the request is answered (RFC 9110 section 7.8).

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    process::Command,
};

use crate::support::harness::Server;

/// From curl 7.88 with --http2, Java 17's HttpClient, nginx with `proxy_set_header Connection "upgrade"`, pages that open a
/// WebSocket, and in other spellings.
const ASKING: [&str; 11] = [
    "User-Agent: curl/7.88.1\r\nAccept: */*\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n",
    "Connection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA\r\nUpgrade: h2c\r\nUser-Agent: Java-http-client/17.0.17\r\n",
    "Connection: upgrade\r\n",
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
    "CONNECTION: UPGRADE\r\nUPGRADE: WEBSOCKET\r\n",
    "connection: keep-alive, upgrade\r\nupgrade: websocket\r\n",
    "Connection: keep-alive\r\nConnection:\tupgrade ,\r\nUpgrade: TLS/1.0\r\nUpgrade: websocket\r\n",
    "Upgrade: websocket\r\n",
    "Upgrade:\r\nConnection: upgrade\r\n",
    "Connection: upgrade\r\nUpgrade: h2c, websocket/13\r\n",
    "Connection: Upgrade\r\nUpgrade: \u{e9}, websocket\r\n",
];

const JOIN: &str = "{\"name\":\"Ann\",\"capacity\":64}";

struct Line(TcpStream);

impl Line {
    async fn to(server: &Server) -> Self {
        Self(TcpStream::connect(("127.0.0.1", server.port)).await.unwrap())
    }

    async fn say(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).await.unwrap();
    }

    /// A response: its status, and its head in lower case.
    async fn answer(&mut self) -> (u16, String) {
        self.answer_to("GET").await
    }

    async fn answer_to(&mut self, what: &str) -> (u16, String) {
        let reading = self.read_answer(what.starts_with("HEAD"));
        tokio::time::timeout(Duration::from_secs(30), reading).await.expect("an answer")
    }

    async fn read_answer(&mut self, without_body: bool) -> (u16, String) {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(self.0.read_u8().await.unwrap_or_else(|error| panic!("{error}: {head:?}")));
        }
        let head = String::from_utf8(head).unwrap().to_lowercase();
        let length = head.split_once("content-length: ").map_or("0", |(_, rest)| rest.lines().next().unwrap());
        let mut body = vec![0; if without_body { 0 } else { length.parse().unwrap() }];
        self.0.read_exact(&mut body).await.unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), head)
    }

    async fn end(&mut self) -> usize {
        let reading = async { self.0.read_to_end(&mut Vec::new()).await };
        tokio::time::timeout(Duration::from_secs(30), reading).await.expect("the server closes the connection").unwrap()
    }
}

/// Request line, rest of the request, and the response's status.
fn requests() -> Vec<(&'static str, String, u16)> {
    let whole = format!("Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{JOIN}", JOIN.len());
    let (one, other) = JOIN.split_at(9);
    let chunked = format!(
        "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{one}\r\n{:x}\r\n{other}\r\n0\r\n\r\n",
        one.len(),
        other.len()
    );
    vec![
        ("GET /healthz", "\r\n".into(), 200),
        ("HEAD /readyz", "\r\n".into(), 200),
        ("GET /", "\r\n".into(), 200),
        ("GET /v1/rooms/tea/peers/x/messages?wait=5", "\r\n".into(), 401),
        ("POST /v1/rooms/tea/peers", whole.clone(), 201),
        ("POST /v1/rooms/tea/peers", chunked, 201),
        ("POST /v1/rooms/tea/peers", "Content-Length: 0\r\n\r\n".into(), 201),
        ("POST /v1/rooms/tea/peers", "\r\n".into(), 201),
        ("POST /v1/probe/upgrade", whole, 405),
        ("GET /nothing", "\r\n".into(), 404),
    ]
}

/// Used to get `connection: upgrade` and an unannounced close, or 408 after ten seconds.
#[actix_web::test]
async fn upgrade_offers_are_ignored() {
    let server = Server::start(&[]);
    for asking in ASKING {
        let mut line = Line::to(&server).await;
        for (what, rest, expected) in requests() {
            // The next request is pipelined and must be answered as such.
            line.say(&format!(
                "{what} HTTP/1.1\r\nHost: localhost\r\n{asking}{rest}GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
            ))
            .await;
            for (what, expected) in [(what, expected), ("GET", 200)] {
                let (status, head) = line.answer_to(what).await;
                assert_eq!(status, expected, "{what} {asking} {head}");
                assert!(!head.contains("\r\nconnection:") && !head.contains("\r\nupgrade:"), "{what} {asking} {head}");
            }
        }
    }
}

/// It was actix's own server, which ended the connection.
#[actix_web::test]
async fn the_metrics_port_ignores_upgrade_offers_and_limits_requests_like_the_public_one() {
    let server = Server::start(&["--metrics-listen", "127.0.0.1:0"]);
    let connect = async || Line(TcpStream::connect(server.metrics.unwrap()).await.unwrap());
    for asking in ASKING {
        let mut line = connect().await;
        for (what, expected) in
            [("GET /metrics", 200), ("HEAD /readyz", 200), ("POST /healthz", 405), ("GET /v1/rooms/tea", 404)]
        {
            line.say(&format!("{what} HTTP/1.1\r\nHost: localhost\r\n{asking}\r\n")).await;
            let (status, head) = line.answer_to(what).await;
            assert_eq!(status, expected, "{what} {asking} {head}");
            assert!(!head.contains("\r\nconnection:") && !head.contains("\r\nupgrade:"), "{what} {asking} {head}");
        }
    }
    let mut line = connect().await;
    line.say(&format!("GET /metrics HTTP/1.1\r\nHost: localhost\r\n{}\r\n", "X: y\r\n".repeat(96))).await;
    assert_eq!(line.answer().await.0, 431);
}

#[actix_web::test]
async fn upgrade_offers_in_fragmented_heads_are_ignored() {
    let server = Server::start(&[]);
    for asking in ASKING {
        let mut line = Line::to(&server).await;
        let request = format!(
            "POST /v1/rooms/tea/peers HTTP/1.1\r\nHost: localhost\r\n{asking}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{JOIN}",
            JOIN.len()
        );
        for part in request.as_bytes().chunks(7) {
            line.0.write_all(part).await.unwrap();
            tokio::task::yield_now().await;
        }
        let (status, head) = line.answer().await;
        assert!(status == 201 && !head.contains("\r\nconnection:"), "{asking} {head}");
    }
}

#[actix_web::test]
async fn other_connection_options_beside_an_upgrade_are_honored() {
    let server = Server::start(&[]);
    for (version, fields, says) in [
        ("1.1", "Connection: close, upgrade\r\nUpgrade: h2c\r\n", Some("close")),
        ("1.1", "Connection: Upgrade\r\nConnection: close\r\nUpgrade: websocket\r\n", Some("close")),
        ("1.0", "Connection: keep-alive, upgrade\r\nUpgrade: websocket\r\n", Some("keep-alive")),
        ("1.0", "Connection: upgrade\r\nUpgrade: websocket\r\n", None),
    ] {
        let mut line = Line::to(&server).await;
        line.say(&format!("GET /healthz HTTP/{version}\r\nHost: localhost\r\n{fields}\r\n")).await;
        let (status, head) = line.answer().await;
        assert_eq!(status, 200);
        let said = head.lines().find_map(|line| line.strip_prefix("connection: "));
        assert_eq!(said, says, "{fields}");
        if said != Some("keep-alive") {
            assert_eq!(line.end().await, 0, "{fields}");
        }
    }
}

#[actix_web::test]
async fn the_probe_accepts_only_websocket_upgrades() {
    let server = Server::start(&[]);
    for asking in ASKING.iter().filter(|asking| !asking.to_lowercase().contains("websocket")) {
        let mut line = Line::to(&server).await;
        for _ in 0..2 {
            line.say(&format!("GET /v1/probe/upgrade HTTP/1.1\r\nHost: localhost\r\n{asking}\r\n")).await;
            let (status, head) = line.answer().await;
            assert!(status == 400 && !head.contains("\r\nconnection:"), "{asking} {head}");
        }
    }
    // An incomplete handshake is refused.
    for version in ["1.0", "1.1"] {
        let mut line = Line::to(&server).await;
        line.say(&format!("GET /v1/probe/upgrade HTTP/{version}\r\nHost: localhost\r\n{}\r\n", ASKING[4])).await;
        let (status, head) = line.answer().await;
        assert!(status == 400 && !head.contains("connection: upgrade"), "{head}");
    }
}

/// The response closes the connection, because anything may follow.
#[actix_web::test]
async fn connect_is_refused() {
    let server = Server::start(&[]);
    for target in ["example.org:443", "[::1]:443", "/v1/rooms/tea/peers", "/v1/probe/upgrade"] {
        for fields in ["", ASKING[3], "Content-Length: 2\r\n"] {
            let mut line = Line::to(&server).await;
            line.say(&format!("CONNECT {target} HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n{{}}")).await;
            let (status, head) = line.answer().await;
            assert!((400..500).contains(&status), "{target} {fields} {head}");
            assert!(!head.contains("connection: upgrade"), "{target} {fields} {head}");
            if head.contains("connection: close") {
                line.end().await;
            } else {
                line.say("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
                line.answer().await;
            }
        }
    }
}

#[actix_web::test]
async fn curl_with_http2_keeps_its_connection() {
    let server = Server::start(&[]);
    let (health, page) = (format!("{}/healthz", server.base), format!("{}/v1/rooms/tea/peers", server.base));
    let curl = Command::new("curl")
        .args(["--http2", "--noproxy", "*", "--max-time", "30", "-sS", "-w", "%{http_code} %{num_connects}\n"])
        .args(["-o", "/dev/null", &health, "-o", "/dev/null", "--json", JOIN, &page, "-o", "/dev/null", &page])
        .output()
        .await
        .unwrap();
    let said = String::from_utf8_lossy(&curl.stdout).into_owned();
    assert_eq!(said, "405 1\n201 0\n201 0\n", "{}", String::from_utf8_lossy(&curl.stderr));
}

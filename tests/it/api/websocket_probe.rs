//! The network test's probe: do upgrades get through?

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::support::harness::Server;

/// The example handshake of RFC 6455, and the key that must come back.
const HANDSHAKE: &str = "GET /v1/probe/upgrade HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
const ACCEPT: &str = "sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// Everything the server sends until it closes the connection.
async fn shake_hands(server: &Server) -> Vec<u8> {
    let mut stream = TcpStream::connect(("127.0.0.1", server.port)).await.unwrap();
    stream.write_all(HANDSHAKE.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    let reading = tokio::time::timeout(Duration::from_secs(30), stream.read_to_end(&mut bytes));
    reading.await.expect("the server closes the connection").unwrap();
    bytes
}

#[actix_web::test]
async fn a_websocket_handshake_is_accepted_and_closed() {
    let bytes = shake_hands(&Server::start(&[])).await;
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
    let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
    assert!(head.starts_with("http/1.1 101"), "{head}");
    assert!(head.contains(&ACCEPT.to_lowercase()) && head.contains("upgrade: websocket"), "{head}");
    assert!(!head.contains("content-length") && !head.contains("transfer-encoding"), "{head}");
    // A close frame with code 1000, and nothing else.
    assert_eq!(bytes[end..], [0x88, 2, 0x03, 0xe8]);
}

#[actix_web::test]
async fn requests_without_a_handshake_get_an_explanation() {
    let server = Server::start(&[]);
    let problem = server.get("/v1/probe/upgrade").await.refused(400, "malformed-request");
    assert!(problem["detail"].as_str().unwrap().contains("WebSocket handshake"), "{problem}");
    server.post("/v1/probe/upgrade", serde_json::json!({})).await.refused(405, "method-not-allowed");
}

/// Images on other websites are not handshakes. They used up the join quota of visitors to those websites.
#[actix_web::test]
async fn only_handshakes_share_the_join_rate_limit() {
    let server = Server::start(&["--rate-join", "1"]);
    for _ in 0..20 {
        server.get("/v1/probe/upgrade").await.refused(400, "malformed-request");
    }
    server.join_room("tea", "Ann").await;
    let mut answered = [0; 12];
    for _ in 0..200 {
        let mut stream = TcpStream::connect(("127.0.0.1", server.port)).await.unwrap();
        stream.write_all(HANDSHAKE.as_bytes()).await.unwrap();
        stream.read_exact(&mut answered).await.unwrap();
        if &answered != b"HTTP/1.1 101" {
            break;
        }
    }
    assert_eq!(&answered, b"HTTP/1.1 429");
}

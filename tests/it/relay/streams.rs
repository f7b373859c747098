//! The relay over TCP and TLS, on the port of HTTP.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
};

use super::{CLOSED, connect, metric, two_members, two_members_over_tls};
use crate::support::{
    certificate::write_certificate,
    harness::Server,
    turn_client::{Received, TurnClient},
};

async fn http(port: u16) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    text
}

#[actix_web::test]
async fn a_connection_without_an_allocation_is_closed() {
    let server = Server::start(&CLOSED);
    let [ann, _ben] = two_members(&server, "tea").await;
    let mut idle = TurnClient::tcp(server.port, &ann.joined).await;
    // Requests do not prolong it.
    idle.ask(stun_types::message::BINDING, &[]).await;
    let mut busy = TurnClient::tcp(server.port, &ann.joined).await;
    let mut done = TurnClient::tcp(server.port, &ann.joined).await;
    assert_eq!((busy.allocate().await.code(), done.allocate().await.code()), (0, 0));
    assert_eq!(done.refresh(0).await.code(), 0);
    tokio::join!(idle.closed(), done.closed());
    assert_eq!(busy.refresh(600).await.code(), 0, "with an allocation it stays open");
}

/// `--keep-alive-ms` is for HTTP.
#[actix_web::test]
async fn an_allocation_keeps_its_connection() {
    let server = Server::start(&[&CLOSED[..], &["--keep-alive-ms", "3000"]].concat());
    let [ann, ben] = two_members(&server, "tea").await;
    let mut quiet = TcpStream::connect(("127.0.0.1", server.port)).await.unwrap();
    quiet.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    let mut by_ann = TurnClient::tcp(server.port, &ann.joined).await;
    let mut by_ben = TurnClient::udp(server.port, &ben.joined).await;
    let [of_ann, _] = connect(&mut by_ann, &mut by_ben).await;
    quiet.read_to_end(&mut Vec::new()).await.unwrap();
    by_ben.indicate(of_ann, b"still there?").await;
    assert_eq!(by_ann.receive().await, Received::Channel(0x4000, b"still there?".into()));
}

#[actix_web::test]
async fn an_allocation_ends_with_its_connection() {
    let server = Server::start(&CLOSED);
    let [ann, _ben] = two_members(&server, "tea").await;
    let mut client = TurnClient::tcp(server.port, &ann.joined).await;
    assert_eq!(client.allocate().await.code(), 0);
    assert_eq!(metric(&server, "signalpost_relay_allocations{transport=\"tcp\"}").await, 1);
    drop(client);
    while metric(&server, "signalpost_relay_allocations{transport=\"tcp\"}").await > 0 {
        tokio::task::yield_now().await;
    }
}

#[actix_web::test]
async fn what_is_not_turn_closes_only_its_connection() {
    let server = Server::start(&CLOSED);
    let [ann, ben] = two_members(&server, "tea").await;
    for wrong in [&[0, 3, 0, 5][..], &[0, 3, 0xff, 0xfc], &[3, 0, 0x10, 4, 1], &[1, 1, 0, 0x10, 0x80, 0, 0, 0]] {
        let mut client = TurnClient::tcp(server.port, &ann.joined).await;
        client.send_bytes(wrong).await;
        if wrong.len() < 8 {
            client.closed().await;
        }
    }
    let mut client = TurnClient::tcp(server.port, &ann.joined).await;
    assert_eq!(client.allocate().await.code(), 0);
    client.send_bytes(&[0xff; 64]).await;
    client.closed().await;
    let mut other = TurnClient::tcp(server.port, &ben.joined).await;
    assert_eq!(other.allocate().await.code(), 0);
    assert!(http(server.port).await.starts_with("HTTP/1.1 200"));
}

/// Calls continue until they end or the time is up, and no new one begins.
#[actix_web::test]
async fn relayed_calls_outlive_a_request_to_stop() {
    let server = Server::start(&[&CLOSED[..], &["--drain-ms", "60000"]].concat());
    let [ann, ben] = two_members(&server, "tea").await;
    let mut by_ann = TurnClient::tcp(server.port, &ann.joined).await;
    let mut by_ben = TurnClient::udp(server.port, &ben.joined).await;
    let [of_ann, _] = connect(&mut by_ann, &mut by_ben).await;
    server.stop();
    let mut late = TurnClient::udp(server.port, &ben.joined).await;
    while late.allocate().await.code() != 508 {
        late.refresh(0).await;
    }
    for _ in 0..3 {
        by_ben.indicate(of_ann, b"still here").await;
        assert_eq!(by_ann.receive().await, Received::Channel(0x4000, b"still here".into()));
    }
    assert_eq!(by_ann.refresh(0).await.code(), 0);
    assert_eq!(by_ben.refresh(0).await.code(), 0);
    server.join();
}

/// A receiver that never reads: its packets are dropped, and the sender notices nothing.
#[actix_web::test]
async fn a_client_that_does_not_read_delays_nobody() {
    let server = Server::start(&CLOSED);
    let [ann, ben] = two_members(&server, "tea").await;
    let mut sender = TurnClient::udp(server.port, &ann.joined).await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let stream = socket.connect(format!("127.0.0.1:{}", server.port).parse().unwrap()).await.unwrap();
    let mut deaf = TurnClient::over(Box::new(stream), &ben.joined);
    connect(&mut sender, &mut deaf).await;
    let slow = "signalpost_relay_drops_total{reason=\"slow-receiver\"}";
    while metric(&server, slow).await == 0 {
        for _ in 0..200 {
            sender.send(0x4000, &[7; 1200]).await;
        }
        assert_eq!(sender.refresh(600).await.code(), 0);
    }
    assert!(http(server.port).await.starts_with("HTTP/1.1 200"));
}

/// All on one port: each connection is what its first byte says.
#[actix_web::test]
async fn http_and_the_relay_share_the_port_of_tls() {
    let certificate = write_certificate("relay-port");
    let server = certificate.server();
    let [ann, _ben] = two_members_over_tls(&server, &certificate).await;
    let mut relayed = TurnClient::over(Box::new(certificate.connect(&server, "stun.turn").await.unwrap()), &ann);
    assert_eq!(relayed.allocate().await.code(), 0);
    let mut plain = certificate.connect(&server, "http/1.1").await.unwrap();
    plain.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut text = String::new();
    let _ = plain.read_to_string(&mut text).await;
    assert!(text.starts_with("HTTP/1.1 200"), "{text}");
    let client = certificate.h2(&server).await;
    let request = http::Request::get("https://localhost/healthz").body(()).unwrap();
    let (response, _) = client.ready().await.unwrap().send_request(request, true).unwrap();
    assert_eq!(response.await.unwrap().status(), 200);
    // ALPN decides nothing: HTTP may come by the name of TURN.
    let mut named = certificate.connect(&server, "stun.turn").await.unwrap();
    named.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut text = String::new();
    let _ = named.read_to_string(&mut text).await;
    assert!(text.starts_with("HTTP/1.1 200"), "{text}");
}

/// The bytes of a stream may arrive in any pieces.
#[actix_web::test]
async fn a_stream_is_read_in_any_pieces() {
    let server = Server::start(&CLOSED);
    let [ann, ben] = two_members(&server, "tea").await;
    let mut by_ann = TurnClient::tcp(server.port, &ann.joined).await;
    let mut by_ben = TurnClient::udp(server.port, &ben.joined).await;
    let [of_ann, _] = connect(&mut by_ann, &mut by_ben).await;
    let frames: Vec<u8> = (1..6_u8)
        .flat_map(|length| {
            let mut frame = vec![0x40, 0, 0, length];
            frame.extend(vec![length; length.into()]);
            frame.resize(frame.len().next_multiple_of(4), 0);
            frame
        })
        .collect();
    for piece in [1, 2, 3, 5, 7, frames.len()] {
        for bytes in frames.chunks(piece) {
            by_ann.send_bytes(bytes).await;
        }
        for length in 1..6_u8 {
            assert_eq!(
                by_ben.receive().await,
                Received::Data(of_ann, vec![length; length.into()]),
                "pieces of {piece}"
            );
        }
    }
}

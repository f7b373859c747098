//! The STUN responder, asked by datagrams and by coturn's own client.

use std::time::Duration;

use reqwest::Method;
use signalpost::app::App;
use stun_types::{
    attribute::XorMappedAddress,
    message::{BINDING, Message, MessageWrite, MessageWriteVec},
};
use tokio::{net::UdpSocket, process::Command};

use crate::harness::{Server, config, send};

const LISTEN: [&str; 2] = ["--stun-listen", "127.0.0.1:0"];

/// The port, as a peer is told of it.
async fn told_port(server: &Server) -> u16 {
    let joined = server.join_room("tea", "Ann").await.joined;
    let url = joined["ice_servers"][0]["urls"][0].as_str().unwrap();
    url.strip_prefix("stun:127.0.0.1:").unwrap().parse().unwrap()
}

fn question() -> Vec<u8> {
    Message::builder_request(BINDING, MessageWriteVec::new()).finish()
}

/// Asks until there is an answer, as RFC 8489 section 6.2.1 has it: a datagram may be lost.
async fn ask(from: &UdpSocket, port: u16) -> std::net::SocketAddr {
    let mut answer = [0; 128];
    loop {
        from.send_to(&question(), ("127.0.0.1", port)).await.unwrap();
        let received = tokio::time::timeout(Duration::from_millis(500), from.recv(&mut answer)).await;
        if let Ok(Ok(length)) = received {
            let message = Message::from_bytes(&answer[..length]).unwrap();
            return message.attribute::<XorMappedAddress>().unwrap().addr(message.transaction_id());
        }
    }
}

#[actix_web::test]
async fn a_peer_is_told_where_to_ask_and_there_learns_its_address() {
    let server = Server::start(&LISTEN);
    let port = told_port(&server).await;
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    assert_eq!(ask(&socket, port).await, socket.local_addr().unwrap());

    let mut client = Command::new("timeout");
    client.args(["20", "turnutils_stunclient", "-p", &port.to_string(), "127.0.0.1"]);
    let output = client.output().await.expect("turnutils_stunclient is in the Debian package coturn");
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("UDP reflexive addr: 127.0.0.1:"), "{text}");
}

#[actix_web::test]
async fn a_peer_is_told_under_the_name_by_which_it_knows_the_server() {
    let server = Server::start(&LISTEN);
    for (host, told) in [("signal.example:8443", "stun:signal.example:"), ("[2001:db8::1]", "stun:[2001:db8::1]:")] {
        let request = server.request(Method::POST, &format!("/v1/rooms/{}/peers", host.len()));
        let joined = send(request.header("host", host)).await.expect(201);
        assert!(joined["ice_servers"][0]["urls"][0].as_str().unwrap().starts_with(told), "{joined}");
    }
}

#[actix_web::test]
async fn whoever_asks_too_often_is_ignored_and_others_are_answered() {
    let server = Server::start(&LISTEN);
    let port = told_port(&server).await;
    let flood = UdpSocket::bind("127.0.0.9:0").await.unwrap();
    let ignored = async || {
        let figures = server.get("/metrics").await.text;
        let line = figures.lines().find_map(|line| line.strip_prefix("signalpost_stun_ignored_total ")).unwrap();
        line.parse::<u64>().unwrap()
    };
    while ignored().await < 500 {
        for _ in 0..500 {
            flood.send_to(&question(), ("127.0.0.1", port)).await.unwrap();
        }
    }
    let other = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    assert_eq!(ask(&other, port).await, other.local_addr().unwrap());
}

#[actix_web::test]
async fn a_port_in_use_is_said_at_the_start_with_the_option_to_change() {
    let taken = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let addr = taken.local_addr().unwrap().to_string();
    let error = App::build(config(&["--stun-listen", &addr])).err().unwrap();
    assert_eq!(error, format!("{addr} is in use; choose another with --stun-listen, port 0 for any free one"));
}

//! What those can do that have no credentials: nothing, at little cost.

use std::net::Ipv4Addr;

use stun_types::{
    attribute::AttributeWrite,
    message::{Message, MessageWrite, MessageWriteExt, MessageWriteVec, TransactionId},
};
use tokio::net::UdpSocket;
use turn_types::{attribute::RequestedTransport, message::ALLOCATE};

use super::{CLOSED, metric};
use crate::support::{harness::Server, process::ServerProcess, turn_client::TurnClient};

fn nobody() -> serde_json::Value {
    serde_json::json!({"ice_servers": []})
}

/// With the headers of IP and UDP.
const HEADERS: usize = 28;

#[actix_web::test]
async fn answers_to_strangers_are_of_no_use_for_amplification() {
    let server = Server::start(&CLOSED);
    let mut stranger = TurnClient::udp(server.port, &nobody()).await;
    let transport = RequestedTransport::new(RequestedTransport::UDP);
    for attributes in [&[][..] as &[&dyn AttributeWrite], &[&transport]] {
        let id = TransactionId::generate();
        let request = stranger.signed(ALLOCATE, id, attributes);
        let answer = stranger.exchange(&request, id).await;
        let (asked, answered) = (request.len() + HEADERS, answer.len() + HEADERS);
        assert!(answered * 4 <= asked * 7, "{answered} bytes for {asked}");
    }
}

/// 100,000 requests, from as many ports and addresses as can be had.
#[actix_web::test]
async fn requests_without_credentials_leave_no_memory_behind() {
    let server = ServerProcess::start(&["--turn-relay", "closed", "--workers", "1"]).await;
    let transport = RequestedTransport::new(RequestedTransport::UDP);
    let mut sockets = Vec::new();
    for place in 0..200_u8 {
        sockets.push(UdpSocket::bind((Ipv4Addr::new(127, 0, 1, place), 0)).await.unwrap());
    }
    let flood = async |count: usize| {
        for number in 0..count {
            let mut message = Message::builder_request(ALLOCATE, MessageWriteVec::new());
            message.add_attribute(&transport).unwrap();
            let socket = &sockets[number % sockets.len()];
            // What the kernel refuses is not counted below, either.
            let _ = socket.send_to(&message.finish(), ("127.0.0.1", server.port)).await;
        }
        let mut stranger = TurnClient::udp(server.port, &nobody()).await;
        stranger.ask(stun_types::message::BINDING, &[]).await;
    };
    flood(10_000).await;
    let before = server.memory();
    flood(100_000).await;
    let grown = server.memory().saturating_sub(before);
    assert!(grown < 1024 * 1024, "{grown} bytes more after 100,000 requests");
}

#[actix_web::test]
async fn malformed_datagrams_are_counted_and_change_nothing() {
    let server = Server::start(&CLOSED);
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.connect(("127.0.0.1", server.port)).await.unwrap();
    let mut random = fastrand::Rng::with_seed(3);
    for _ in 0..100 {
        let mut bytes: Vec<u8> = (0..random.usize(1..200)).map(|_| random.u8(..)).collect();
        bytes[0] = random.u8(0..4);
        socket.send(&bytes).await.unwrap();
    }
    socket.send(&[0x40, 0, 0, 4, 1, 2, 3, 4]).await.unwrap();
    let mut stranger = TurnClient::udp(server.port, &nobody()).await;
    stranger.ask(stun_types::message::BINDING, &[]).await;
    assert_eq!(metric(&server, "signalpost_relay_drops_total{reason=\"malformed\"}").await, 100);
    assert_eq!(metric(&server, "signalpost_relay_drops_total{reason=\"no-allocation\"}").await, 1);
    assert_eq!(metric(&server, "signalpost_relay_allocations{transport=\"udp\"}").await, 0);
}

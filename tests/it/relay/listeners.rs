//! Where the relay listens, and what peers are told.

use super::{CLOSED, two_members};
use crate::support::{harness::Server, turn_client::TurnClient};

fn urls(joined: &serde_json::Value) -> Vec<String> {
    joined["ice_servers"][1]["urls"].as_array().unwrap().iter().map(|url| url.as_str().unwrap().to_owned()).collect()
}

#[actix_web::test]
async fn peers_are_told_the_urls_by_the_host_that_they_use() {
    let server = Server::start(&CLOSED);
    let [ann, ben] = two_members(&server, "tea").await;
    let port = server.port;
    let expected = [format!("turn:127.0.0.1:{port}?transport=udp"), format!("turn:127.0.0.1:{port}?transport=tcp")];
    assert_eq!(urls(&ann.joined), expected);
    assert_eq!(urls(&ben.joined), expected);
    assert_eq!(ben.joined["ice_ttl_s"], 600);
}

#[actix_web::test]
async fn a_port_of_its_own_serves_the_relay_and_no_http() {
    let server =
        Server::start(&[&CLOSED[..], &["--turn-listen", "127.0.0.1:0", "--public-host", "localhost"]].concat());
    let [ann, ben] = two_members(&server, "tea").await;
    let all = urls(&ann.joined);
    let port = |url: &str| url.split([':', '?']).nth(2).unwrap().parse::<u16>().unwrap();
    assert_eq!(all.len(), 2, "a proxy in front passes only HTTP to the other: {all:?}");
    let other = port(&all[0]);
    assert_ne!(other, server.port);
    let mut by_udp = TurnClient::udp(other, &ann.joined).await;
    let mut by_tcp = TurnClient::tcp(other, &ben.joined).await;
    super::connect(&mut by_udp, &mut by_tcp).await;
    let answer = reqwest::get(format!("http://127.0.0.1:{other}/healthz")).await.unwrap();
    assert_eq!(answer.status(), 404);
}

#[actix_web::test]
async fn without_a_relay_turn_is_not_answered() {
    let server = Server::start(&["--stun-listen", "127.0.0.1:0"]);
    let ann = server.join_room("tea", "Ann").await;
    let ben = server.join_room("tea", "Ben").await;
    assert_eq!(ben.joined["ice_servers"].as_array().unwrap().len(), 1, "only STUN");
    let url = ann.joined["ice_servers"][0]["urls"][0].as_str().unwrap();
    let port = url.rsplit(':').next().unwrap().parse().unwrap();
    let mut client = TurnClient::udp(port, &ann.joined).await;
    let id = stun_types::message::TransactionId::generate();
    let allocate = client.signed(turn_types::message::ALLOCATE, id, &[]);
    client.send_bytes(&allocate).await;
    // This is answered, and comes after.
    assert_eq!(client.ask(stun_types::message::BINDING, &[]).await.code(), 0);
    assert_eq!(super::metric(&server, "signalpost_stun_answered_total").await, 1);
}

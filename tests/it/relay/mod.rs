//! The relay, on real sockets.

mod listeners;
mod membership;
mod nodes;
mod open;
mod packets;
mod proxies;
mod requests;
mod strangers;
mod streams;
mod uclient;

use serde_json::Value;

use crate::support::{
    certificate::Certificate,
    harness::{Peer, Server},
    three_ways::{Ask, Client, Way},
    turn_client::TurnClient,
};

/// A relay without a certificate, which only needs to be asked for.
const CLOSED: [&str; 2] = ["--turn-relay", "closed"];

/// Two members of a room, both with credentials.
async fn two_members(server: &Server, room: &str) -> [Peer; 2] {
    let mut ann = server.join_room(room, "Ann").await;
    let ben = server.join_room(room, "Ben").await;
    // Alone in the room, Ann was given none.
    ann.joined["ice_servers"] = ice_servers(&ann).await;
    [ann, ben]
}

async fn ice_servers(peer: &Peer) -> Value {
    let answer = crate::support::harness::send(peer.request(reqwest::Method::GET, &peer.path("/ice-servers"))).await;
    answer.expect(200)["ice_servers"].clone()
}

/// The same at a server with a certificate: their join responses.
async fn two_members_over_tls(server: &Server, certificate: &Certificate) -> [Value; 2] {
    let mut client = Client::new(Way::InPlace, server, certificate);
    let mut joined = Vec::new();
    for name in ["Ann", "Ben"] {
        let answer =
            client.send(&Ask::new("POST", "/v1/rooms/tea/peers").json(serde_json::json!({ "name": name }))).await;
        joined.push(serde_json::from_str::<Value>(&answer.body).unwrap());
    }
    let path = format!("/v1/rooms/tea/peers/{}/ice-servers", joined[0]["peer"]["id"].as_str().unwrap());
    let token = format!("Bearer {}", joined[0]["token"].as_str().unwrap());
    let answer = client.send(&Ask::new("GET", path).header("authorization", token)).await;
    joined[0]["ice_servers"] = serde_json::from_str::<Value>(&answer.body).unwrap()["ice_servers"].clone();
    joined.try_into().unwrap()
}

/// Lets two clients exchange packets: by channel from the first, by permission from the second.
async fn connect(ann: &mut TurnClient, ben: &mut TurnClient) -> [std::net::SocketAddr; 2] {
    let (of_ann, of_ben) = (ann.allocate().await.relayed(), ben.allocate().await.relayed());
    assert_eq!(ann.bind(0x4000, of_ben).await.code(), 0);
    assert_eq!(ben.permit(of_ann).await.code(), 0);
    [of_ann, of_ben]
}

/// A figure of `/metrics`.
async fn metric(server: &Server, name: &str) -> u64 {
    let figures = server.get("/metrics").await.text;
    let value = figures.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    value.unwrap_or_else(|| panic!("no {name} in {figures}")).parse().unwrap()
}

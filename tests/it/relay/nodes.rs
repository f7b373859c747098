//! Several nodes: the members of a room use the relay of the same node, whichever node they talk to.

use std::collections::HashSet;

use reqwest::Method;

use super::{connect, ice_servers};
use crate::support::{
    harness::{Peer, Server, send},
    redis_server::RedisServer,
    turn_client::{Received, TurnClient},
};

const FLAGS: [&str; 6] = [
    "--token-key",
    "kZ3vq9TfWm1x8LrP0aYdBcQe5Ns7Hj2U",
    "--turn-relay",
    "closed",
    // Nodes add their own ports.
    "--public-host",
    "127.0.0.1",
];

fn node(url: &str) -> Server {
    Server::start(&[&["--engine", url], &FLAGS[..]].concat())
}

fn at(node: &Server, peer: &Peer) -> Peer {
    Peer { base: node.base.clone(), ..peer.clone() }
}

/// The port of the relay that a node names.
async fn named(node: &Server, peer: &Peer) -> u16 {
    let servers = ice_servers(&at(node, peer)).await;
    let url = servers[1]["urls"][0].as_str().unwrap();
    url.split([':', '?']).nth(2).unwrap().parse().unwrap()
}

/// A room with two members, one at each node, and the port of its relay once both nodes agree.
async fn meet(nodes: &[Server; 2], room: &str) -> ([Peer; 2], u16) {
    let peers = [nodes[0].join_room(room, "Ann").await, nodes[1].join_room(room, "Ben").await];
    loop {
        let ports = (named(&nodes[0], &peers[0]).await, named(&nodes[1], &peers[1]).await);
        if ports.0 == ports.1 {
            return (peers, ports.0);
        }
        tokio::task::yield_now().await;
    }
}

#[actix_web::test]
async fn members_at_different_nodes_use_the_same_relay() {
    let redis = RedisServer::shared();
    let url = redis.url_apart();
    let nodes = [node(&url), node(&url)];
    let mut relays = HashSet::new();
    for number in 0..100 {
        let ([mut ann, mut ben], port) = meet(&nodes, &format!("room-{number}")).await;
        ann.joined["ice_servers"] = ice_servers(&ann).await;
        ben.joined["ice_servers"] = ice_servers(&ben).await;
        let mut by_ann = TurnClient::udp(port, &ann.joined).await;
        let mut by_ben = TurnClient::tcp(port, &ben.joined).await;
        let [of_ann, _] = connect(&mut by_ann, &mut by_ben).await;
        by_ann.send(0x4000, b"hello").await;
        assert_eq!(by_ben.receive().await, Received::Data(of_ann, b"hello".into()));
        // The seat is given up at the other node.
        send(at(&nodes[1], &ann).request(Method::DELETE, &ann.path(""))).await.expect(204);
        while by_ann.refresh(600).await.code() == 0 {
            tokio::task::yield_now().await;
        }
        relays.insert(port);
        if relays.len() == 2 && number >= 3 {
            return;
        }
    }
    panic!("one node alone relays");
}

#[actix_web::test]
async fn a_node_that_stops_is_named_no_longer() {
    let redis = RedisServer::shared();
    let url = redis.url_apart();
    let nodes = [node(&url), node(&url)];
    let mut number = 0;
    let peers = loop {
        let (peers, port) = meet(&nodes, &format!("stopping-{number}")).await;
        if port == nodes[0].port {
            break peers;
        }
        number += 1;
    };
    nodes[0].stop();
    while named(&nodes[1], &peers[1]).await != nodes[1].port {
        tokio::task::yield_now().await;
    }
}

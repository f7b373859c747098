//! Waits for a state that the server itself reports. The time-out only ends a test that hangs.

use std::time::Duration;

use futures_util::future::select_all;
use serde_json::Value;

use crate::support::harness::{Peer, Server, send};

pub const PATIENCE: Duration = Duration::from_secs(50);

/// Asks whether the node is ready until it says what is expected.
pub async fn until_ready(node: &Server, status: u16) {
    let asking = async { while node.get("/readyz").await.status != status {} };
    tokio::time::timeout(PATIENCE, asking).await.unwrap();
}

/// Waits until that many polls are parked at the node and registered in Redis.
pub async fn until_parked_in_redis(node: &Server, polls: usize) {
    until_parked(node, polls).await;
    // Its call to Redis uses the connection on which the polls registered.
    node.get("/v1/rooms/tea").await.expect(200);
}

/// Waits until that many polls are parked.
pub async fn until_parked(server: &Server, count: usize) {
    let line = format!("signalpost_parked_polls {count}\n");
    let there = server.metrics.map_or(server.base.clone(), |addr| format!("http://{addr}"));
    let asking = async {
        while !reqwest::get(format!("{there}/metrics")).await.unwrap().text().await.unwrap().contains(&line) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, asking).await.unwrap_or_else(|_| panic!("never {line}"));
}

/// Joins, for at least 45 s however short the server's leases are: a lease lasts as long as a poll may be held, even if that poll is
/// answered sooner. Nobody else may write to the peer meanwhile.
pub async fn join_to_stay(server: &Server, room: &str, body: Value) -> Peer {
    let joining = async {
        loop {
            let peer = server.join_with(room, body.clone()).await;
            let polls = [(), ()].map(|()| Box::pin(send(peer.polling(0, 50.0))));
            // The later poll supersedes the earlier one, and is held. If the lease had already ended, both are refused.
            let (first, ..) = select_all(polls).await;
            if first.status == 409 {
                return peer;
            }
        }
    };
    tokio::time::timeout(PATIENCE, joining).await.unwrap()
}

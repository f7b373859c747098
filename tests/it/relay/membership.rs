//! Whose packets are relayed: those of members, as long as they are members.

use super::{CLOSED, connect, metric, two_members};
use crate::support::{
    harness::{Peer, Server, send},
    turn_client::{Received, TurnClient},
};

/// Waits until the server has ended this many allocations.
async fn allocations_left(server: &Server, expected: u64) {
    while metric(server, "signalpost_relay_allocations{transport=\"udp\"}").await != expected {
        tokio::task::yield_now().await;
    }
}

/// Two members whose packets are relayed, and then one of them goes.
async fn ends_when(flags: &[&str], go: impl AsyncFnOnce(&Server, &Peer, &Peer)) {
    let server = Server::start(&[&CLOSED, flags].concat());
    let [ann, ben] = two_members(&server, "tea").await;
    let mut by_ann = TurnClient::udp(server.port, &ann.joined).await;
    let mut by_ben = TurnClient::udp(server.port, &ben.joined).await;
    let [of_ann, _] = connect(&mut by_ann, &mut by_ben).await;
    by_ann.send(0x4000, b"a member").await;
    assert_eq!(by_ben.receive().await, Received::Data(of_ann, b"a member".into()));

    go(&server, &ann, &ben).await;
    allocations_left(&server, 1).await;
    by_ann.send(0x4000, b"a former member").await;
    by_ben.indicate(of_ann, b"to a former member").await;
    assert!(by_ann.has_received_nothing().await && by_ben.has_received_nothing().await);
    assert_eq!(by_ann.refresh(600).await.code(), 437);
    // Its credentials have not expired.
    let mut again = TurnClient::udp(server.port, &ann.joined).await;
    assert_eq!(again.allocate().await.code(), 403);
    assert_eq!(by_ben.refresh(600).await.code(), 0, "others go on");
}

#[actix_web::test]
async fn a_member_that_leaves_is_relayed_no_longer() {
    ends_when(&[], async |_, ann, _| drop(ann.leave().await.expect(204))).await;
}

#[actix_web::test]
async fn a_member_that_is_kicked_is_relayed_no_longer() {
    // Ann created the room, so it is Ben's turn to be kept and Ann's to go: she removes herself by the room token.
    let kick = async |server: &Server, ann: &Peer, _: &Peer| {
        let token = ann.joined["room_token"].as_str().unwrap();
        server.delete(&ann.path(""), token).await.expect(204);
    };
    ends_when(&[], kick).await;
}

#[actix_web::test]
async fn a_member_whose_lease_ends_is_relayed_no_longer() {
    // After a goodbye it ends soon. Otherwise all this would have to be done within a short lease.
    ends_when(&["--leave-grace-ms", "100"], async |_, ann, _| drop(ann.goodbye().await.expect(204))).await;
}

#[actix_web::test]
async fn a_room_that_is_closed_is_relayed_no_longer() {
    let server = Server::start(&CLOSED);
    let [ann, ben] = two_members(&server, "tea").await;
    let mut by_ann = TurnClient::udp(server.port, &ann.joined).await;
    let mut by_ben = TurnClient::udp(server.port, &ben.joined).await;
    connect(&mut by_ann, &mut by_ben).await;
    server.delete("/v1/rooms/tea", ann.joined["room_token"].as_str().unwrap()).await.expect(204);
    allocations_left(&server, 0).await;
    by_ann.send(0x4000, b"is anybody there?").await;
    assert!(by_ben.has_received_nothing().await);
}

/// The checks of seats are no requests of the members.
#[actix_web::test]
async fn relaying_does_not_keep_a_seat() {
    let server = Server::start(&[&CLOSED[..], &["--lease-ms", "8000"]].concat());
    let mut tries = 0;
    let (ann, _by_ann) = loop {
        // On a busy machine a lease may end before there is an allocation.
        tries += 1;
        assert!(tries < 6, "no allocation");
        let [ann, _ben] = two_members(&server, &format!("tea-{tries}")).await;
        let mut by_ann = TurnClient::udp(server.port, &ann.joined).await;
        if by_ann.allocate().await.code() == 0 {
            break (ann, by_ann);
        }
    };
    allocations_left(&server, 0).await;
    let answer = send(ann.request(reqwest::Method::GET, &ann.path("/messages?wait=0"))).await;
    answer.refused(410, "peer-gone");
}

#[actix_web::test]
async fn a_member_alone_gets_no_credentials() {
    let server = Server::start(&CLOSED);
    let ann = server.join_room("tea", "Ann").await;
    let servers = ann.joined["ice_servers"].as_array().unwrap();
    assert!(servers.iter().all(|server| server["username"].is_null()), "{servers:?}");
    assert_eq!(servers[0]["urls"][0], format!("stun:127.0.0.1:{}", server.port));
}

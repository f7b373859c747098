//! Many people behind one address are no attack.

use futures_util::{StreamExt, future::join_all, stream};
use serde_json::json;

use crate::support::neighborhood::{Neighborhood, STRANGER};

/// 2,000 seats in 1,000 rooms from one address, each with a parked poll on a connection of its own, on a server with 1 GiB. All
/// calls begin at once.
#[actix_web::test]
async fn an_office_of_two_thousand_seats_has_one_address() {
    const ROOMS: usize = 1000;
    let have = rlimit::increase_nofile_limit(u64::MAX).unwrap();
    assert!(have > 6000, "this test needs 6000 file descriptors: ulimit -n says {have}");
    let server = &Neighborhood::start_direct(&["--memory-bytes", "1073741824", "--rate-join", "0"]).await;
    let client = &server.client(STRANGER);
    let meet = async |number: usize| {
        let ann = server.join(client, &format!("desk-{number}"), json!({})).await.unwrap();
        (ann, server.join(client, &format!("desk-{number}"), json!({})).await.unwrap())
    };
    let rooms: Vec<_> = stream::iter(0..ROOMS).map(meet).buffer_unordered(50).collect().await;
    // On a busy machine a poll may end before all are parked.
    let receive = async |peer: &crate::support::harness::Peer, after: u64| loop {
        let messages = peer.poll(after, 50.0).await.messages();
        if !messages.is_empty() {
            return messages;
        }
    };
    let polls = join_all(rooms.iter().map(async |(ann, ben)| {
        // Ann has read that Ben has come.
        let (answers, offers) = tokio::join!(receive(ann, 1), receive(ben, 0));
        (answers[0]["type"].clone(), offers[0]["type"].clone())
    }));
    let calls = async {
        server.until("parked_polls", |parked| parked == 2 * ROOMS as u64).await;
        let call = async |(ann, ben): &(_, _)| {
            let (ann, ben): (&crate::support::harness::Peer, &crate::support::harness::Peer) = (ann, ben);
            let sdp = "v=0\r\n".repeat(1000);
            ann.post(ben, json!({"type": "offer", "sdp": sdp})).await.expect(202);
            ben.post(ann, json!({"type": "answer", "sdp": sdp})).await.expect(202);
        };
        stream::iter(&rooms).map(call).buffer_unordered(40).collect::<Vec<_>>().await
    };
    let (received, _) = tokio::join!(polls, calls);
    assert_eq!(received.len(), ROOMS);
    assert!(received.iter().all(|(answer, offer)| answer == "answer" && offer == "offer"));
}

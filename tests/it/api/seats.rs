//! Seats of peers that have said goodbye, or nothing any more.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    harness::{Answer, Peer, Server, send},
    waits::join_to_stay,
};

/// How often something is tried that a machine may be too slow for.
const ATTEMPTS: usize = 5;

/// Waits until this peer has left, and returns the reason.
async fn reason_of_leaving(reader: &Peer, gone: &Peer) -> Value {
    let mut cursor = 0;
    loop {
        for message in reader.poll(cursor, 20.0).await.messages() {
            cursor = message["seq"].as_u64().unwrap();
            if message["type"] == "peer-left" && message["peer"] == gone.id {
                return message["reason"].clone();
            }
        }
    }
}

/// The seats of a full room, as a newcomer is told.
async fn seats(server: &Server) -> Value {
    server.post("/v1/rooms/tea/peers", json!({})).await.refused(409, "room-full")["seats"].clone()
}

#[actix_web::test]
async fn room_full_tells_when_a_quiet_seat_frees() {
    let server = Server::start(&["--leave-grace-ms", "3000"]);
    let ann = server.join_room("tea", "Ann").await;
    let (ben, full) = full_after_a_goodbye(&server).await;
    let problem = full.refused(409, "room-full");
    let frees_in = problem["frees_in_ms"].as_u64().unwrap();
    assert!((1..=3000).contains(&frees_in), "{problem}");
    assert_eq!(full.headers["retry-after"], frees_in.div_ceil(1000).to_string());

    assert_eq!(reason_of_leaving(&ann, &ben).await, "left");
    server.join_room("tea", "Cleo").await;
}

/// Who has said goodbye, and what a newcomer is told then. If the grace period was over by that time, the newcomer has the seat and
/// says goodbye in turn.
async fn full_after_a_goodbye(server: &Server) -> (Peer, Answer) {
    let mut leaving = server.join_room("tea", "Ben").await;
    for _ in 0..ATTEMPTS {
        leaving.goodbye().await.expect(204);
        let answer = server.post("/v1/rooms/tea/peers", json!({})).await;
        if answer.status != 201 {
            return (leaving, answer);
        }
        leaving = server.seat("tea", answer.json());
    }
    panic!("a seat is free as soon as its peer says goodbye");
}

#[actix_web::test]
async fn a_reloaded_page_keeps_its_seat_mailbox_and_cursor() {
    let server = Server::start(&["--leave-grace-ms", "60000"]);
    let ann = server.join_room("tea", "Ann").await;
    let ben = server.join_room("tea", "Ben").await;
    ben.say(&ann, 1).await;
    ann.poll(1, 0.0).await.expect(200);
    ben.say(&ann, 2).await;
    ann.goodbye().await.expect(204);

    let again = server.resume(&ann).await.expect(200);
    assert_eq!(again["peer"], ann.joined["peer"]);
    assert_eq!(again["token"], ann.token);
    assert_eq!((&again["cursor"], &again["latest"]), (&json!(1), &json!(3)));
    assert_eq!(again["peers"], json!([ben.joined["peer"]]));
    let unread: Vec<Value> = ann.messages(1).await.iter().map(|message| message["data"].clone()).collect();
    assert_eq!(unread, [1, 2]);
    // No one was told that Ann left.
    assert_eq!(ben.messages(0).await, Vec::<Value>::new());
}

#[actix_web::test]
async fn the_lease_of_a_reloaded_page_is_a_full_one_again() {
    let server = Server::start(&["--leave-grace-ms", "1000"]);
    let ann = server.join_with("tea", json!({"capacity": 3})).await;
    let (ben, cleo) = (server.join_room("tea", "Ben").await, server.join_room("tea", "Cleo").await);
    let mut returned = 0;
    // On a machine that stood still, Ann returns after the grace period, to a new seat.
    for _ in 0..ATTEMPTS {
        ann.goodbye().await.expect(204);
        returned = server.resume(&ann).await.status;
        if returned == 200 {
            break;
        }
    }
    assert_eq!(returned, 200);
    // Cleo says goodbye after Ann did. When Cleo's grace period is over, Ann's would be, too.
    cleo.goodbye().await.expect(204);
    assert_eq!(reason_of_leaving(&ben, &cleo).await, "left");
    send(ann.request(Method::GET, &ann.path("/messages?wait=0"))).await.expect(200);
}

#[actix_web::test]
async fn a_poll_repeated_by_a_proxy_does_not_undo_a_goodbye() {
    let server = Server::start(&["--leave-grace-ms", "30000", "--lease-ms", "600000"]);
    server.join_room("tea", "Ann").await;
    let ben = server.join_room("tea", "Ben").await;
    ben.goodbye().await.expect(204);
    ben.poll(0, 0.0).await.expect(200);
    let frees_in = seats(&server).await[1]["frees_in_ms"].as_u64();
    assert!(frees_in.is_some_and(|millis| millis <= 30_000), "{frees_in:?}");
}

/// The beacon and the next page's join use different connections and may overtake each other.
#[actix_web::test]
async fn a_goodbye_delivered_after_the_return_is_ignored() {
    let server = Server::start(&["--leave-grace-ms", "30000", "--lease-ms", "600000"]);
    server.join_room("tea", "Ann").await;
    let ben = server.join_room("tea", "Ben").await;
    server.resume(&ben).await.expect(200);
    ben.goodbye().await.expect(204);
    // After some seconds without requests a seat is quiet, with or without a goodbye, but then it frees with its lease.
    let frees_in = seats(&server).await[1]["frees_in_ms"].as_u64();
    assert!(frees_in.is_none_or(|millis| millis > 30_000), "{frees_in:?}");
}

#[actix_web::test]
async fn an_expired_peer_rejoins_under_its_id() {
    let server = Server::start(&["--lease-ms", "1000"]);
    let ann = join_to_stay(&server, "tea", json!({"name": "Ann"})).await;
    let ben = server.join_room("tea", "Ben").await;
    assert_eq!(
        ann.poll(1, 20.0).await.messages(),
        [json!({"seq": 2, "type": "peer-left", "peer": ben.id, "reason": "expired"})]
    );
    ben.poll(0, 0.0).await.refused(410, "peer-gone");
    ben.post(&ann, json!({"type": "bye"})).await.refused(410, "peer-gone");
    ann.post(&ben, json!({"type": "bye"})).await.refused(404, "peer-unknown");

    assert_eq!(server.resume(&ben).await.expect(201)["peer"]["id"], ben.id);
}

#[actix_web::test]
async fn a_peer_whose_seat_was_freed_rejoins_with_a_new_mailbox() {
    let server = Server::start(&["--leave-grace-ms", "100"]);
    let ann = server.join_room("tea", "Ann").await;
    let ben = server.join_room("tea", "Ben").await;
    ben.goodbye().await.expect(204);
    assert_eq!(reason_of_leaving(&ann, &ben).await, "left");
    let again = server.resume(&ben).await.expect(201);
    assert_eq!(again["peer"]["id"], ben.id);
    assert!(again["cursor"].as_u64().unwrap() > 1_700_000_000_000);
    ben.poll(0, 0.0).await.refused(410, "cursor-gone");
    ben.poll(again["cursor"].as_u64().unwrap(), 0.0).await.expect(200);
}

#[actix_web::test]
async fn a_leave_beacon_may_be_text_or_json_and_reveals_nothing() {
    let server = Server::start(&["--leave-grace-ms", "200"]);
    let ann = server.join_with("tea", json!({"capacity": 4})).await;
    let ben = server.join_room("tea", "Ben").await;
    let cleo = server.join_room("tea", "Cleo").await;
    let beacon = |path: String, body: String| send(server.request(Method::POST, &path).body(body));
    beacon(ben.path("/leave"), ben.token.clone()).await.expect(204);
    beacon(cleo.path("/leave"), json!({"token": cleo.token}).to_string()).await.expect(204);
    beacon(ann.path("/leave"), ben.token.clone()).await.expect(204);
    beacon(ann.path("/leave"), "nonsense".into()).await.expect(204);
    beacon(ann.path("/leave"), "x".repeat(2000)).await.refused(413, "body-too-large");

    let mut gone = Vec::new();
    let mut cursor = 2;
    while gone.len() < 2 {
        for message in ann.poll(cursor, 20.0).await.messages() {
            cursor = message["seq"].as_u64().unwrap();
            gone.push(message["peer"].clone());
        }
    }
    assert!(gone.contains(&json!(ben.id)) && gone.contains(&json!(cleo.id)));
    ann.poll(cursor, 0.0).await.expect(200);
}

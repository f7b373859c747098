//! Limits that no other file tests at their edge.

use reqwest::Method;
use serde_json::json;

use crate::support::harness::{Server, send};

#[actix_web::test]
async fn a_batch_may_be_four_times_the_body_limit() {
    let server = Server::start(&["--body-bytes", "1000"]);
    let ann = server.join_room("tea", "Ann").await;
    let batch = |bytes: usize| {
        let empty = r#"{"messages":[{"type":"data","data":""}]}"#.len();
        let body = format!("{{\"messages\":[{{\"type\":\"data\",\"data\":\"{}\"}}]}}", "x".repeat(bytes - empty));
        let request = ann.request(Method::POST, "/v1/rooms/tea/messages").header("content-type", "application/json");
        send(request.body(body))
    };
    batch(4001).await.refused(413, "body-too-large");
    batch(4000).await.expect(202);
}

#[actix_web::test]
async fn a_room_seats_up_to_its_capacity() {
    let server = Server::start(&["--room-capacity", "64"]);
    for number in 0..64 {
        server.join_room("hall", &number.to_string()).await;
    }
    server.post("/v1/rooms/hall/peers", json!({})).await.refused(409, "room-full");
}

#[actix_web::test]
async fn joins_are_refused_before_an_unread_mailbox_overflows_and_leaves_never_are() {
    let server = Server::start(&["--mailbox-messages", "1", "--room-capacity", "64"]);
    let ann = server.join_room("tea", "Ann").await;
    let mut refused = None;
    for _ in 0..200 {
        let answer = server.post("/v1/rooms/tea/peers", json!({})).await;
        if answer.status != 201 {
            refused = Some(answer);
            break;
        }
        server.seat("tea", answer.json()).leave().await.expect(204);
    }
    refused.expect("a bound").refused(429, "mailbox-full");
    let unread = ann.messages(0).await;
    assert!(unread.len() <= 1 + 128, "{}", unread.len());
    ann.poll(unread.len() as u64, 0.0).await.expect(200);
    server.join_room("tea", "Ben").await;
}

#[actix_web::test]
async fn an_unread_mailbox_remembers_a_senders_last_64_keys() {
    let server = Server::start(&[]);
    let ann = server.join_room("tea", "Ann").await;
    let post = |number: usize| {
        let key = format!("key-{number:016}");
        send(ann.posting(&ann, &json!({"type": "data", "data": number})).header("idempotency-key", key))
    };
    for number in 0..65 {
        post(number).await.expect(202);
    }
    assert_eq!(post(1).await.expect(202)["seq"], 2);
    assert_eq!(post(0).await.expect(202)["seq"], 66);
}

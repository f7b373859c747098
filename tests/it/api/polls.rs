//! `GET …/messages`: the long poll.

use reqwest::Method;
use serde_json::json;

use crate::support::{
    harness::{Server, send},
    waits::{join_to_stay, until_parked},
};

#[actix_web::test]
async fn a_parked_poll_returns_when_a_message_arrives() {
    let server = Server::start(&[]);
    let ann = server.join_room("tea", "Ann").await;
    let ben = server.join_room("tea", "Ben").await;
    let waiting = actix_web::rt::spawn(send(ben.polling(0, 50.0)));
    ann.say(&ben, "hi").await;
    let answer = waiting.await.unwrap().expect(200);
    assert_eq!(answer["cursor"], 1);
    assert_eq!(answer["messages"], json!([{"seq": 1, "from": ann.id, "type": "data", "data": "hi"}]));
}

#[actix_web::test]
async fn a_poll_without_messages_returns_an_empty_batch() {
    let server = Server::start(&[]);
    let ann = server.join_room("tea", "Ann").await;
    for wait in ["0", "0.2", "0.25"] {
        let path = ann.path(&format!("/messages?wait={wait}"));
        assert_eq!(send(ann.request(Method::GET, &path)).await.expect(200), json!({"messages": [], "cursor": 0}));
    }
}

#[actix_web::test]
async fn a_lost_response_is_repeated_until_acknowledged() {
    let server = Server::start(&[]);
    let ann = server.join_room("tea", "Ann").await;
    for number in 1..=3 {
        ann.say(&ann, number).await;
    }
    assert_eq!(ann.messages(0).await.len(), 3);
    assert_eq!(ann.messages(0).await.len(), 3);
    assert_eq!(ann.messages(2).await.len(), 1);
    ann.poll(1, 0.0).await.refused(410, "cursor-gone");
    let without = send(ann.request(Method::GET, &ann.path("/messages?wait=0"))).await.expect(200);
    assert_eq!(without["messages"][0]["seq"], 3);
}

#[actix_web::test]
async fn the_query_cursor_overrides_last_event_id() {
    let server = Server::start(&[]);
    let ann = server.join_room("tea", "Ann").await;
    ann.say(&ann, 1).await;
    ann.say(&ann, 2).await;
    let poll = |query: &str, header: &str| {
        send(ann.request(Method::GET, &ann.path(&format!("/messages?wait=0{query}"))).header("last-event-id", header))
    };
    assert_eq!(poll("", "1").await.messages().len(), 1);
    assert_eq!(poll("&after=2", "1").await.messages().len(), 0);
    poll("", "x").await.refused(400, "malformed-request");
    poll("&after=2", "x").await.refused(400, "malformed-request");
}

#[actix_web::test]
async fn an_impossible_cursor_is_refused_and_acknowledges_nothing() {
    let server = Server::start(&[]);
    let ann = server.join_room("tea", "Ann").await;
    ann.say(&ann, 1).await;
    let poll = |after: &str| send(ann.request(Method::GET, &ann.path(&format!("/messages?wait=0&after={after}"))));
    for malformed in ["-1", "1.0", "x", "", "+1", "9007199254740992", "99999999999999999999"] {
        poll(malformed).await.refused(400, "malformed-request");
    }
    let ahead = poll("2").await.refused(409, "cursor-ahead");
    assert_eq!(ahead["newest"], 1);
    poll("9007199254740991").await.refused(409, "cursor-ahead");
    assert_eq!(ann.messages(0).await.len(), 1);
}

#[actix_web::test]
async fn wait_is_a_bounded_number_of_seconds() {
    let server = Server::start(&["--wait-max-ms", "300"]);
    let ann = server.join_room("tea", "Ann").await;
    let poll = |wait: &str| send(ann.request(Method::GET, &ann.path(&format!("/messages?wait={wait}"))));
    for malformed in ["x", "", "NaN", "inf", "1s"] {
        poll(malformed).await.refused(400, "malformed-request");
    }
    for outside in ["-1", "0.31", "1e9"] {
        poll(outside).await.refused(422, "invalid");
    }
    poll("0.3").await.expect(200);
    // The default wait is capped, too.
    send(ann.request(Method::GET, &ann.path("/messages"))).await.expect(200);
}

#[actix_web::test]
async fn a_newer_poll_supersedes_the_older() {
    let server = Server::start(&[]);
    let ann = server.join_room("tea", "Ann").await;
    let older = actix_web::rt::spawn(send(ann.polling(0, 50.0)));
    until_parked(&server, 1).await;
    let newer = actix_web::rt::spawn(send(ann.polling(0, 50.0)));
    older.await.unwrap().refused(409, "poll-superseded");
    ann.say(&ann, 1).await;
    assert_eq!(newer.await.unwrap().messages().len(), 1);
}

#[actix_web::test]
async fn a_poll_without_wait_supersedes_too() {
    let server = Server::start(&[]);
    let ann = server.join_room("tea", "Ann").await;
    let older = actix_web::rt::spawn(send(ann.polling(0, 50.0)));
    until_parked(&server, 1).await;
    ann.poll(0, 0.0).await.expect(200);
    older.await.unwrap().refused(409, "poll-superseded");
}

#[actix_web::test]
async fn polling_renews_the_lease() {
    let server = Server::start(&["--lease-ms", "1500"]);
    let ann = join_to_stay(&server, "tea", json!({"name": "Ann"})).await;
    let ben = server.join_room("tea", "Ben").await;
    // Ann waits longer than a lease. Ben, who does not poll, expires, and that is her only message.
    let left = ann.poll(1, 50.0).await.messages();
    assert_eq!(left, [json!({"seq": 2, "type": "peer-left", "peer": ben.id, "reason": "expired"})]);
    ann.poll(2, 0.0).await.expect(200);
}

#[actix_web::test]
async fn page_ids_compare_after_percent_decoding() {
    let server = Server::start(&[]);
    let ann = server.join_with("tea", json!({"page": "Ann's 1st tab, \u{e9}"})).await;
    let poll = |page: &str| send(ann.request(Method::GET, &ann.path(&format!("/messages?wait=0&{page}"))));
    poll("page=Ann%27s+1st%20tab%2C%20%C3%A9").await.expect(200);
    poll("p%61ge=Ann's%201st%20tab,%20%c3%a9").await.expect(200);
    poll("page=another").await.refused(409, "poll-superseded");
    poll(&format!("page={}", "%C3%A9".repeat(64))).await.refused(409, "poll-superseded");
    poll(&format!("page={}", "%C3%A9".repeat(65))).await.refused(422, "invalid");
    poll("page=a&page=b").await.refused(400, "malformed-request");
}

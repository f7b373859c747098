//! `POST /v1/rooms/{room}/messages?wait=…`: posting, and then polling, in one request.

use futures_util::future::join_all;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::support::{
    harness::{Peer, Server, send},
    waits::until_parked,
};

const KEY: &str = "2b2d1c2e-0a6f-4f0c-9a55-7a3f4f1f7b12";

fn data(text: &str) -> Value {
    json!({"type": "data", "data": text})
}

/// Posts a message to everyone else, and polls.
fn post_and_poll(peer: &Peer, query: &str, message: &Value) -> RequestBuilder {
    let path = format!("/v1/rooms/{}/messages?{query}", peer.room);
    peer.request(Method::POST, &path).json(&json!({"messages": [message]}))
}

#[actix_web::test]
async fn the_response_to_a_post_waits_for_the_answer_to_it() {
    let server = Server::start(&[]);
    let ann = server.join_room("tea", "Ann").await;
    let ben = server.join_room("tea", "Ben").await;
    let waiting = actix_web::rt::spawn(send(post_and_poll(&ann, "wait=50&after=1", &data("ping"))));
    // The message does not wait.
    assert_eq!(ben.poll(0, 50.0).await.messages()[0]["data"], "ping");
    ben.say(&ann, "pong").await;
    assert_eq!(
        waiting.await.unwrap().expect(200),
        json!({
            "accepted": [{"to": ben.id, "seq": 1}],
            "messages": [{"seq": 2, "from": ben.id, "type": "data", "data": "pong"}],
            "cursor": 2,
        })
    );
}

#[actix_web::test]
async fn what_is_unread_is_returned_at_once_from_either_cursor() {
    let server = Server::start(&[]);
    let ann = server.join_room("tea", "Ann").await;
    let ben = server.join_room("tea", "Ben").await;
    ben.say(&ann, "first").await;
    ben.say(&ann, "second").await;
    let both = send(post_and_poll(&ann, "wait=50&after=1", &data("x"))).await;
    assert_eq!(both.messages().len(), 2);
    let second = send(post_and_poll(&ann, "wait=0", &data("x")).header("last-event-id", "2")).await;
    assert_eq!(second.messages()[0]["data"], "second");
    let none = send(post_and_poll(&ann, "wait=0&after=3", &data("x"))).await.expect(200);
    assert_eq!(none["messages"], json!([]));
    // Without `wait` it does not poll, whatever cursor there is, as long as that is one.
    send(post_and_poll(&ann, "after=x", &data("x"))).await.refused(400, "malformed-request");
    let posted = send(post_and_poll(&ann, "after=1", &data("x"))).await.expect(202);
    assert_eq!(posted, json!({"accepted": [{"to": ben.id, "seq": 4}]}));
}

#[actix_web::test]
async fn a_repeated_request_is_accepted_once_and_polls_again() {
    let server = Server::start(&[]);
    let ann = server.join_room("tea", "Ann").await;
    let ben = server.join_room("tea", "Ben").await;
    let request = |query: &str| send(post_and_poll(&ann, query, &data("ping")).header("idempotency-key", KEY));
    let first = request("wait=0&after=1").await.expect(200);
    ben.say(&ann, "pong").await;
    let second = request("wait=50&after=1").await.expect(200);
    assert_eq!(second["accepted"], first["accepted"]);
    assert_eq!((first["messages"].clone(), second["messages"][0]["data"].clone()), (json!([]), json!("pong")));
    // The key is that of the post, so its client may repeat it without polling.
    let third = send(post_and_poll(&ann, "", &data("ping")).header("idempotency-key", KEY)).await.expect(202);
    assert_eq!(third["accepted"], first["accepted"]);
    assert_eq!(ben.messages(0).await.len(), 1);
}

#[actix_web::test]
async fn a_refused_post_does_not_poll() {
    let server = Server::start(&["--mailbox-messages", "1"]);
    let ann = server.join_room("tea", "Ann").await;
    let ben = server.join_room("tea", "Ben").await;
    ben.say(&ben, "full").await;
    let older = actix_web::rt::spawn(send(ann.polling(1, 50.0)));
    until_parked(&server, 1).await;
    send(post_and_poll(&ann, "wait=50&after=1", &data("x"))).await.refused(429, "mailbox-full");
    send(post_and_poll(&ann, "wait=50&after=1", &json!({"type": "offer"}))).await.refused(422, "invalid");
    // The poll that was parked before is still there.
    ben.say(&ann, "hello").await;
    assert_eq!(older.await.unwrap().messages().len(), 1);
}

#[actix_web::test]
async fn an_invalid_poll_posts_nothing() {
    let server = Server::start(&[]);
    let ann = server.join_room("tea", "Ann").await;
    let ben = server.join_room("tea", "Ben").await;
    for malformed in ["wait=x", "wait=", "wait=0&wait=0", "wait=0&after=-1", "wait=0&after=1&after=1"] {
        send(post_and_poll(&ann, malformed, &data("x"))).await.refused(400, "malformed-request");
    }
    for invalid in ["wait=-1", "wait=1e9", "wait=0&page="] {
        send(post_and_poll(&ann, invalid, &data("x"))).await.refused(422, "invalid");
    }
    assert_eq!(ben.messages(0).await, Vec::<Value>::new());
}

/// A client that took the problem for a refusal of the post would send it twice.
#[actix_web::test]
async fn a_problem_of_the_poll_says_that_the_post_was_accepted() {
    let server = Server::start(&[]);
    let ann = server.join_room("tea", "Ann").await;
    let ben = server.join_room("tea", "Ben").await;
    let ahead = send(post_and_poll(&ann, "wait=0&after=99", &data("x"))).await.refused(409, "cursor-ahead");
    assert_eq!((&ahead["accepted"], &ahead["newest"]), (&json!([{"to": ben.id, "seq": 1}]), &json!(1)));

    let older = actix_web::rt::spawn(send(post_and_poll(&ann, "wait=50&after=1", &data("x"))));
    until_parked(&server, 1).await;
    ann.poll(1, 0.0).await.expect(200);
    let superseded = older.await.unwrap().refused(409, "poll-superseded");
    assert_eq!(superseded["accepted"], json!([{"to": ben.id, "seq": 2}]));

    let parked = actix_web::rt::spawn(send(post_and_poll(&ann, "wait=50&after=1", &data("x"))));
    // The post is accepted, and the poll is parked or about to be. (The figure of parked polls may be that of the last one.)
    assert_eq!(ben.poll(2, 50.0).await.messages()[0]["seq"], 3);
    server.stop();
    assert_eq!(parked.await.unwrap().refused(503, "draining")["accepted"], json!([{"to": ben.id, "seq": 3}]));
}

#[actix_web::test]
async fn its_poll_supersedes_one_of_the_same_page_quietly() {
    let server = Server::start(&[]);
    let ann = server.join_with("tea", json!({"page": "page-of-ann"})).await;
    let ben = server.join_room("tea", "Ben").await;
    let poll = ann.request(Method::GET, &ann.path("/messages?wait=50&after=1&page=page-of-ann"));
    let older = actix_web::rt::spawn(send(poll));
    until_parked(&server, 1).await;
    let newer = actix_web::rt::spawn(send(post_and_poll(&ann, "wait=50&after=1&page=page-of-ann", &data("x"))));
    assert_eq!(older.await.unwrap().messages(), Vec::<Value>::new());
    ben.say(&ann, "hello").await;
    assert_eq!(newer.await.unwrap().messages().len(), 1);
}

#[actix_web::test]
async fn it_counts_as_a_post_and_as_a_poll() {
    let server = Server::start(&["--rate-poll", "1"]);
    let ann = server.join_room("tea", "Ann").await;
    let ben = server.join_room("tea", "Ben").await;
    // All at once, so that they are more than the rate on any machine.
    let answers = join_all((0..50).map(|_| send(post_and_poll(&ann, "wait=0&after=1", &data("x"))))).await;
    let refused: Vec<_> = answers.iter().filter(|answer| answer.status == 429).collect();
    assert!(!refused.is_empty() && refused.len() < answers.len());
    for answer in refused {
        assert!(answer.refused(429, "rate-limited")["accepted"].is_null());
    }
    let before = ben.messages(0).await.len();
    send(post_and_poll(&ann, "", &data("x"))).await.expect(202);
    assert_eq!(ben.messages(0).await.len(), before + 1);
}

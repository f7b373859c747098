//! What clients and monitoring see when Redis is unreachable or out of memory.

use std::time::Duration;

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use signalpost::app::App;

use crate::support::{
    harness::{Answer, Peer, Server, build, config, send},
    redis_server::RedisServer,
    waits::{until_parked_in_redis, until_ready},
};

const KEY: [&str; 2] = ["--token-key", "kZ3vq9TfWm1x8LrP0aYdBcQe5Ns7Hj2U"];
/// Only ends a test that hangs.
const PATIENCE: Duration = Duration::from_secs(50);
/// Seconds for which polls ask to be held, and must not be.
const HOLD: f64 = 55.0;

fn node(redis: &RedisServer) -> Server {
    // Who says nothing during an outage keeps the seat.
    Server::start(&[&["--engine", &redis.url(), "--lease-ms", "600000"], &KEY[..]].concat())
}

async fn three(one: &Server, two: &Server) -> [Peer; 3] {
    let ann = one.join_with("tea", json!({"name": "Ann", "capacity": 3})).await;
    [ann, two.join_room("tea", "Ben").await, one.join_room("tea", "Cid").await]
}

/// One request of each kind. A hanging server may execute them once it continues, so Cid exists to be removed.
fn everything(node: &Server, [ann, ben, cid]: &[Peer; 3]) -> [RequestBuilder; 11] {
    let text = json!({"type": "data", "data": 1});
    [
        node.request(Method::POST, "/v1/rooms").json(&json!({})),
        node.request(Method::GET, "/v1/rooms/tea"),
        node.request(Method::POST, "/v1/rooms/tea/peers").json(&json!({})),
        ann.request(Method::POST, "/v1/rooms/tea/peers").json(&json!({})),
        ann.request(Method::GET, "/v1/rooms/tea/peers"),
        ann.posting(ben, &text),
        ann.request(Method::POST, "/v1/rooms/tea/messages").json(&json!({ "messages": [text] })),
        ann.polling(0, 0.0),
        ann.polling(0, HOLD),
        ann.request(Method::GET, &ann.path("/ice-servers")),
        cid.request(Method::DELETE, &cid.path("")),
    ]
}

/// All requests at once are answered 503 with `Retry-After`.
async fn everything_is_put_off(node: &Server, people: &[Peer; 3]) {
    let all = futures_util::future::join_all(everything(node, people).map(send));
    tokio::time::timeout(PATIENCE, all).await.unwrap().iter().for_each(is_put_off);
}

fn is_put_off(answer: &Answer) {
    answer.refused(503, "engine-unavailable");
    assert_eq!(answer.headers["retry-after"], "1", "{answer:?}");
}

// In a runtime, as in `main`.
#[tokio::test]
async fn an_unusable_engine_fails_startup_with_the_reason() {
    let error = |engine: &str, flags: &[&str]| {
        build(&config(&[&["--engine", engine], flags].concat())).err().unwrap_or_default()
    };
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let unreachable = error(&format!("redis://ann:secret@{free}"), &KEY);
    assert!(unreachable.contains(&format!("Redis at {free} cannot be used")), "{unreachable}");
    assert!(!unreachable.contains("secret"), "{unreachable}");

    let misspelt = error("redis://ann:secret@localhost:port", &KEY);
    assert!(misspelt.contains("--engine cannot be read") && !misspelt.contains("secret"), "{misspelt}");

    let redis = RedisServer::start(&["--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"]);
    assert!(error(&redis.url(), &KEY).contains("noeviction"));
    assert!(error(&redis.url(), &[]).contains("--token-key"));
    assert!(error(&format!("redis-sentinel://127.0.0.1:{}/calls", redis.port), &KEY).contains("cannot be used"));
    redis.pause();
    let paused = App::build(config(&[&["--engine", &redis.url()], &KEY[..]].concat()));
    assert!(paused.err().unwrap().contains("cannot be used"));
    redis.go_on();
    let guarded = RedisServer::start(&["--requirepass", "open sesame"]);
    assert!(error(&guarded.url(), &KEY).contains("cannot be used"));
    let url = format!("redis://:open%20sesame@127.0.0.1:{}", guarded.port);
    assert_eq!(error(&url, &KEY), "");
}

#[tokio::test]
async fn a_hanging_redis_gives_503_until_it_recovers() {
    let redis = RedisServer::start(&["--save", ""]);
    let node = node(&redis);
    let people = three(&node, &node).await;
    let [ann, ben, cid] = &people;
    let read = ann.messages(0).await.len() as u64;
    let parked = tokio::spawn(send(ann.polling(read, 8.0)));
    until_parked_in_redis(&node, 1).await;
    let mut keyed =
        ann.posting(ben, &json!({"type": "data", "data": "once"})).header("idempotency-key", "k".repeat(16));
    redis.pause();

    let refused = send(keyed.try_clone().unwrap()).await;
    is_put_off(&refused);
    assert!(refused.json()["detail"].as_str().unwrap().contains("may have taken effect"));
    everything_is_put_off(&node, &people).await;
    assert_eq!(cid.goodbye().await.status, 204);
    until_ready(&node, 503).await;
    node.get("/readyz").await.refused(503, "engine-unavailable");
    assert_eq!(node.get("/healthz").await.status, 200);
    assert!(node.get("/metrics").await.text.contains("signalpost_rooms"));
    // It waits for the hold, and not forever.
    tokio::time::timeout(PATIENCE, parked).await.unwrap().unwrap().refused(503, "engine-unavailable");

    redis.go_on();
    until_ready(&node, 200).await;
    keyed = keyed.header("x-again", "1");
    send(keyed).await.expect(202);
    let ben = node.seat("tea", node.resume(ben).await.expect(200));
    let once = |message: &&Value| message["data"] == "once";
    assert_eq!(ben.messages(0).await.iter().filter(once).count(), 1);
}

// All responses must arrive before a single hold is over.
#[tokio::test]
async fn requests_do_not_hang_on_a_dead_or_silent_redis() {
    for fail in [RedisServer::kill, RedisServer::pause] {
        let redis = RedisServer::start(&["--save", ""]);
        let node = node(&redis);
        let people = three(&node, &node).await;
        let read = people[1].messages(0).await.len() as u64;
        let held = tokio::spawn(send(people[1].polling(read, HOLD)));
        until_parked_in_redis(&node, 1).await;

        fail(&redis);
        // Before the node has noticed, and after.
        everything_is_put_off(&node, &people).await;
        until_ready(&node, 503).await;
        for _ in 0..2 {
            for request in everything(&node, &people) {
                is_put_off(&tokio::time::timeout(PATIENCE, send(request)).await.unwrap());
            }
        }
        assert!(!held.is_finished());
        held.abort();
    }
}

#[tokio::test]
async fn a_restarted_redis_has_lost_nothing() {
    let redis = RedisServer::start(&["--appendonly", "yes", "--appendfsync", "always"]);
    let (one, two) = (node(&redis), node(&redis));
    let people = three(&one, &two).await;
    let [ann, ben, _] = &people;
    ann.say(ben, "before").await;
    let joined = ann.messages(0).await;
    assert_eq!(joined[0]["peer"]["id"], ben.id);
    let parked = tokio::spawn(send(ann.polling(joined.len() as u64, 55.0)));
    until_parked_in_redis(&one, 1).await;

    redis.kill();
    until_ready(&one, 503).await;
    until_ready(&two, 503).await;
    everything_is_put_off(&one, &people).await;
    redis.start_again();
    until_ready(&one, 200).await;
    until_ready(&two, 200).await;
    let waiting = ben.messages(0).await;
    assert!(waiting.iter().any(|message| message["data"] == "before"), "{waiting:?}");
    // The parked poll is still there and is woken.
    ben.say(ann, "after").await;
    let told = tokio::time::timeout(PATIENCE, parked).await.unwrap().unwrap();
    assert_eq!(told.messages()[0]["data"], "after");
}

#[tokio::test]
async fn a_redis_out_of_memory_refuses_writes_and_serves_reads() {
    let redis = RedisServer::start(&["--save", ""]);
    let node = node(&redis);
    let (ann, ben) = (node.join_room("tea", "Ann").await, node.join_room("tea", "Ben").await);
    ann.say(&ben, "before").await;
    redis.cli(&["config", "set", "maxmemory", "1mb"]);

    let text = json!({"type": "data", "data": "more"});
    ann.post(&ben, text).await.refused(503, "memory-exhausted");
    node.post("/v1/rooms", json!({})).await.refused(503, "memory-exhausted");
    node.post("/v1/rooms/milk/peers", json!({})).await.refused(503, "memory-exhausted");
    assert_eq!(ben.messages(0).await.len(), 1);
    assert!(ben.messages(1).await.is_empty());
    node.resume(&ben).await.expect(200);
    assert_eq!(ben.leave().await.status, 204);
    let told = ann.messages(0).await;
    assert_eq!(
        told.iter().map(|event| event["type"].as_str().unwrap()).collect::<Vec<_>>(),
        ["peer-joined", "peer-left"]
    );
    // Its seat is gone, so it joins as a new peer.
    node.resume(&ben).await.refused(503, "memory-exhausted");

    redis.cli(&["config", "set", "maxmemory", "0"]);
    // The node may have read the limit, and learns of the new one when it looks next.
    let resumed = loop {
        let answer = node.resume(&ben).await;
        if answer.status != 503 {
            break answer;
        }
    };
    resumed.expect(201);
}

#[tokio::test]
async fn messages_deleted_from_redis_by_hand_are_reported_gone() {
    let redis = RedisServer::start(&["--save", ""]);
    let node = node(&redis);
    let (ann, ben) = (node.join_room("tea", "Ann").await, node.join_room("tea", "Ben").await);
    let empty = || {
        redis.cli(&["eval", "return redis.call('DEL', unpack(redis.call('KEYS', '*:m:tea:*')))", "0"]);
    };
    ann.say(&ben, "lost").await;
    empty();
    ben.poll(0, 0.0).await.refused(410, "cursor-gone");
    let cursor = node.resume(&ben).await.expect(200)["cursor"].as_u64().unwrap();
    ann.say(&ben, "lost, too").await;
    ann.say(&ben, "and this").await;
    empty();
    // Acknowledges messages that no longer exist.
    ben.poll(cursor + 1, 0.0).await.refused(410, "cursor-gone");
    let cursor = node.resume(&ben).await.expect(200)["cursor"].as_u64().unwrap();
    ann.say(&ben, "kept").await;
    assert_eq!(ben.messages(cursor).await[0]["data"], "kept");
}

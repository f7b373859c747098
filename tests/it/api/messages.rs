//! `/v1/rooms/{room}/peers/{peer}/messages` and `/v1/rooms/{room}/messages`: posting.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::harness::{Answer, Peer, Server, send};

const KEY: &str = "2b2d1c2e-0a6f-4f0c-9a55-7a3f4f1f7b11";

async fn raw(peer: &Peer, to: &Peer, content_type: &str, body: impl Into<reqwest::Body>) -> Answer {
    let request = peer.request(Method::POST, &to.path("/messages"));
    send(request.header("content-type", content_type).body(body)).await
}

#[actix_web::test]
async fn a_call_is_signaled_with_offer_answer_and_candidates() {
    let server = Server::start(&[]);
    let ann = server.join_room("tea", "Ann").await;
    let ben = server.join_room("tea", "Ben").await;
    let candidate = json!({"candidate": "candidate:1 1 udp 1 192.0.2.1 9 typ host", "sdpMid": "0", "sdpMLineIndex": 0});
    for message in [
        json!({"type": "offer", "sdp": "v=0\r\n"}),
        json!({"type": "candidate", "candidate": candidate}),
        json!({"type": "candidate", "candidate": null}),
    ] {
        ben.post(&ann, message).await.expect(202);
    }
    ann.post(&ben, json!({"type": "answer", "sdp": "v=0\r\n"})).await.expect(202);
    ann.post(&ben, json!({"type": "bye", "reason": "done"})).await.expect(202);

    assert_eq!(
        ann.messages(1).await,
        [
            json!({"seq": 2, "from": ben.id, "type": "offer", "sdp": "v=0\r\n"}),
            json!({"seq": 3, "from": ben.id, "type": "candidate", "candidate": candidate}),
            json!({"seq": 4, "from": ben.id, "type": "candidate", "candidate": null}),
        ]
    );
    assert_eq!(
        ben.messages(0).await,
        [
            json!({"seq": 1, "from": ann.id, "type": "answer", "sdp": "v=0\r\n"}),
            json!({"seq": 2, "from": ann.id, "type": "bye", "reason": "done"}),
        ]
    );
}

#[actix_web::test]
async fn messages_are_relayed_byte_for_byte() {
    let server = Server::start(&[]);
    let ann = server.join_room("tea", "Ann").await;
    let body = r#"{"type":"data","data":{"b":1.50,"a":"\u00e9\/é","z":[1e2 , null]}}"#;
    raw(&ann, &ann, "application/json; charset=utf-8", body).await.expect(202);
    let text = ann.poll(0, 0.0).await.text;
    assert!(text.contains(r#""data":{"b":1.50,"a":"\u00e9\/é","z":[1e2 , null]}"#), "{text}");
}

#[actix_web::test]
async fn a_batch_reaches_everyone_or_its_addressees_in_order() {
    let server = Server::start(&[]);
    let ann = server.join_with("tea", json!({"capacity": 3})).await;
    let ben = server.join_room("tea", "Ben").await;
    let cleo = server.join_room("tea", "Cleo").await;
    let answer = ann
        .batch(json!([
            {"type": "data", "data": "all"},
            {"type": "data", "data": "ben", "to": ben.id},
        ]))
        .await
        .expect(202);
    let expected = [(&ben.id, 2), (&cleo.id, 1), (&ben.id, 3)].map(|(to, seq)| json!({"to": to, "seq": seq}));
    assert_eq!(answer["accepted"], json!(expected));
    let data = |messages: Vec<Value>| messages.iter().map(|message| message["data"].clone()).collect::<Vec<_>>();
    assert_eq!(data(ben.messages(1).await), ["all", "ben"]);
    assert_eq!(data(cleo.messages(0).await), ["all"]);
}

#[actix_web::test]
async fn a_batch_with_one_bad_entry_has_no_effect() {
    let server = Server::start(&[]);
    let ann = server.join_room("tea", "Ann").await;
    let ben = server.join_room("tea", "Ben").await;
    let good = json!({"type": "data", "data": 1, "to": ben.id});
    let nobody = "123e4567-e89b-12d3-a456-426614174000";
    let batch = |bad: Value| ann.batch(json!([good, bad, good]));
    batch(json!({"type": "data", "data": 1, "to": nobody})).await.refused(404, "peer-unknown");
    let problem = batch(json!({"type": "data", "data": 1, "to": "Ben"})).await.refused(422, "invalid");
    assert!(problem["detail"].as_str().unwrap().starts_with("messages[1]"), "{problem}");
    batch(json!({"type": "offer"})).await.refused(422, "invalid");
    batch(json!("x")).await.refused(422, "invalid");
    assert_eq!(ben.messages(0).await, Vec::<Value>::new());
    ann.batch(json!([])).await.refused(422, "invalid");
    ann.batch(json!(vec![good.clone(); 51])).await.refused(422, "invalid");
    ann.batch(json!(vec![good.clone(); 50])).await.expect(202);
    assert_eq!(ben.messages(0).await.len(), 50);
}

#[actix_web::test]
async fn a_repeated_keyed_post_is_delivered_once() {
    let server = Server::start(&[]);
    let ann = server.join_room("tea", "Ann").await;
    let ben = server.join_room("tea", "Ben").await;
    let post = |key: &str, data: u64| {
        send(ann.posting(&ben, &json!({"type": "data", "data": data})).header("idempotency-key", key))
    };
    assert_eq!(post(KEY, 1).await.expect(202), json!({"seq": 1}));
    assert_eq!(post(KEY, 1).await.expect(202), json!({"seq": 1}));
    post(KEY, 2).await.refused(422, "key-reused");
    let other = json!({"messages": [{"type": "data", "data": 1}]});
    let batch = ann.request(Method::POST, "/v1/rooms/tea/messages").json(&other).header("idempotency-key", KEY);
    send(batch).await.refused(422, "key-reused");
    for bad in ["short", &"x".repeat(65), "spaces are not all"] {
        post(bad, 1).await.refused(400, "malformed-request");
    }
    // A key belongs to its sender.
    let bens = send(ben.posting(&ann, &json!({"type": "data", "data": 1})).header("idempotency-key", KEY)).await;
    assert_eq!(bens.expect(202), json!({"seq": 2}));
    assert_eq!(ben.messages(0).await.len(), 1);
}

#[actix_web::test]
async fn the_sender_comes_from_the_token() {
    let server = Server::start(&[]);
    let ann = server.join_room("tea", "Ann").await;
    let ben = server.join_room("tea", "Ben").await;
    let forged = json!({"type": "bye", "from": ann.id});
    ben.post(&ann, forged).await.refused(422, "invalid");
    let stranger = server.join_room("coffee", "Eve").await;
    stranger.post(&ann, json!({"type": "bye"})).await.refused(401, "token-invalid");
    let posing = Peer { token: stranger.token.clone(), ..ann.clone() };
    posing.post(&ann, json!({"type": "bye"})).await.refused(401, "token-invalid");
    send(server.request(Method::POST, &ann.path("/messages")).json(&json!({"type": "bye"})))
        .await
        .refused(401, "token-missing");
}

#[actix_web::test]
async fn a_full_mailbox_refuses_posts_until_its_owner_acknowledges() {
    let server = Server::start(&["--mailbox-messages", "3"]);
    let ann = server.join_room("tea", "Ann").await;
    let ben = server.join_room("tea", "Ben").await;
    for number in 0..3 {
        ann.say(&ben, number).await;
    }
    let refused = ann.post(&ben, json!({"type": "bye"})).await;
    assert_eq!(refused.refused(429, "mailbox-full")["peer"], json!(ben.id));
    assert_eq!(refused.headers["retry-after"], "1");
    ann.batch(json!([{"type": "bye", "to": ann.id}, {"type": "bye", "to": ben.id}])).await.refused(429, "mailbox-full");
    assert_eq!(ann.messages(1).await, Vec::<Value>::new());
    assert_eq!(ben.messages(0).await.len(), 3);
    ben.poll(1, 0.0).await.expect(200);
    ann.say(&ben, 3).await;
    ann.post(&ben, json!({"type": "bye"})).await.refused(429, "mailbox-full");
}

#[actix_web::test]
async fn a_mailbox_is_bounded_in_bytes() {
    let server = Server::start(&["--mailbox-bytes", "1000"]);
    let ann = server.join_room("tea", "Ann").await;
    let ben = server.join_room("tea", "Ben").await;
    let of_bytes =
        |bytes: usize| json!({"type": "data", "data": "x".repeat(bytes - r#""type":"data","data":"""#.len())});
    ann.post(&ben, of_bytes(600)).await.expect(202);
    ann.post(&ben, of_bytes(401)).await.refused(429, "mailbox-full");
    ann.post(&ben, of_bytes(400)).await.expect(202);
}

/// Used to get `Retry-After: 1`, forever.
#[actix_web::test]
async fn posts_larger_than_any_mailbox_get_413() {
    let server = Server::start(&["--mailbox-bytes", "1000", "--mailbox-messages", "3"]);
    let ann = server.join_room("tea", "Ann").await;
    ann.post(&ann, json!({"type": "data", "data": "x".repeat(1000)})).await.refused(413, "body-too-large");
    ann.batch(json!(vec![json!({"type": "bye", "to": ann.id}); 4])).await.refused(413, "body-too-large");
}

#[actix_web::test]
async fn an_invalid_body_is_refused_without_effect() {
    let server = Server::start(&["--body-bytes", "2000"]);
    let ann = server.join_room("tea", "Ann").await;
    let ben = server.join_room("tea", "Ben").await;
    let json = "application/json";
    let padded = |bytes: usize| format!("{{\"type\":\"data\",\"data\":\"{}\"}}", "x".repeat(bytes - 25));
    assert_eq!(padded(2000).len(), 2000);

    for broken in
        [&b"{"[..], b"", b"nonsense", b"{\"type\":\"bye\"}}", b"\xff\xfe", b"{\"type\":\"data\",\"data\":\"\xc3\x28\"}"]
    {
        raw(&ann, &ben, json, broken.to_vec()).await.refused(400, "malformed-body");
    }
    for invalid in
        ["[]", "1", "{}", r#"{"type":"hello"}"#, r#"{"type":"offer"}"#, r#"{"type":"offer","sdp":1}"#, r#"{"type":1}"#]
    {
        raw(&ann, &ben, json, invalid).await.refused(422, "invalid");
    }
    for other in ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", ""] {
        raw(&ann, &ben, other, r#"{"type":"bye"}"#).await.refused(415, "unsupported-media-type");
    }
    raw(&ann, &ben, json, padded(2001)).await.refused(413, "body-too-large");
    let chunks = padded(2001).into_bytes().chunks(100).map(<[u8]>::to_vec).collect::<Vec<_>>();
    raw(&ann, &ben, json, chunked(chunks)).await.refused(413, "body-too-large");
    let deep = format!("{{\"type\":\"data\",\"data\":{}{}}}", "[".repeat(32), "]".repeat(32));
    raw(&ann, &ben, json, deep).await.refused(422, "invalid");

    assert_eq!(ben.messages(0).await, Vec::<Value>::new());
    raw(&ann, &ben, json, padded(2000)).await.expect(202);
    let deep = format!("{{\"type\":\"data\",\"data\":{}{}}}", "[".repeat(31), "]".repeat(31));
    raw(&ann, &ben, json, deep).await.expect(202);
}

/// A body without a length.
fn chunked(chunks: Vec<Vec<u8>>) -> reqwest::Body {
    reqwest::Body::wrap_stream(futures_util::stream::iter(chunks.into_iter().map(Ok::<_, std::io::Error>)))
}

#[actix_web::test]
async fn the_addressee_must_be_in_the_room() {
    let server = Server::start(&[]);
    let ann = server.join_room("tea", "Ann").await;
    let ben = server.join_room("tea", "Ben").await;
    ben.leave().await.expect(204);
    assert_eq!(ann.post(&ben, json!({"type": "bye"})).await.refused(404, "peer-unknown")["peer"], json!(ben.id));
    let nowhere = Peer { id: "not-a-uuid".into(), ..ben.clone() };
    ann.post(&nowhere, json!({"type": "bye"})).await.refused(404, "peer-unknown");
    ben.post(&ann, json!({"type": "bye"})).await.refused(410, "peer-gone");
}

/// Found by fuzzing. These used to be relayed and blocked readers with strict parsers, because a poll repeats them until they are
/// acknowledged.
#[actix_web::test]
async fn json_that_strict_parsers_reject_is_not_relayed() {
    let server = Server::start(&[]);
    let ann = server.join_room("tea", "Ann").await;
    let body = |path: &str, json: &str| {
        let request = ann.request(Method::POST, path).header("content-type", "application/json");
        send(request.body(json.to_owned()))
    };
    for value in [r#""half of a smile: \ud83d""#, "1e999", r#"{"\udc00": [-1e400]}"#] {
        let message = format!("{{\"type\":\"data\",\"data\":{value}}}");
        body(&ann.path("/messages"), &message).await.refused(400, "malformed-body");
        body("/v1/rooms/tea/messages", &format!("{{\"messages\":[{message}]}}")).await.refused(400, "malformed-body");
        let joining = format!("{{\"metadata\":{{\"a\":{value}}}}}");
        body("/v1/rooms/coffee/peers", &joining).await.refused(401, "token-invalid");
        let request = server.request(Method::POST, "/v1/rooms/coffee/peers").header("content-type", "application/json");
        send(request.body(joining)).await.refused(400, "malformed-body");
    }
    assert!(ann.messages(0).await.is_empty());
    server.get("/v1/rooms/coffee").await.refused(404, "room-unknown");
    body(&ann.path("/messages"), r#"{"type":"data","data":"\ud83d\ude00 1e308"}"#).await.expect(202);
}

/// "The body is not UTF-8" was said of compressed bodies.
#[actix_web::test]
async fn compressed_bodies_are_refused_as_such() {
    let server = Server::start(&[]);
    let (ann, ben) = (server.join_room("tea", "Ann").await, server.join_room("tea", "Ben").await);
    let encoded = |coding: &str, body: &[u8]| {
        let request = ann.request(Method::POST, &ben.path("/messages")).header("content-type", "application/json");
        send(request.header("content-encoding", coding).body(body.to_vec()))
    };
    for coding in ["gzip", "GZIP", "br", "identity, gzip"] {
        let answer = encoded(coding, b"\x1f\x8b\x08\0").await;
        assert_eq!(answer.headers["accept-encoding"], "identity", "{coding}");
        answer.refused(415, "unsupported-media-type");
    }
    encoded("Identity", br#"{"type":"bye"}"#).await.expect(202);
}

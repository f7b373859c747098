//! Limits by address and by peer.

use reqwest::Method;
use serde_json::json;

use crate::harness::{Answer, Server, send};

fn retry_after(answer: &Answer) -> u64 {
    answer.headers["retry-after"].to_str().unwrap().parse().unwrap()
}

#[actix_web::test]
async fn joining_posting_and_polling_too_often_is_refused_with_when_to_come_back() {
    let server = Server::start(&["--rate-join", "1", "--rate-send", "1", "--rate-poll", "1"]);
    let ann = server.join_room("tea", "Ann").await;
    let mut refused = Vec::new();
    for _ in 0..12 {
        let posted = ann.post(&ann, json!({"type": "bye"})).await;
        let polled = ann.poll(0, 0.0).await;
        let joined = server.post("/v1/rooms", json!({})).await;
        refused.extend([posted, polled, joined].into_iter().filter(|answer| answer.status == 429));
    }
    assert!(refused.len() >= 3, "{refused:?}");
    for answer in &refused {
        answer.refused(429, "rate-limited");
        assert_eq!(retry_after(answer), 1);
    }
    // Whoever waits as told is served.
    server.get("/healthz").await;
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    ann.post(&ann, json!({"type": "bye"})).await.expect(202);
}

#[actix_web::test]
async fn credentials_for_the_relay_are_not_given_out_faster_than_polls() {
    let server = Server::start(&["--rate-poll", "1", "--turn-url", "turn:t.example", "--turn-secret", "north"]);
    let ann = server.join_room("tea", "Ann").await;
    for asked in 0.. {
        let answer = send(ann.request(Method::GET, &ann.path("/ice-servers"))).await;
        if answer.status == 429 {
            answer.refused(429, "rate-limited");
            return;
        }
        answer.expect(200);
        assert!(asked < 20, "as often as one likes");
    }
}

#[actix_web::test]
async fn guessing_a_secret_is_slowed_down_and_the_right_one_waits_too() {
    let server = Server::start(&[]);
    let join = |secret: &str| server.post("/v1/rooms/tea/peers", json!({ "secret": secret }));
    server.join_with("tea", json!({"secret": "lumps"})).await;
    for _ in 0..10 {
        join("guess").await.refused(403, "secret-wrong");
    }
    let slowed = join("guess").await;
    let slowed = if slowed.status == 403 { join("guess").await } else { slowed };
    slowed.refused(429, "too-many-failures");
    assert!(retry_after(&slowed) >= 1);
    join("lumps").await.refused(429, "too-many-failures");
    // Those who are in, and those who try no secret, are not held up.
    server.join_room("coffee", "Ben").await;
}

/// After a restart with another key all tokens are wrong, and an office full of tabs behind one address must be told so,
/// not to wait: it is how they find back.
#[actix_web::test]
async fn wrong_tokens_are_refused_as_such_however_many() {
    let server = Server::start(&[]);
    let ann = server.join_room("tea", "Ann").await;
    for _ in 0..40 {
        let guess = server.request(Method::GET, &ann.path("/messages?wait=0")).bearer_auth("guess");
        send(guess).await.refused(401, "token-invalid");
    }
    server.join_with("tea", json!({"secret": "still heard"})).await;
}

#[actix_web::test]
async fn an_address_that_a_trusted_proxy_names_counts_and_a_spoofed_one_does_not() {
    let join_from = |server: &Server, header: &str, client: &str| {
        let request = server.request(Method::POST, "/v1/rooms").header(header, client);
        send(request)
    };
    for (flags, expected) in
        [(vec!["--rate-join", "1"], 429), (vec!["--rate-join", "1", "--trusted-proxy", "127.0.0.0/8"], 201)]
    {
        let server = Server::start(&flags);
        let mut last = 0;
        for number in 0..20 {
            last = join_from(&server, "x-forwarded-for", &format!("203.0.113.{number}")).await.status;
        }
        assert_eq!(last, expected, "{flags:?}");
    }
    let server = Server::start(&["--rate-join", "1", "--trusted-proxy", "127.0.0.1"]);
    let mut last = 0;
    for number in 0..20 {
        // What the client itself put in stands on the left.
        last = join_from(&server, "x-forwarded-for", &format!("198.51.100.{number}, 203.0.113.9")).await.status;
    }
    assert_eq!(last, 429);
    assert_eq!(join_from(&server, "forwarded", "for=203.0.113.10").await.status, 201);
}

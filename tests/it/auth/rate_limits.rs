//! Limits by address and by peer.

use reqwest::{Method, RequestBuilder};
use serde_json::json;

use crate::support::harness::{Answer, Server, send};

fn retry_after(answer: &Answer) -> u64 {
    answer.headers["retry-after"].to_str().unwrap().parse().unwrap()
}

#[actix_web::test]
async fn joins_posts_and_polls_over_the_rate_get_retry_after() {
    let server = Server::start(&["--rate-join", "1", "--rate-send", "1", "--rate-poll", "1"]);
    let ann = server.join_room("tea", "Ann").await;
    let refused = [
        until_refused(async || ann.poll(0, 0.0).await).await,
        until_refused(async || server.post("/v1/rooms", json!({})).await).await,
        until_refused(async || ann.post(&ann, json!({"type": "bye"})).await).await,
    ];
    for answer in &refused {
        answer.refused(429, "rate-limited");
        assert_eq!(retry_after(answer), 1);
    }
    server.get("/healthz").await;
    // Refused requests cost nothing, so a client that keeps trying succeeds.
    while ann.post(&ann, json!({"type": "bye"})).await.status != 202 {}
}

/// Sends 250 requests at once, again and again, until one is over the rate. (401 and 404 are answers like any other.) Ten thousand
/// are many more than any rate here allows.
async fn until_some_are_refused(request: impl Fn() -> RequestBuilder) -> Answer {
    for _ in 0..40 {
        let answers = futures_util::future::join_all((0..250).map(|_| send(request()))).await;
        if let Some(refused) = answers.into_iter().find(|answer| answer.status == 429) {
            return refused;
        }
    }
    panic!("unlimited: {:?}", request().build().unwrap().url());
}

/// Sends until it is refused; how soon depends on the machine.
async fn until_refused(ask: impl AsyncFn() -> Answer) -> Answer {
    for _ in 0..10_000 {
        let answer = ask().await;
        if answer.status >= 400 {
            return answer;
        }
    }
    panic!("as often as one likes");
}

#[actix_web::test]
async fn turn_credentials_share_the_poll_rate_limit() {
    let server = Server::start(&["--rate-poll", "1", "--turn-url", "turn:t.example", "--turn-secret", "north"]);
    let ann = server.join_room("tea", "Ann").await;
    let ask = async || send(ann.request(Method::GET, &ann.path("/ice-servers"))).await;
    until_refused(ask).await.refused(429, "rate-limited");
}

#[actix_web::test]
async fn wrong_secrets_lock_the_address_out_even_with_the_right_one() {
    let server = Server::start(&[]);
    let join = |secret: &str| server.post("/v1/rooms/tea/peers", json!({ "secret": secret }));
    server.join_with("tea", json!({"secret": "two lumps"})).await;
    for _ in 0..10 {
        join("a wrong guess").await.refused(403, "secret-wrong");
    }
    // Each wait is twice the one before, so the right secret arrives within one, on a slow machine, too.
    let waits = loop {
        let slowed = join("a wrong guess").await;
        if slowed.status == 429 && join("two lumps").await.status == 429 {
            break slowed;
        }
    };
    waits.refused(429, "too-many-failures");
    assert!(retry_after(&waits) >= 1);
    // Members, and joins without a secret, are not delayed.
    server.join_room("coffee", "Ben").await;
}

/// After a restart with a new key all tokens are wrong. An office full of tabs behind one address must get 401 and not 429, so that
/// they join again.
#[actix_web::test]
async fn wrong_tokens_never_lock_an_address_out() {
    let server = Server::start(&[]);
    let ann = server.join_room("tea", "Ann").await;
    for _ in 0..40 {
        let guess = server.request(Method::GET, &ann.path("/messages?wait=0")).bearer_auth("a wrong guess");
        send(guess).await.refused(401, "token-invalid");
    }
    server.join_with("hall", json!({"secret": "still heard"})).await;
}

#[actix_web::test]
async fn only_trusted_proxies_set_the_client_address() {
    let join_from = |server: &Server, header: &str, client: &str| {
        let request = server.request(Method::POST, "/v1/rooms").header(header, client);
        send(request)
    };
    for (flags, is_refused) in
        [(vec!["--rate-join", "1"], true), (vec!["--rate-join", "1", "--trusted-proxy", "127.0.0.0/8"], false)]
    {
        let server = Server::start(&flags);
        let all = (0..200).map(|number| join_from(&server, "x-forwarded-for", &format!("203.0.113.{number}")));
        let refused = futures_util::future::join_all(all).await.iter().filter(|answer| answer.status == 429).count();
        assert_eq!(refused > 0, is_refused, "{flags:?}");
    }
    let server = Server::start(&["--rate-join", "1", "--trusted-proxy", "127.0.0.1"]);
    // The client's own entry is on the left.
    let forged = fastrand::u8;
    until_refused(async || {
        join_from(&server, "x-forwarded-for", &format!("198.51.100.{}, 203.0.113.9", forged(..))).await
    })
    .await
    .refused(429, "rate-limited");
    assert_eq!(join_from(&server, "forwarded", "for=203.0.113.10").await.status, 201);
}

/// 42,976 look-ups a second from one address found rooms by their names, and each cost a script in Redis.
#[actix_web::test]
async fn requests_without_a_token_have_a_rate_by_address() {
    // Ann's seat outlasts thousands of requests on a busy machine.
    let server = Server::start(&["--rate-join", "1", "--trusted-proxy", "127.0.0.1", "--lease-ms", "600000"]);
    let ann = server.join_room("tea", "Ann").await;
    let from = |number: u8, method: Method, path: &str| {
        server.request(method, path).header("x-forwarded-for", format!("203.0.113.{number}"))
    };
    let mailbox = ann.path("/messages?wait=0");
    let beacon = ann.path("/leave");
    for (number, method, path) in [
        (1, Method::GET, "/v1/rooms/tea"),
        (2, Method::GET, "/readyz"),
        (3, Method::GET, "/metrics"),
        (4, Method::GET, "/v1/rooms/tea/peers"),
        (5, Method::GET, &mailbox),
        (6, Method::POST, &beacon),
        (7, Method::DELETE, "/v1/rooms/tea"),
        (8, Method::GET, "/openapi.json"),
        // These share one rate, which the first reaches.
        (8, Method::GET, "/problems/room-full"),
        (8, Method::GET, "/"),
        (8, Method::GET, "/swagger-ui/"),
        (8, Method::GET, "/no-such-page"),
    ] {
        let request = from(number, method.clone(), path).header("content-type", "text/plain");
        let limited = until_some_are_refused(|| request.try_clone().unwrap()).await;
        limited.refused(429, "rate-limited");
        assert!(retry_after(&limited) >= 1);
        // Members, other addresses and the liveness check are not affected.
        let member = ann.polling(0, 0.0).header("x-forwarded-for", format!("203.0.113.{number}"));
        assert_eq!(send(member).await.status, 200, "{path}");
        assert_eq!(send(from(number, Method::GET, "/healthz")).await.status, 200);
        assert_eq!(send(from(200 + number, Method::GET, "/v1/rooms/tea")).await.status, 200);
    }
}

/// Who guesses names waits; who asks again and again for one that does not exist yet does not.
#[actix_web::test]
async fn guessing_names_of_rooms_is_slowed_down() {
    // The rate alone allows many more.
    let server = Server::start(&["--rate-join", "1000"]);
    for _ in 0..300 {
        server.get("/v1/rooms/not-yet").await.refused(404, "room-unknown");
    }
    let mut tried = 0;
    let slowed = loop {
        tried += 1;
        let answer = server.get(&format!("/v1/rooms/guess-{tried}")).await;
        if answer.status != 404 {
            break answer;
        }
        assert!(tried < 150, "names can be guessed");
    };
    assert!(tried > 90, "{tried}");
    slowed.refused(429, "too-many-failures");
    assert!(retry_after(&slowed) >= 1);
    // It does not tell whether a room exists, and keeps nobody out of one.
    let ann = server.join_room("tea", "Ann").await;
    let roster = send(ann.request(Method::GET, "/v1/rooms/tea/peers")).await;
    assert_eq!(roster.expect(200)["peers"].as_array().unwrap().len(), 1);
}

/// Beacons and rosters with tokens that are wrong are guesses, too.
#[actix_web::test]
async fn wrong_tokens_slow_look_ups_down() {
    for ask in ["roster", "beacon"] {
        let server = Server::start(&["--rate-join", "1000"]);
        let ann = server.join_room("tea", "Ann").await;
        for number in 0..130 {
            let token = format!("guess-{number}");
            let request = match ask {
                "roster" => server.request(Method::GET, "/v1/rooms/tea/peers").bearer_auth(token),
                _ => server.request(Method::POST, &ann.path("/leave")).body(token).header("content-type", "text/plain"),
            };
            assert!(matches!(send(request).await.status, 401 | 204));
        }
        server.get("/v1/rooms/tea").await.refused(429, "too-many-failures");
    }
}

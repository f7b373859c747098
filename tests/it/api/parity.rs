//! What calls consist of, which does not go by the routes, and tokens that were verified before on the same connection.

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::support::harness::{Peer, Server, send};

/// What a request was answered, without what is another in each room: status, problem, members, and header fields.
type Outcome = (u16, Option<String>, Vec<String>, Vec<String>);

/// Everything that can be right or wrong with what calls consist of.
fn calls(server: &Server, ann: &Peer, ben: &Peer) -> Vec<(&'static str, RequestBuilder)> {
    let (mailbox, batch) = (ben.path("/messages"), format!("/v1/rooms/{}/messages", ann.room));
    let post = |path: &str| ann.request(Method::POST, path);
    let poll = |query: &str| ann.request(Method::GET, &(ann.path("/messages") + query));
    let (bye, named) = (json!({"type": "bye"}), json!({"messages": [{"type": "bye", "to": ben.id}]}));
    vec![
        ("a message", post(&mailbox).json(&bye)),
        ("a batch", post(&batch).json(&named)),
        ("a key", post(&mailbox).header("idempotency-key", "0123456789abcdef").json(&bye)),
        ("the same key", post(&mailbox).header("idempotency-key", "0123456789abcdef").json(&bye)),
        ("a poll", poll("?wait=0")),
        ("a cursor", poll("?wait=0&after=1")),
        ("a cursor in the header", poll("?wait=0").header("last-event-id", "1")),
        ("a cursor ahead", poll("?wait=0&after=99")),
        ("no cursor", poll("?wait=0").header("last-event-id", "x")),
        ("too long a wait", poll("?wait=1e9")),
        ("no token", server.request(Method::POST, &mailbox).json(&bye)),
        ("another's poll", ben.request(Method::GET, &ann.path("/messages"))),
        ("no peer", post(&ann.path("/messages").replace(&ann.id, "nobody")).json(&bye)),
        ("another room", post(&mailbox.replace(&ann.room, "elsewhere")).json(&bye)),
        ("no room", post("/v1/rooms/a b/messages").json(&named)),
        ("an escaped room", post(&batch.replace("rooms/", "rooms/%2D")).json(&named)),
        ("no key", post(&mailbox).header("idempotency-key", "short").json(&bye)),
        ("no JSON", post(&mailbox).header("content-type", "application/json").body("{")),
        ("not declared", post(&mailbox).body(bye.to_string())),
        ("nothing", post(&mailbox)),
        ("too much", post(&mailbox).json(&"x".repeat(70_000))),
        ("an empty batch", post(&batch).json(&json!({"messages": []}))),
        ("another method", ann.request(Method::PUT, &mailbox).json(&bye)),
        ("a batch is not polled", ann.request(Method::GET, &batch)),
        ("a full room", post(&format!("/v1/rooms/{}/peers", ann.room)).bearer_auth("x").json(&json!({}))),
        ("a seat again", post(&format!("/v1/rooms/{}/peers", ann.room)).json(&json!({"name": "Ann"}))),
        ("no name", post("/v1/rooms/other/peers").json(&json!({"name": 7}))),
        ("too deep", post("/v1/rooms/other/peers").body("[".repeat(99)).header("content-type", "application/json")),
        ("another's seat", ann.request(Method::DELETE, &ben.path(""))),
        ("no seat", ann.request(Method::DELETE, &ann.path("").replace(&ann.id, "nobody"))),
        ("leaving", ann.request(Method::DELETE, &ann.path(""))),
        ("having left", ann.request(Method::DELETE, &ann.path(""))),
        ("the roster", ben.request(Method::GET, &format!("/v1/rooms/{}/peers", ann.room))),
    ]
}

async fn outcomes(server: &Server, room: &str, origin: Option<&str>) -> Vec<(&'static str, Outcome)> {
    let (ann, ben) = (server.join_room(room, "Ann").await, server.join_room(room, "Ben").await);
    let mut outcomes = Vec::new();
    for (name, request) in calls(server, &ann, &ben) {
        let request = match origin {
            Some(origin) => request.header("origin", origin),
            None => request,
        };
        let answer = send(request).await;
        assert_eq!(answer.headers.contains_key("access-control-allow-origin"), origin.is_some(), "{name}: {answer:?}");
        let body: Value = serde_json::from_str(&answer.text).unwrap_or_default();
        let members = body.as_object().map(|body| body.keys().cloned().collect()).unwrap_or_default();
        // Those that go with other origins are there, or are not, as was just seen.
        let of_cors = |field: &str| field == "vary" || field.starts_with("access-control-");
        let mut fields: Vec<String> =
            answer.headers.keys().map(ToString::to_string).filter(|field| !of_cors(field)).collect();
        fields.sort_unstable();
        outcomes.push((name, (answer.status, body["type"].as_str().map(str::to_owned), members, fields)));
    }
    outcomes
}

#[actix_web::test]
async fn calls_are_answered_alike_with_the_routes_and_without_them() {
    let server = Server::start(&["--cors-origin", "https://app.example"]);
    let without = outcomes(&server, "tea", None).await;
    let with = outcomes(&server, "coffee", Some("https://app.example")).await;
    assert_eq!(without, with);
    // And where nobody's origin matters: then they are read in place.
    assert_eq!(without, outcomes(&Server::start(&[]), "milk", None).await);
    let statuses: Vec<u16> = without.iter().map(|(_, (status, ..))| *status).collect();
    for status in [200, 202, 400, 401, 403, 404, 405, 409, 413, 415, 422] {
        assert!(statuses.contains(&status), "{status} is missing: {statuses:?}");
    }
}

#[actix_web::test]
async fn a_cached_token_authorizes_nothing_else_on_its_connection() {
    let server = Server::start(&["--workers", "1"]);
    let ann = server.join_room("tea", "Ann").await;
    let ben = server.join_room("tea", "Ben").await;
    let other = server.join_room("coffee", "Ann").await;
    let bye = json!({"type": "bye"});
    // One client that waits for each answer has one connection.
    let post = |to: &Peer, token: &str| {
        send(server.request(Method::POST, &to.path("/messages")).bearer_auth(token).json(&bye))
    };
    let mut nearly = ann.token.clone();
    nearly.replace_range(63.., if ann.token.ends_with('A') { "E" } else { "A" });
    for _ in 0..3 {
        post(&ben, &ann.token).await.expect(202);
        post(&other, &ann.token).await.refused(401, "token-invalid");
        post(&ben, &nearly).await.refused(401, "token-invalid");
        post(&ben, &ann.token[..63]).await.refused(401, "token-invalid");
        let poll = server.request(Method::GET, &(ben.path("/messages") + "?wait=0")).bearer_auth(&ann.token);
        send(poll).await.refused(403, "not-yours");
    }
    post(&ann, &ben.token).await.expect(202);
    assert_eq!(ben.messages(0).await.iter().filter(|message| message["from"] == ann.id).count(), 3);
    assert_eq!(ann.messages(1).await[0]["from"], ben.id);
}

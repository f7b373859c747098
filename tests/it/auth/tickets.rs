//! `--ticket-key`: joining with a JWT.

use std::{
    process::Command,
    time::{SystemTime, UNIX_EPOCH},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::support::{
    harness::{Answer, Server, send},
    redis_server::RedisServer,
};

pub const FIRST: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b";
pub const SECOND: &str = "Vb7tQ2xN5mK8wR1pL4sD6gH9jF3cZ0yA";
pub const SECRET: &str = "kZ3vq9TfWm1x8LrP0aYdBcQe5Ns7Hj2U";

#[expect(clippy::disallowed_methods, reason = "a ticket is dated by the wall clock")]
pub fn in_seconds(seconds: i64) -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(now.as_secs()).unwrap() + seconds
}

pub fn signed(claims: &Value, secret: &str) -> String {
    signed_with(&json!({"alg": "HS256"}), claims, secret)
}

/// With HMAC-SHA256, whatever the header says.
pub fn signed_with(header: &Value, claims: &Value, secret: &str) -> String {
    let hash = |text: &str| {
        let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        mac.chain_update(text).finalize().into_bytes().to_vec()
    };
    ticket(header, claims, hash)
}

pub fn ticket(header: &Value, claims: &Value, sign: impl FnOnce(&str) -> Vec<u8>) -> String {
    let text = format!("{}.{}", b64(&header.to_string()), b64(&claims.to_string()));
    let signature = URL_SAFE_NO_PAD.encode(sign(&text));
    format!("{text}.{signature}")
}

pub fn claims(room: &str) -> Value {
    json!({"room": room, "create": true, "exp": in_seconds(60)})
}

pub fn with(mut claims: Value, name: &str, value: impl Into<Value>) -> Value {
    claims[name] = value.into();
    claims
}

pub async fn join(server: &Server, room: &str, ticket: &str) -> Answer {
    server.post(&format!("/v1/rooms/{room}/peers"), json!({"ticket": ticket, "name": "Eve"})).await
}

#[actix_web::test]
async fn joins_need_a_ticket_and_returning_peers_only_their_token() {
    let server = Server::start(&["--ticket-key", SECRET]);
    server.post("/v1/rooms/tea/peers", json!({})).await.refused(401, "ticket-missing");
    server.post("/v1/rooms", json!({"room": "tea"})).await.refused(401, "ticket-missing");
    let ann = server.seat("tea", join(&server, "tea", &signed(&claims("tea"), SECRET)).await.expect(201));
    server.post("/v1/rooms/tea/peers", json!({})).await.refused(401, "ticket-missing");
    server.resume(&ann).await.expect(200);
    let ben = server.seat("tea", join(&server, "tea", &signed(&claims("t*"), SECRET)).await.expect(201));
    ben.leave().await.expect(204);
    server.resume(&ben).await.refused(401, "ticket-missing");
    let back = server.request(Method::POST, "/v1/rooms/tea/peers").bearer_auth(&ben.token);
    let back = send(back.json(&json!({"ticket": signed(&claims("tea"), SECRET)}))).await.expect(201);
    assert_eq!(back["peer"]["id"], json!(ben.id));
}

#[actix_web::test]
async fn each_kind_of_bad_ticket_has_its_own_problem() {
    let server = Server::start(&["--ticket-key", SECRET]);
    let good = claims("tea");
    let none = format!("{}.{}.", b64(r#"{"alg":"none"}"#), b64(&good.to_string()));
    let hs512 = signed_with(&json!({"alg": "HS512"}), &good, SECRET);
    let tampered = {
        let ticket = signed(&good, SECRET);
        let parts: Vec<&str> = ticket.split('.').collect();
        format!("{}.{}.{}", parts[0], b64(&with(good.clone(), "admin", true).to_string()), parts[2])
    };
    let late = |exp: i64| signed(&with(good.clone(), "exp", in_seconds(exp)), SECRET);
    let early = |nbf: i64| signed(&with(good.clone(), "nbf", in_seconds(nbf)), SECRET);
    for (ticket, status, slug) in [
        ("nonsense".to_owned(), 401, "ticket-malformed"),
        (String::new(), 401, "ticket-malformed"),
        (signed(&json!({"room": "tea"}), SECRET), 401, "ticket-malformed"),
        (signed(&json!({"exp": in_seconds(60)}), SECRET), 401, "ticket-malformed"),
        (none, 401, "ticket-algorithm"),
        (hs512, 401, "ticket-algorithm"),
        (signed(&good, SECOND), 401, "ticket-signature"),
        (tampered, 401, "ticket-signature"),
        (late(-31), 401, "ticket-expired"),
        (early(40), 401, "ticket-expired"),
        (signed(&claims("coffee"), SECRET), 403, "ticket-other-room"),
        (signed(&claims("team-*"), SECRET), 403, "ticket-other-room"),
        (signed(&claims("te"), SECRET), 403, "ticket-other-room"),
        (signed(&with(good.clone(), "create", false), SECRET), 403, "ticket-cannot-create"),
    ] {
        join(&server, "tea", &ticket).await.refused(status, slug);
    }
    server.get("/v1/rooms/tea").await.refused(404, "room-unknown");
    join(&server, "tea", &late(-20)).await.expect(201);
    join(&server, "tea", &early(20)).await.expect(201);
}

#[actix_web::test]
async fn ticket_claims_set_the_name_and_admin_rights() {
    let server = Server::start(&["--ticket-key", SECRET]);
    let ann = join(&server, "tea", &signed(&with(claims("tea"), "name", "Ann"), SECRET)).await.expect(201);
    assert_eq!(ann["peer"]["name"], "Ann");
    let guest = with(with(claims("tea"), "create", false), "admin", true);
    let ben = join(&server, "tea", &signed(&guest, SECRET)).await.expect(201);
    assert_eq!((&ben["peer"]["name"], &ben["created"]), (&json!("Eve"), &json!(false)));
    server.delete("/v1/rooms/tea", ben["room_token"].as_str().unwrap()).await.expect(204);

    let made = server.post("/v1/rooms", json!({"room": "hall", "ticket": signed(&claims("hall"), SECRET)})).await;
    made.expect(201);
    let cannot = signed(&with(claims("attic"), "create", false), SECRET);
    server.post("/v1/rooms", json!({"room": "attic", "ticket": cannot})).await.refused(403, "ticket-cannot-create");
}

pub fn b64(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

/// The examples in docs/auth.md, each run by its interpreter.
#[actix_web::test]
async fn documented_ticket_examples_are_accepted() {
    const DOC: &str = include_str!("../../../docs/auth.md");
    let server = Server::start(&["--ticket-key", SECRET]);
    for (kind, program, args) in [
        ("node", "node", vec!["--input-type=module", "-e"]),
        ("python", "python3", vec!["-c"]),
        ("shell", "bash", vec!["-c"]),
    ] {
        let block = DOC.split(&format!("<!-- ticket: {kind} -->")).nth(1).unwrap();
        let code = block.split("```").nth(1).unwrap().split_once('\n').unwrap().1;
        let output = Command::new(program).args(&args).arg(code).env("TICKET_KEY", SECRET).output().unwrap();
        assert!(output.status.success(), "{kind}: {}", String::from_utf8_lossy(&output.stderr));
        let ticket = String::from_utf8(output.stdout).unwrap();
        let joined = join(&server, "tea", ticket.trim()).await.expect(201);
        assert_eq!(joined["peer"]["name"], "Ann", "{kind}");
        server.seat("tea", joined).leave().await.expect(204);
    }
}

#[actix_web::test]
async fn a_ticket_with_an_unknown_crit_extension_is_refused() {
    let server = Server::start(&["--ticket-key", SECRET]);
    let ticket = signed_with(&json!({"alg": "HS256", "crit": ["exp"]}), &claims("tea"), SECRET);
    join(&server, "tea", &ticket).await.refused(401, "ticket-malformed");
}

/// A ticket for another service that trusts the same key opened every room (RFC 7519 section 4.1.3).
#[actix_web::test]
async fn a_ticket_for_another_audience_is_refused() {
    let unnamed = Server::start(&["--ticket-key", SECRET]);
    let named =
        Server::start(&["--ticket-key", SECRET, "--ticket-audience", "signalpost", "--ticket-audience", "calls"]);
    let ticket = |audience: Value| signed(&with(claims("tea"), "aud", audience), SECRET);
    for audience in [json!("other"), json!(["other"]), json!([]), json!("")] {
        join(&unnamed, "tea", &ticket(audience.clone())).await.refused(403, "ticket-audience");
        join(&named, "tea", &ticket(audience)).await.refused(403, "ticket-audience");
    }
    for audience in [json!(5), json!([5]), json!({"a": "signalpost"}), json!([["signalpost"]])] {
        join(&unnamed, "tea", &ticket(audience.clone())).await.refused(401, "ticket-malformed");
        join(&named, "tea", &ticket(audience)).await.refused(401, "ticket-malformed");
    }
    join(&unnamed, "tea", &ticket(json!("signalpost"))).await.refused(403, "ticket-audience");
    join(&named, "tea", &signed(&claims("tea"), SECRET)).await.refused(403, "ticket-audience");
    join(&named, "tea", &ticket(json!("signalpost"))).await.expect(201);
    join(&named, "tea", &ticket(json!(["other", "calls"]))).await.expect(201);
    join(&unnamed, "tea", &ticket(Value::Null)).await.expect(201);
}

/// Regression: everybody who was allowed to create a room became its administrator.
#[actix_web::test]
async fn a_ticket_that_only_creates_does_not_give_the_room_token() {
    let server = Server::start(&["--ticket-key", SECRET, "--room-capacity", "8"]);
    let ticket = |admin: bool| signed(&with(claims("tea"), "admin", admin), SECRET);
    let made = join(&server, "tea", &ticket(false)).await.expect(201);
    assert_eq!((&made["created"], made.get("room_token")), (&json!(true), None));
    let admin = join(&server, "tea", &ticket(true)).await.expect(201);
    let room_token = admin["room_token"].as_str().unwrap();
    server.delete("/v1/rooms/tea", room_token).await.expect(204);

    for (room, admin) in [("hall", false), ("attic", true)] {
        let ticket = signed(&with(claims(room), "admin", admin), SECRET);
        let made = server.post("/v1/rooms", json!({"room": room, "ticket": ticket})).await.expect(201);
        assert_eq!(made.get("room_token").is_some(), admin, "{made}");
    }
}

/// A kicked person came back with the same ticket.
#[actix_web::test]
async fn a_kicked_subject_stays_out_with_any_ticket() {
    let redis = RedisServer::shared();
    let flags = ["--ticket-key", SECRET, "--room-capacity", "8", "--token-key", FIRST];
    let servers = [Server::start(&flags), Server::start(&[&["--engine", &redis.url_apart()], &flags[..]].concat())];
    for server in servers {
        let ticket =
            |subject: &str, name: &str| signed(&with(with(claims("tea"), "sub", subject), "name", name), SECRET);
        let admin = signed(&with(claims("tea"), "admin", true), SECRET);
        let ann = join(&server, "tea", &admin).await.expect(201);
        let eve = server.seat("tea", join(&server, "tea", &ticket("eve", "Eve")).await.expect(201));
        let second = server.seat("tea", join(&server, "tea", &ticket("eve", "Eva")).await.expect(201));
        let ben = server.seat("tea", join(&server, "tea", &ticket("ben", "Ben")).await.expect(201));
        server.delete(&eve.path(""), ann["room_token"].as_str().unwrap()).await.expect(204);
        for seat in [&eve, &second] {
            server.resume(seat).await.refused(403, "kicked");
        }
        join(&server, "tea", &ticket("eve", "Another")).await.refused(403, "kicked");
        let returning = server.request(Method::POST, "/v1/rooms/tea/peers").bearer_auth(&eve.token);
        send(returning.json(&json!({"ticket": ticket("eve", "Eve")}))).await.refused(403, "kicked");
        server.resume(&ben).await.expect(200);
        join(&server, "tea", &ticket("cleo", "Cleo")).await.expect(201);
    }
}

/// A reloaded page sends the ticket with which it came, which has expired meanwhile.
#[actix_web::test]
async fn an_expired_ticket_does_not_keep_a_peer_from_its_seat() {
    let server = Server::start(&["--ticket-key", SECRET]);
    let ann = server.seat("tea", join(&server, "tea", &signed(&claims("tea"), SECRET)).await.expect(201));
    let late = signed(&with(claims("tea"), "exp", in_seconds(-60)), SECRET);
    let back = async || {
        let request = server.request(Method::POST, "/v1/rooms/tea/peers").bearer_auth(&ann.token);
        send(request.json(&json!({"ticket": late}))).await
    };
    back().await.expect(200);
    ann.leave().await.expect(204);
    back().await.refused(401, "ticket-expired");
}

/// Forged tickets, which nobody guesses right, locked out everybody behind the same address.
#[actix_web::test]
async fn forged_tickets_do_not_lock_an_address_out() {
    let server = Server::start(&["--ticket-key", SECRET]);
    for _ in 0..40 {
        join(&server, "tea", "a.b.c").await.refused(401, "ticket-malformed");
    }
    join(&server, "tea", &signed(&claims("tea"), SECRET)).await.expect(201);
}

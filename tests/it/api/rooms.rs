//! `/v1/rooms` and `/v1/rooms/{room}`.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::harness::{Server, send};

const KEY: &str = "2b2d1c2e-0a6f-4f0c-9a55-7a3f4f1f7b11";

#[actix_web::test]
async fn a_created_room_is_visible_to_anyone() {
    let server = Server::start(&[]);
    let made = server.post("/v1/rooms", json!({"room": "tea", "capacity": 3, "secret": "two lumps"})).await.expect(201);
    assert!(made["room_token"].as_str().unwrap().starts_with("room."));

    let seen = server.get("/v1/rooms/tea").await.expect(200);
    assert_eq!(
        seen,
        json!({"room": "tea", "capacity": 3, "occupancy": 0, "locked": false, "secret": true, "closed": false})
    );
    server.post("/v1/rooms", json!({"room": "tea"})).await.refused(409, "room-exists");
    server.get("/v1/rooms/coffee").await.refused(404, "room-unknown");
}

#[actix_web::test]
async fn a_room_without_a_name_gets_a_pronounceable_one() {
    let server = Server::start(&[]);
    let made = send(server.request(Method::POST, "/v1/rooms")).await.expect(201);
    let name = made["room"].as_str().unwrap();
    // Eight words of 16 bits.
    assert_eq!((name.len(), name.split('-').count()), (47, 8), "{name}");
    server.get(&format!("/v1/rooms/{name}")).await.expect(200);
}

#[actix_web::test]
async fn a_repeated_creation_returns_the_same_room() {
    let server = Server::start(&[]);
    let create = |body: &str| {
        let request = server.request(Method::POST, "/v1/rooms").header("idempotency-key", KEY);
        send(request.header("content-type", "application/json").body(body.to_owned()))
    };
    let first = create("{}").await.expect(201);
    let second = create("{}").await.expect(201);
    assert_eq!(first, second);

    let named = create(r#"{"room":"tea"}"#).await.expect(201);
    assert_eq!(create(r#"{"room":"tea"}"#).await.expect(201), named);
    create(r#"{"room":"tea","capacity":4}"#).await.refused(422, "key-reused");
}

#[actix_web::test]
async fn the_room_token_closes_the_room_and_members_are_notified() {
    let server = Server::start(&[]);
    let made = server.post("/v1/rooms", json!({"room": "tea"})).await.expect(201);
    let token = made["room_token"].as_str().unwrap();
    let ann = server.join_room("tea", "Ann").await;
    let waiting = actix_web::rt::spawn(send(ann.polling(0, 20.0)));

    server.delete("/v1/rooms/tea", &ann.token).await.refused(403, "not-yours");
    server.delete("/v1/rooms/tea", "room.nonsense").await.refused(401, "token-invalid");
    send(server.request(Method::DELETE, "/v1/rooms/tea")).await.refused(401, "token-missing");
    server.delete("/v1/rooms/tea", token).await.expect(204);

    let told = waiting.await.unwrap().messages();
    assert_eq!(told, [json!({"seq": 1, "type": "room-closed"})]);
    ann.post(&ann, json!({"type": "bye"})).await.refused(410, "room-closed");
    server.post("/v1/rooms/tea/peers", json!({})).await.refused(410, "room-closed");
    server.resume(&ann).await.refused(410, "room-closed");
    ann.poll(1, 20.0).await.refused(410, "room-closed");
    server.get("/v1/rooms/tea").await.refused(404, "room-unknown");
    server.join_room("tea", "Ben").await;
}

/// A closed room that was read to its end used to stay in the count.
#[actix_web::test]
async fn a_closed_room_frees_its_place_once_read() {
    let server = Server::start(&["--rooms-max", "1"]);
    for _ in 0..3 {
        let ann = server.join_room("tea", "Ann").await;
        server.delete("/v1/rooms/tea", ann.joined["room_token"].as_str().unwrap()).await.expect(204);
        ann.poll(0, 0.0).await.expect(200);
        ann.poll(1, 0.0).await.refused(410, "room-closed");
    }
}

/// A returning peer used to recreate an ended room without a room token, so that anyone who had once created a room of that name
/// could take it over.
#[actix_web::test]
async fn a_recreated_room_belongs_to_its_creator_and_to_no_earlier_one() {
    let server = Server::start(&[]);
    let mallory = server.join_room("tea", "Mallory").await;
    mallory.leave().await.expect(204);
    let ann = server.join_room("tea", "Ann").await;
    let ben = server.join_room("tea", "Ben").await;
    ann.leave().await.expect(204);
    ben.leave().await.expect(204);
    let again = server.resume(&ben).await.expect(201);
    assert_eq!((&again["created"], again.get("room_token")), (&json!(true), None));
    server.delete(&ben.path(""), mallory.joined["room_token"].as_str().unwrap()).await.refused(403, "not-yours");
    server.delete("/v1/rooms/tea", ann.joined["room_token"].as_str().unwrap()).await.expect(204);
}

#[actix_web::test]
async fn a_locked_room_refuses_new_peers() {
    let server = Server::start(&[]);
    let ann = server.join_room("tea", "Ann").await;
    let token = ann.joined["room_token"].as_str().unwrap();
    let lock = |locked: bool, token: String| {
        send(server.request(Method::PATCH, "/v1/rooms/tea").bearer_auth(token).json(&json!({ "locked": locked })))
    };
    lock(true, ann.token.clone()).await.refused(403, "not-yours");
    assert_eq!(lock(true, token.into()).await.expect(200)["locked"], true);
    server.post("/v1/rooms/tea/peers", json!({})).await.refused(403, "room-locked");
    server.resume(&ann).await.expect(200);
    lock(false, token.into()).await.expect(200);
    server.join_room("tea", "Ben").await;
}

#[actix_web::test]
async fn a_room_token_does_not_open_a_later_room_of_that_name() {
    let server = Server::start(&[]);
    let first = server.join_room("tea", "Ann").await;
    first.leave().await.expect(204);
    let second = server.join_room("tea", "Ben").await;
    let old = first.joined["room_token"].as_str().unwrap();
    server.delete("/v1/rooms/tea", old).await.refused(403, "not-yours");
    server.delete("/v1/rooms/tea", second.joined["room_token"].as_str().unwrap()).await.expect(204);
}

#[actix_web::test]
async fn a_kicked_peer_is_notified_and_its_token_is_void() {
    let server = Server::start(&[]);
    let ann = server.join_room("tea", "Ann").await;
    let ben = server.join_room("tea", "Ben").await;
    let token = ann.joined["room_token"].as_str().unwrap();
    let waiting = actix_web::rt::spawn(send(ben.polling(0, 20.0)));

    server.delete(&ben.path(""), &ann.token).await.refused(403, "not-yours");
    server.delete(&ben.path(""), token).await.expect(204);
    waiting.await.unwrap().refused(403, "kicked");
    server.resume(&ben).await.refused(403, "kicked");
    assert_eq!(ann.messages(1).await, [json!({"seq": 2, "type": "peer-left", "peer": ben.id, "reason": "kicked"})]);
    server.delete(&ben.path(""), token).await.refused(404, "peer-unknown");
}

#[actix_web::test]
async fn invalid_room_names_are_refused() {
    let server = Server::start(&[]);
    let long = "x".repeat(65);
    for bad in ["a%20b", "a%2Fb", "t%C3%A9e", "a+b", long.as_str()] {
        server.get(&format!("/v1/rooms/{bad}")).await.refused(422, "room-name-invalid");
        server.post(&format!("/v1/rooms/{bad}/peers"), json!({})).await.refused(422, "room-name-invalid");
    }
    server.post("/v1/rooms", json!({"room": ""})).await.refused(422, "room-name-invalid");
    server.get(&format!("/v1/rooms/{}", "x".repeat(64))).await.refused(404, "room-unknown");
}

#[actix_web::test]
async fn capacity_and_secret_are_validated() {
    let server = Server::start(&["--room-capacity-max", "8"]);
    for (bad, says) in [
        (json!({"capacity": 0}), "from 1 to 8"),
        (json!({"capacity": 9}), "from 1 to 8"),
        (json!({"capacity": -1}), "capacity"),
        (json!({"capacity": "2"}), "invalid type"),
        (json!({"secret": "seven c"}), "secret"),
        (json!({"secret": "x".repeat(257)}), "secret"),
        (json!({"color": "red"}), "color"),
    ] {
        let problem = server.post("/v1/rooms", bad.clone()).await.refused(422, "invalid");
        let joined = server.post("/v1/rooms/x/peers", bad).await.refused(422, "invalid");
        assert!(problem["detail"].as_str().unwrap().contains(says) || says == "capacity", "{problem}");
        assert!(joined["detail"].as_str().is_some());
        server.get("/v1/rooms/x").await.refused(404, "room-unknown");
    }
    server.post("/v1/rooms", json!({"room": "eight", "capacity": 8})).await.expect(201);
}

#[actix_web::test]
async fn rooms_max_is_enforced() {
    let server = Server::start(&["--rooms-max", "2"]);
    let ann = server.join_room("a", "Ann").await;
    server.post("/v1/rooms", json!({"room": "b"})).await.expect(201);
    let refused = server.post("/v1/rooms", json!({"room": "c"})).await;
    refused.refused(503, "rooms-exhausted");
    assert!(refused.headers.contains_key("retry-after"));
    server.post("/v1/rooms/c/peers", json!({})).await.refused(503, "rooms-exhausted");
    ann.leave().await.expect(204);
    server.join_room("c", "Ben").await;
}

/// Sends a path unresolved, which no client library does. Returns the status and the body.
fn raw(port: u16, method: &str, path: &str) -> (u16, String) {
    use std::io::{Read, Write};
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
    write!(stream, "{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

/// A room `..` used to get "No route has this path".
#[actix_web::test]
async fn dot_segment_room_names_are_refused_even_if_already_resolved() {
    for base in ["/", "/signal"] {
        let server = Server::start(&["--base-path", base]);
        for dots in [".", ".."] {
            let problem = server.post("/v1/rooms", json!({"room": dots})).await.refused(422, "room-name-invalid");
            says_why(&problem);
        }
        // Literally, and in every encoding.
        for name in [".", "..", "%2e", "%2E%2e", ".%2e", "%2e.", "..%2f", "%2e%2e%2fx", "..%5c"] {
            for (method, rest) in
                [("GET", ""), ("POST", "/peers"), ("GET", "/peers"), ("POST", "/messages"), ("DELETE", "")]
            {
                let (status, body) = raw(server.port, method, &format!("/v1/rooms/{name}{rest}"));
                assert_eq!(status, 422, "{method} {name}{rest}: {body}");
                assert!(body.contains("/problems/room-name-invalid"), "{method} {name}{rest}: {body}");
            }
        }
        let (_, body) = raw(server.port, "POST", "/v1/rooms/%2e%2E/peers");
        says_why(&serde_json::from_str(&body).unwrap());
        // As resolved by a client.
        for path in [
            "/v1/rooms/../peers",
            "/v1/rooms/../messages",
            "/v1/rooms/../whip",
            "/v1/rooms/../whep",
            "/v1/rooms/../sessions/x",
            "/v1/rooms/./sessions/x",
            "/v1/rooms/%2e%2E/peers/x/messages",
            "/v1/rooms/./peers/x/messages",
        ] {
            says_why(&server.post(path, json!({})).await.refused(422, "room-name-invalid"));
        }
        for path in ["/v1/rooms/..", "/v1/rooms/."] {
            says_why(&server.get(path).await.refused(404, "not-found"));
        }
        for path in ["/v1/rooms/./peers", "/v1/rooms/./messages", "/v1/rooms/./whip", "/v1/rooms/./whep"] {
            says_why(&server.post(path, json!({})).await.refused(405, "method-not-allowed"));
        }
        for name in ["peers", "messages", "whip", "...", "..a"] {
            server.join_room(name, "Ann").await;
            assert_eq!(server.get(&format!("/v1/rooms/{name}")).await.status, 200);
        }
    }
}

fn says_why(problem: &Value) {
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("`..` cannot be room names"), "{problem}");
}

/// An empty variable in a client's program used to get "No page or operation has this path".
#[actix_web::test]
async fn an_empty_room_name_is_refused_as_such() {
    for base in ["/", "/signal"] {
        let server = Server::start(&["--base-path", base]);
        for rest in ["peers", "peers/x/messages", "messages", "whip"] {
            let path = format!("{}/v1/rooms//{rest}", base.trim_end_matches('/'));
            let problem = server.post(&path, json!({})).await.refused(422, "room-name-invalid");
            assert_eq!(problem["detail"], "The room's name in the path is empty.");
        }
    }
}

//! Secrets of rooms: a peer with a secret is never in a room with a peer without it.

use std::sync::Arc;

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::support::{
    harness::{Answer, Peer, Server, send},
    redis_server::RedisServer,
};

const KEY: [&str; 2] = ["--token-key", "kZ3vq9TfWm1x8LrP0aYdBcQe5Ns7Hj2U"];
const SECRET: &str = "two lumps";

/// Servers with each engine, and the Redis of one.
fn servers() -> (Arc<RedisServer>, [Server; 2]) {
    let redis = RedisServer::shared();
    let servers = [Server::start(&KEY), Server::start(&[&["--engine", &redis.url_apart()], &KEY[..]].concat())];
    (redis, servers)
}

async fn join(server: &Server, body: Value) -> Answer {
    server.post("/v1/rooms/board-meeting/peers", body).await
}

fn returning(server: &Server, peer: &Peer) -> RequestBuilder {
    server.request(Method::POST, "/v1/rooms/board-meeting/peers").bearer_auth(&peer.token)
}

async fn comes_back(server: &Server, peer: &Peer) -> Answer {
    send(returning(server, peer).json(&json!({}))).await
}

/// Ann creates the room with a secret, and Ben is in it; both leave.
async fn room_that_ended(server: &Server) -> [Peer; 2] {
    let ann = server.join_with("board-meeting", json!({"secret": SECRET, "capacity": 8})).await;
    let ben = server.join_with("board-meeting", json!({"secret": SECRET})).await;
    for peer in [&ann, &ben] {
        peer.leave().await.expect(204);
    }
    server.get("/v1/rooms/board-meeting").await.refused(404, "room-unknown");
    [ann, ben]
}

#[actix_web::test]
async fn a_secret_is_required_where_there_is_one_and_refused_where_there_is_none() {
    let (_redis, servers) = servers();
    for server in servers {
        let ann = join(&server, json!({"secret": SECRET, "capacity": 8})).await.expect(201);
        assert_eq!(ann["secret"], true);
        join(&server, json!({})).await.refused(403, "secret-missing");
        join(&server, json!({"secret": "two lumpz"})).await.refused(403, "secret-wrong");
        join(&server, json!({"secret": SECRET})).await.expect(201);
        assert_eq!(server.get("/v1/rooms/board-meeting").await.expect(200)["secret"], true);

        let open = server.join_room("open", "Ann").await;
        assert_eq!(open.joined["secret"], false);
        server.post("/v1/rooms/open/peers", json!({"secret": SECRET})).await.refused(403, "secret-unexpected");
        // Her seat is hers, whatever she sends with it.
        server.resume(&open).await.expect(200);
    }
}

/// Somebody joined `board-meeting` before the others, without a secret. Peers that brought one were let in beside him.
#[actix_web::test]
async fn a_peer_with_the_secret_is_not_let_into_a_room_that_a_stranger_created() {
    let (_redis, servers) = servers();
    for server in servers {
        let eve = join(&server, json!({"capacity": 8})).await.expect(201);
        for _ in 0..2 {
            join(&server, json!({"secret": SECRET})).await.refused(403, "secret-unexpected");
        }
        assert_eq!(server.get("/v1/rooms/board-meeting").await.expect(200)["occupancy"], 1);
        server.seat("board-meeting", eve).leave().await.expect(204);

        // The same with a secret of the stranger's.
        join(&server, json!({"secret": "of a stranger"})).await.expect(201);
        join(&server, json!({"secret": SECRET})).await.refused(403, "secret-wrong");
    }
}

#[actix_web::test]
async fn a_room_that_a_returning_peer_creates_anew_has_the_secret_and_the_creator_that_it_had() {
    let (_redis, servers) = servers();
    for server in servers {
        let [ann, ben] = room_that_ended(&server).await;
        let again = comes_back(&server, &ben).await.expect(201);
        assert_eq!((&again["created"], &again["secret"]), (&json!(true), &json!(true)));
        assert_eq!(again.get("room_token"), None, "{again}");
        join(&server, json!({})).await.refused(403, "secret-missing");
        join(&server, json!({"secret": "of a stranger"})).await.refused(403, "secret-wrong");
        comes_back(&server, &ann).await.expect(201);

        let room_token = ann.joined["room_token"].as_str().unwrap();
        server.delete(&format!("/v1/rooms/board-meeting/peers/{}", ben.id), room_token).await.expect(204);
    }
}

#[actix_web::test]
async fn a_returning_peer_does_not_enter_a_room_that_a_stranger_created_meanwhile() {
    let (_redis, servers) = servers();
    for server in servers {
        let [ann, ben] = room_that_ended(&server).await;
        let eve = server.join_with("board-meeting", json!({"capacity": 8})).await;
        for peer in [&ann, &ben] {
            comes_back(&server, peer).await.refused(403, "secret-unexpected");
            send(returning(&server, peer).json(&json!({"secret": SECRET}))).await.refused(403, "secret-unexpected");
        }
        server
            .delete("/v1/rooms/board-meeting", ann.joined["room_token"].as_str().unwrap())
            .await
            .refused(403, "not-yours");
        eve.leave().await.expect(204);
        server.join_with("board-meeting", json!({"secret": "of a stranger", "capacity": 8})).await;
        comes_back(&server, &ben).await.refused(403, "secret-wrong");
    }
}

/// After a restart, a kicked token created the room anew, without its secret, and got its room token.
#[actix_web::test]
async fn a_kicked_peer_gets_neither_the_room_token_nor_an_open_room_by_a_restart() {
    let first = Server::start(&KEY);
    let ann = first.join_with("board-meeting", json!({"secret": SECRET, "capacity": 8})).await;
    let eve = first.join_with("board-meeting", json!({"secret": SECRET})).await;
    let room_token = ann.joined["room_token"].as_str().unwrap();
    first.delete(&eve.path(""), room_token).await.expect(204);
    comes_back(&first, &eve).await.refused(403, "kicked");
    drop(first);

    let second = Server::start(&KEY);
    let again = comes_back(&second, &eve).await.expect(201);
    assert_eq!(again.get("room_token"), None, "{again}");
    join(&second, json!({})).await.refused(403, "secret-missing");
    comes_back(&second, &ann).await.expect(201);
    second.delete(&eve.path(""), room_token).await.expect(204);
    comes_back(&second, &eve).await.refused(403, "kicked");
}

/// A secret of four digits was guessed in 0.4 s from 243 addresses.
#[actix_web::test]
async fn many_addresses_together_cannot_guess_faster_and_guests_are_not_delayed() {
    let server = Server::start(&["--trusted-proxy", "127.0.0.1"]);
    let from = |address: String, secret: &str| {
        let request = server.request(Method::POST, "/v1/rooms/tea/peers").header("x-forwarded-for", address);
        send(request.json(&json!({"secret": secret, "capacity": 8})))
    };
    let ann = server.seat("tea", from("192.0.2.1".into(), SECRET).await.expect(201));
    let mut guesses = 0;
    while let answer = from(format!("198.51.100.{guesses}"), "a wrong guess").await
        && answer.status == 403
    {
        guesses += 1;
        assert!(guesses < 200, "as many guesses as there are addresses");
    }
    assert!(guesses >= 20);
    let stranger = from("203.0.113.9".into(), "a wrong guess").await;
    stranger.refused(429, "too-many-failures");
    from("192.0.2.1".into(), SECRET).await.expect(201);
    server.resume(&ann).await.expect(200);
}

#[actix_web::test]
async fn a_secret_has_at_least_eight_characters() {
    let server = Server::start(&[]);
    for path in ["/v1/rooms", "/v1/rooms/tea/peers"] {
        let answer = server.post(path, json!({"secret": "1234567"})).await;
        assert!(answer.text.contains("`secret` must have 8 to 256 characters"), "{}", answer.text);
        answer.refused(422, "invalid");
    }
}

/// A secret with an invalid name was counted as a guess on the room, but not as a failure of the address, so one address kept
/// everybody out who came for the first time.
#[actix_web::test]
async fn what_the_room_was_not_asked_is_no_guess() {
    let server = Server::start(&[]);
    server.join_with("board-meeting", json!({"secret": SECRET, "capacity": 8})).await;
    for body in [json!({"name": "\u{1}"}), json!({"capacity": 0}), json!({"page": ""}), json!({"metadata": 5})] {
        for _ in 0..25 {
            let mut body = body.clone();
            body["secret"] = "a wrong guess".into();
            join(&server, body).await.refused(422, "invalid");
        }
    }
    join(&server, json!({"secret": SECRET})).await.expect(201);
}

/// Regression: a peer that had once created a room of that name with another secret could guess without the room's limit.
#[actix_web::test]
async fn a_peer_that_knew_another_secret_guesses_like_everybody_else() {
    let server = Server::start(&["--trusted-proxy", "127.0.0.1"]);
    let from = |number: usize, secret: &str| {
        let request = server.request(Method::POST, "/v1/rooms/board-meeting/peers");
        let request = request.header("x-forwarded-for", format!("198.51.100.{number}"));
        send(request.json(&json!({"secret": secret, "capacity": 64})))
    };
    for number in 0..40 {
        let early = server.seat("board-meeting", from(number, "of a stranger").await.expect(201));
        early.leave().await.expect(204);
    }
    server.join_with("board-meeting", json!({"secret": SECRET, "capacity": 8})).await;
    let mut guesses = 0;
    while guesses < 40 && from(guesses, "a wrong guess").await.status == 403 {
        guesses += 1;
    }
    assert!((20..40).contains(&guesses), "{guesses}");
}

/// A peer that changed its network while its room was being guessed at lost its seat.
#[actix_web::test]
async fn guesses_of_others_do_not_keep_a_peer_from_its_seat() {
    let server = Server::start(&["--trusted-proxy", "127.0.0.1"]);
    let ann = server.join_with("board-meeting", json!({"secret": SECRET, "capacity": 64})).await;
    for number in 0..30 {
        let request = server.request(Method::POST, "/v1/rooms/board-meeting/peers");
        let request = request.header("x-forwarded-for", format!("198.51.100.{number}"));
        send(request.json(&json!({"secret": "a wrong guess"}))).await;
    }
    send(returning(&server, &ann).json(&json!({"secret": SECRET}))).await.expect(200);
}

//! `/v1/rooms/{room}/peers`: joining, coming back, leaving. What happens to a seat that nobody uses is in `seats.rs`.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    harness::{Answer, Peer, Server, send},
    waits::until_parked,
};

const KEY: &str = "2b2d1c2e-0a6f-4f0c-9a55-7a3f4f1f7b11";

#[actix_web::test]
async fn the_first_join_creates_the_room_and_the_third_gets_room_full() {
    let server = Server::start(&[]);
    let ann = server.join_with("tea", json!({"name": "Ann", "metadata": {"a": [1, 2.50]}})).await;
    assert_eq!(ann.joined["created"], true);
    assert_eq!(ann.joined["polite"], false);
    assert_eq!(ann.joined["peers"], json!([]));
    assert_eq!((&ann.joined["lease_ms"], &ann.joined["wait_max_ms"]), (&json!(45_000), &json!(55_000)));

    let ben = server.join_room("tea", "Ben").await;
    assert_eq!(ben.joined["created"], false);
    assert_eq!(ben.joined["polite"], true);
    assert_eq!(ben.joined["peers"], json!([ann.joined["peer"]]));
    assert_eq!(ben.joined["room_token"], Value::Null);
    let told = ann.messages(0).await;
    assert_eq!(told, [json!({"seq": 1, "type": "peer-joined", "peer": ben.joined["peer"]})]);

    // Without a held poll a seat is quiet after some seconds.
    let _held = [ann.polling(1, 50.0), ben.polling(0, 50.0)].map(|polling| actix_web::rt::spawn(send(polling)));
    until_parked(&server, 2).await;
    let full = server.post("/v1/rooms/tea/peers", json!({})).await;
    let problem = full.refused(409, "room-full");
    assert_eq!(problem["capacity"], 2);
    assert_eq!(problem["seats"], json!([{"quiet": false, "frees_in_ms": null}, {"quiet": false, "frees_in_ms": null}]));
    assert_eq!(full.headers["retry-after"], "5");
}

#[actix_web::test]
async fn a_returning_peers_roster_matches_its_cursor() {
    let server = Server::start(&[]);
    let ann = server.join_with("tea", json!({"capacity": 4})).await;
    let ben = server.join_room("tea", "Ben").await;
    ann.poll(1, 0.0).await.expect(200);
    let cleo = server.join_room("tea", "Cleo").await;
    ben.leave().await.expect(204);

    let again = server.resume(&ann).await.expect(200);
    assert_eq!(again["peers"], json!([ben.joined["peer"]]));
    let kinds: Vec<Value> = ann.messages(1).await.iter().map(|message| message["type"].clone()).collect();
    assert_eq!(kinds, ["peer-joined", "peer-left"]);
    let roster = send(ann.request(Method::GET, "/v1/rooms/tea/peers")).await.expect(200);
    assert_eq!(roster["peers"], json!([ann.joined["peer"], cleo.joined["peer"]]));
}

#[actix_web::test]
async fn a_join_repeated_after_a_lost_response_takes_no_second_seat() {
    let server = Server::start(&[]);
    let join = |body: Value| {
        send(server.request(Method::POST, "/v1/rooms/tea/peers").header("idempotency-key", KEY).json(&body))
    };
    let first = join(json!({"name": "Ann"})).await.expect(201);
    let ben = server.join_room("tea", "Ben").await;
    let second = join(json!({"name": "Ann"})).await.expect(201);
    for member in ["created", "peer", "token", "cursor", "peers", "room_token", "polite"] {
        assert_eq!(first[member], second[member], "{member}");
    }
    join(json!({"name": "Eve"})).await.refused(422, "key-reused");
    assert_eq!(ben.messages(0).await, Vec::<Value>::new());
    assert_eq!(server.get("/v1/rooms/tea").await.expect(200)["occupancy"], 2);
}

#[actix_web::test]
async fn leaving_frees_the_seat_immediately() {
    let server = Server::start(&[]);
    let ann = server.join_room("tea", "Ann").await;
    let ben = server.join_room("tea", "Ben").await;
    ben.leave().await.expect(204);
    assert_eq!(ann.messages(1).await, [json!({"seq": 2, "type": "peer-left", "peer": ben.id, "reason": "left"})]);
    ben.leave().await.refused(410, "peer-gone");
    server.join_room("tea", "Cleo").await;
}

#[actix_web::test]
async fn a_token_is_valid_only_for_its_peer_and_room() {
    let server = Server::start(&[]);
    let ann = server.join_room("tea", "Ann").await;
    let ben = server.join_room("tea", "Ben").await;
    let eve = server.join_room("coffee", "Eve").await;
    let with =
        |token: &str| send(server.request(Method::GET, &ann.path("/messages?wait=0")).header("authorization", token));
    send(server.request(Method::GET, &ann.path("/messages"))).await.refused(401, "token-missing");
    for bad in ["", "Bearer", "Bearer ", "Basic eDp5", "Bearer nonsense", &format!("Bearer {}", eve.token)] {
        with(bad).await.refused(401, "token-invalid");
    }
    with(&format!("Bearer {}", ben.token)).await.refused(403, "not-yours");
    with(&format!("bearer {}", ann.token)).await.expect(200);
    server.resume(&Peer { token: eve.token.clone(), ..ann.clone() }).await.refused(401, "token-invalid");
    send(ben.request(Method::GET, &ann.path("/ice-servers"))).await.refused(403, "not-yours");
    send(ben.request(Method::DELETE, &ann.path(""))).await.refused(403, "not-yours");
    let odd = ann.path("").replace(&ann.id, "not-a-uuid");
    send(ben.request(Method::DELETE, &odd)).await.refused(404, "peer-unknown");
}

#[actix_web::test]
async fn names_and_metadata_are_bounded() {
    let server = Server::start(&[]);
    let join = |body: Value| server.post("/v1/rooms/tea/peers", body);
    let metadata = |bytes: usize| json!({"metadata": {"k": "x".repeat(bytes - 8)}});
    let deep = |levels: usize| {
        let nested = format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        send(
            server
                .request(Method::POST, "/v1/rooms/deep/peers")
                .header("content-type", "application/json")
                .body(format!("{{\"metadata\":{{\"a\":{nested}}}}}")),
        )
    };
    for bad in [json!({"name": "x".repeat(65)}), json!({"name": "a\u{7}"}), metadata(4097), json!({"metadata": [1]})] {
        join(bad).await.refused(422, "invalid");
    }
    deep(31).await.refused(422, "invalid");
    server.get("/v1/rooms/tea").await.refused(404, "room-unknown");
    deep(30).await.expect(201);
    join(json!({"name": "é".repeat(64)})).await.expect(201);
    for bad in [json!(0), json!(65), json!(2.5), json!(-1), json!("2")] {
        join(json!({"capacity": bad})).await.refused(422, "invalid");
    }
    let fresh =
        server.post("/v1/rooms/fresh/peers", json!({"capacity": 3.0, "secret": "é".repeat(256)})).await.expect(201);
    assert_eq!(fresh["capacity"], 3);
    server.post("/v1/rooms/fresh/peers", json!({"secret": "é".repeat(257)})).await.refused(422, "invalid");
    join(metadata(4096)).await.expect(201);
}

#[actix_web::test]
async fn only_members_get_ice_servers_with_credentials() {
    let server = Server::start(&[
        "--stun-url",
        "stun:s.example:3478",
        "--turn-url",
        "turn:t.example:3478",
        "--turn-secret",
        "north",
    ]);
    let ann = server.join_room("tea", "Ann").await;
    let ben = server.join_room("tea", "Ben").await;
    let servers = &ben.joined["ice_servers"];
    assert_eq!(servers[0], json!({"urls": ["stun:s.example:3478"]}));
    assert_eq!(ben.joined["ice_ttl_s"], 600);
    let nothing_expires = Server::start(&["--stun-url", "stun:s.example:3478"]).join_room("tea", "Ann").await;
    assert_eq!(nothing_expires.joined["ice_ttl_s"], Value::Null);

    let ask = || send(ann.request(Method::GET, &ann.path("/ice-servers")));
    let fresh = ask().await.expect(200);
    assert_eq!(fresh["ttl_s"], 600);
    assert_eq!(fresh["ice_servers"][1]["urls"], json!(["turn:t.example:3478"]));
    ann.leave().await.expect(204);
    ask().await.refused(410, "peer-gone");
}

/// One address drew the credentials of 199 users of a relay in ten seconds, each for an hour.
#[actix_web::test]
async fn one_address_is_one_user_of_a_relay_and_none_while_it_is_alone() {
    let turn = ["--turn-url", "turn:t.example", "--turn-secret", "north", "--trusted-proxy", "127.0.0.1"];
    let server = Server::start(&turn);
    let join = async |room: &str, address: &str| {
        let request = server.request(Method::POST, &format!("/v1/rooms/{room}/peers"));
        server.seat(room, send(request.header("x-forwarded-for", address)).await.expect(201))
    };
    let user = |servers: &Value| {
        let (_, user) = servers[0]["username"].as_str()?.split_once(':')?;
        Some(user.to_owned())
    };
    let ask = async |peer: &Peer, address: &str| {
        let request = peer.request(Method::GET, &peer.path("/ice-servers"));
        send(request.header("x-forwarded-for", address)).await.expect(200)
    };
    let mut users = std::collections::HashSet::new();
    for room in ["one", "two", "three"] {
        let alone = join(room, "192.0.2.1").await;
        assert_eq!((&alone.joined["ice_ttl_s"], user(&alone.joined["ice_servers"])), (&json!(0), None));
        assert_eq!(ask(&alone, "192.0.2.1").await["ttl_s"], 0);
        let second = join(room, "192.0.2.1").await;
        users.insert(user(&second.joined["ice_servers"]).unwrap());
        users.insert(user(&ask(&alone, "192.0.2.1").await["ice_servers"]).unwrap());
        second.leave().await.expect(204);
        assert_eq!(ask(&alone, "192.0.2.1").await["ttl_s"], 0);
    }
    assert_eq!(users.len(), 1);
    assert!(!users.iter().any(|user| user.contains("192")));
    join("four", "192.0.2.1").await;
    let other = join("four", "192.0.2.2").await;
    assert!(!users.contains(&user(&other.joined["ice_servers"]).unwrap()));
}

#[actix_web::test]
async fn responses_are_marked_no_store() {
    let server = Server::start(&[]);
    let ann = server.join_room("tea", "Ann").await;
    let stored = |answer: &Answer| answer.headers["cache-control"].to_str().unwrap().to_owned();
    let poll = ann.poll(0, 0.0).await;
    assert_eq!(stored(&poll), "no-store, no-transform");
    assert!(poll.headers.contains_key("content-length") && !poll.headers.contains_key("etag"));
    assert_eq!(stored(&ann.poll(9, 0.0).await), "no-store, no-transform");
    assert_eq!(stored(&server.get("/v1/rooms/tea").await), "no-store, no-transform");
}

//! What is refused, and that nothing is kept of it.

use actix_web::rt::spawn;
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::scene::{Browser, CANDIDATE, HIDDEN, OFFER, SDP, Scene, answer, both, lines};
use crate::{
    auth::tickets::{FIRST, SECRET, claims, in_seconds, signed, with},
    support::{harness::send, waits::until_parked},
};

const WHIP: &str = "/v1/rooms/tea/whip";
const WHEP: &str = "/v1/rooms/tea/whep";

impl Scene {
    /// Ann is alone, and has heard of nobody.
    async fn is_as_before(&self, ann: &Browser) {
        assert_eq!((self.occupancy().await, ann.unread().await), (1, Vec::<Value>::new()));
    }
}

#[actix_web::test]
async fn what_is_no_offer_is_refused_and_nobody_is_called() {
    let scene = Scene::start(&[]);
    let ann = scene.browser("Ann").await;
    let large = format!("{OFFER}{}", "a=x\r\n".repeat(20_000));
    for (offer, status, slug) in [
        ("", 400, "sdp-malformed"),
        ("hello", 400, "sdp-malformed"),
        ("{\"type\":\"offer\"}", 400, "sdp-malformed"),
        (&OFFER.replace("v=0", "v=1"), 400, "sdp-malformed"),
        (&OFFER.replace("sendonly", "recvonly"), 422, "invalid"),
        (&OFFER.replacen("sendonly", "inactive", 1), 422, "invalid"),
        (&OFFER.replace("m=audio", "m=video"), 422, "invalid"),
        (&OFFER.replace("a=ice-pwd", "a=x"), 422, "invalid"),
        (&large, 413, "body-too-large"),
    ] {
        send(scene.offering(WHIP, offer)).await.refused(status, slug);
    }
    send(scene.offering(WHEP, OFFER)).await.refused(422, "invalid");
    for kind in ["application/json", "text/plain", "application/sdpx", ""] {
        let request = scene.server.request(Method::POST, WHIP).header("content-type", kind).body(OFFER);
        let refused = send(request).await;
        refused.refused(415, "sdp-expected");
        assert_eq!(refused.headers["accept-post"], SDP);
    }
    send(scene.server.request(Method::POST, WHIP)).await.refused(415, "sdp-expected");
    let compressed = send(scene.offering(WHIP, OFFER).header("content-encoding", "gzip")).await;
    compressed.refused(415, "sdp-expected");
    assert_eq!(compressed.headers["accept-post"], SDP);
    assert_eq!(compressed.headers["accept-encoding"], "identity");
    for (query, status, slug) in [
        ("to=nobody", 422, "invalid"),
        (&format!("name={}", "x".repeat(65)), 422, "invalid"),
        ("name=a%00b", 422, "invalid"),
        ("name=a&name=b", 400, "malformed-request"),
    ] {
        send(scene.offering(&format!("{WHIP}?{query}"), OFFER)).await.refused(status, slug);
    }
    send(scene.offering("/v1/rooms/a%20b/whip", OFFER)).await.refused(422, "room-name-invalid");
    scene.is_as_before(&ann).await;
}

/// Without a length, so that it is not refused before it is read.
#[actix_web::test]
async fn a_megabyte_is_refused_while_it_arrives() {
    let scene = Scene::start(&[]);
    let ann = scene.browser("Ann").await;
    let mut stream = TcpStream::connect(("127.0.0.1", scene.server.port)).await.unwrap();
    let head =
        format!("POST {WHIP} HTTP/1.1\r\nhost: localhost\r\ncontent-type: {SDP}\r\ntransfer-encoding: chunked\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let (mut reading, mut writing) = stream.into_split();
    let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
    let pouring = spawn(async move {
        for _ in 0..16 {
            if writing.write_all(chunk.as_bytes()).await.is_err() {
                return;
            }
        }
        let _ = writing.write_all(b"0\r\n\r\n").await;
    });
    let mut status = [0; 12];
    reading.read_exact(&mut status).await.unwrap();
    assert_eq!(&status, b"HTTP/1.1 413");
    drop(reading);
    pouring.await.unwrap();
    scene.is_as_before(&ann).await;
}

#[actix_web::test]
async fn admission_is_that_of_joining() {
    for scene in both() {
        let mut ann = Browser::new(scene.server.join_with("tea", json!({"secret": "two lumps", "capacity": 2})).await);
        let with_secret = |secret: &str| scene.offering(WHIP, OFFER).bearer_auth(secret);
        send(scene.offering(WHIP, OFFER)).await.refused(403, "secret-missing");
        send(with_secret("three lumps")).await.refused(403, "secret-wrong");
        send(with_secret("short")).await.refused(422, "invalid");
        send(scene.offering(WHIP, OFFER).header("authorization", "Basic eA==")).await.refused(401, "token-invalid");
        scene.server.join_with("open", json!({})).await;
        send(scene.offering("/v1/rooms/open/whip", OFFER).bearer_auth("two lumps"))
            .await
            .refused(403, "secret-unexpected");
        scene.is_as_before(&ann).await;

        let creator = ann.peer.joined["room_token"].as_str().unwrap().to_owned();
        let lock = |locked: bool| {
            let request = scene.server.request(Method::PATCH, "/v1/rooms/tea").bearer_auth(&creator);
            send(request.json(&json!({ "locked": locked })))
        };
        lock(true).await.expect(200);
        send(with_secret("two lumps")).await.refused(403, "room-locked");
        lock(false).await.expect(200);
        let calling = spawn(send(with_secret("two lumps")));
        let (encoder, _) = ann.until_offer().await;
        // The seat of one that waits counts.
        send(scene.offering(&format!("{WHIP}?name=other"), OFFER).bearer_auth("two lumps"))
            .await
            .refused(409, "room-full");
        let kick = scene.server.request(Method::DELETE, &encoder.path("")).bearer_auth(&creator);
        send(kick).await.expect(204);
        calling.await.unwrap().refused(403, "kicked");
        send(with_secret("two lumps")).await.refused(403, "kicked");
        assert_eq!(scene.occupancy().await, 1);
    }
}

#[actix_web::test]
async fn tickets_are_those_of_joining() {
    let scene = Scene::start(&["--ticket-key", SECRET]);
    let joined = crate::auth::tickets::join(&scene.server, "tea", &signed(&claims("tea"), SECRET)).await.expect(201);
    let ann = Browser::new(scene.server.seat("tea", joined));
    send(scene.offering(WHIP, OFFER)).await.refused(401, "ticket-missing");
    for (ticket, status, slug) in [
        ("nonsense".to_owned(), 401, "ticket-malformed"),
        (signed(&claims("tea"), FIRST), 401, "ticket-signature"),
        (signed(&with(claims("tea"), "exp", in_seconds(-60)), SECRET), 401, "ticket-expired"),
        (signed(&claims("coffee"), SECRET), 403, "ticket-other-room"),
        (signed(&with(claims("tea"), "aud", "others"), SECRET), 403, "ticket-audience"),
    ] {
        send(scene.offering(WHIP, OFFER).bearer_auth(ticket)).await.refused(status, slug);
    }
    scene.is_as_before(&ann).await;
}

#[actix_web::test]
async fn an_encoder_opens_no_room() {
    for scene in both() {
        let refused = send(scene.offering(WHIP, OFFER)).await;
        let detail = refused.refused(503, "nobody-answered")["detail"].to_string();
        assert!(detail.contains("does not exist"), "{detail}");
        assert_eq!(refused.headers["retry-after"], "2");
        let offer = OFFER.replace("sendonly", "recvonly");
        let refused = send(scene.offering(WHEP, &offer)).await;
        refused.refused(409, "nobody-sends");
        assert_eq!(refused.headers["retry-after"], "2");
        scene.server.get("/v1/rooms/tea").await.refused(404, "room-unknown");
    }
}

/// Otherwise names of rooms could be tried.
#[actix_web::test]
async fn looking_for_rooms_with_offers_is_slowed_down() {
    let scene = Scene::start(&["--rate-join", "10000"]);
    let mut last = None;
    for number in 0..120 {
        last = Some(send(scene.offering(&format!("/v1/rooms/r{number}/whip"), OFFER)).await);
    }
    last.unwrap().refused(429, "too-many-failures");
}

#[actix_web::test]
async fn nobody_answers_in_time() {
    for scene in both() {
        let mut ann = scene.browser("Ann").await;
        let refused = scene.calls(WHIP).await.unwrap();
        refused.refused(503, "nobody-answered");
        assert!(refused.headers.contains_key("retry-after"));
        let (encoder, _) = ann.until_offer().await;
        assert_eq!(ann.next("bye").await["reason"], "failed");
        assert_eq!(ann.next("peer-left").await["peer"], json!(encoder.id));
        scene.is_as_before(&ann).await;
    }
}

#[actix_web::test]
async fn a_browser_may_decline() {
    for scene in both() {
        let mut ann = scene.browser("Ann").await;
        for (says, status, slug) in [
            (json!({"type": "bye"}), 503, "nobody-answered"),
            (json!({"type": "answer", "sdp": answer("").replace("m=video 9", "m=video 0")}), 422, "media-refused"),
            (json!({"type": "answer", "sdp": answer("").replace("recvonly", "inactive")}), 422, "media-refused"),
            (json!({"type": "answer", "sdp": "v=0\r\n"}), 503, "nobody-answered"),
            (json!({"type": "answer", "sdp": answer(&lines(&[HIDDEN]))}), 503, "nobody-answered"),
        ] {
            let calling = scene.calls(WHIP);
            let (encoder, _) = ann.until_offer().await;
            ann.says(&encoder, says).await;
            calling.await.unwrap().refused(status, slug);
            ann.next("peer-left").await;
            scene.is_as_before(&ann).await;
        }
    }
}

#[actix_web::test]
async fn an_encoder_that_hangs_up_while_it_waits_frees_its_seat() {
    for scene in both() {
        let mut ann = scene.browser("Ann").await;
        let mut stream = TcpStream::connect(("127.0.0.1", scene.server.port)).await.unwrap();
        let length = OFFER.len();
        let head = format!(
            "POST {WHIP} HTTP/1.1\r\nhost: localhost\r\ncontent-type: {SDP}\r\ncontent-length: {length}\r\n\r\n"
        );
        stream.write_all([head.as_bytes(), OFFER.as_bytes()].concat().as_slice()).await.unwrap();
        let (encoder, _) = ann.until_offer().await;
        drop(stream);
        assert_eq!(ann.next("bye").await["reason"], "failed");
        assert_eq!(ann.next("peer-left").await["peer"], json!(encoder.id));
        until_parked(&scene.server, 0).await;
        scene.is_as_before(&ann).await;
    }
}

#[actix_web::test]
async fn a_browser_that_leaves_is_waited_for_no_more_and_the_next_one_is_called() {
    for scene in both() {
        scene.server.post("/v1/rooms", json!({"room": "tea", "capacity": 8})).await.expect(201);
        let mut ann = scene.browser("Ann").await;
        let calling = scene.calls(WHIP);
        let (encoder, _) = ann.until_offer().await;
        // Its answer is void.
        ann.answers(&encoder, "").await;
        ann.peer.leave().await.expect(204);
        let mut ben = scene.browser("Ben").await;
        let (encoder, _) = ben.until_offer().await;
        ben.answers(&encoder, &lines(&[CANDIDATE])).await;
        assert_eq!(calling.await.unwrap().status, 201);
    }
}

#[actix_web::test]
async fn a_room_that_closes_and_a_server_that_stops_end_the_waiting() {
    let scene = Scene::start(&[]);
    let mut ann = scene.browser("Ann").await;
    let calling = scene.calls(WHIP);
    ann.until_offer().await;
    scene.server.delete("/v1/rooms/tea", ann.peer.joined["room_token"].as_str().unwrap()).await.expect(204);
    calling.await.unwrap().refused(410, "room-closed");

    let scene = Scene::start(&[]);
    let mut ann = scene.browser("Ann").await;
    let calling = scene.calls(WHIP);
    ann.until_offer().await;
    until_parked(&scene.server, 1).await;
    scene.server.stop();
    calling.await.unwrap().refused(503, "draining");
}

#[actix_web::test]
async fn a_flood_of_offers_is_refused_by_the_limits_of_joining() {
    let scene = Scene::start(&["--rate-join", "1"]);
    let mut ann = Browser::new(scene.server.join_with("tea", json!({"capacity": 64})).await);
    let flood = (0..60).map(|number| spawn(send(scene.offering(&format!("{WHIP}?name={number}"), OFFER))));
    let flood: Vec<_> = flood.collect();
    let declining = async {
        loop {
            let (encoder, _) = ann.until_offer().await;
            ann.says(&encoder, json!({"type": "bye"})).await;
        }
    };
    let answers = tokio::select! {
        answers = join_all(flood) => answers,
        () = declining => unreachable!(),
    };
    let limited = answers.iter().filter(|answer| answer.as_ref().unwrap().status == 429).count();
    // Ten of a burst, less Ann's own join, are admitted, and one more for each second that it took.
    assert!((1..=51).contains(&limited), "{limited}");
    assert_eq!(scene.occupancy().await, 1);
}

#[actix_web::test]
async fn a_flood_of_patches_is_refused_by_the_limits_of_posting() {
    let scene = Scene::start(&["--rate-send", "1"]);
    let mut ann = scene.browser("Ann").await;
    let session = scene.session(&mut ann).await;
    let patches = (0..50).map(|_| send(session.patching(&scene.server, "a=end-of-candidates")));
    let answers = join_all(patches).await;
    let limited: Vec<_> = answers.iter().filter(|answer| answer.status == 429).collect();
    // A burst has ten.
    assert!((1..=40).contains(&limited.len()), "{}", limited.len());
    limited[0].refused(429, "rate-limited");
}

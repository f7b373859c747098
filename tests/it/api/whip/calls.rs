//! From the offer to the answer.

use reqwest::Method;
use serde_json::json;

use super::scene::{Browser, CANDIDATE, HIDDEN, OFFER, SDP, Scene, Session, both, lines};
use crate::{
    auth::tickets::{SECRET, claims, signed, with},
    support::{
        harness::{Server, send},
        redis_server::RedisServer,
    },
};

const WHIP: &str = "/v1/rooms/tea/whip";

#[actix_web::test]
async fn an_encoders_post_is_answered_by_a_browser() {
    for scene in both() {
        let mut ann = scene.browser("Ann").await;
        let calling = scene.calls(&format!("{WHIP}?name=Camera+1"));
        let card = ann.next("peer-joined").await["peer"].clone();
        assert_eq!(card["name"], "Camera 1");
        let rtc = json!({"trickle": false, "renegotiates": false, "channel": false, "direction": "sendonly"});
        assert_eq!(card["metadata"], json!({"whip": "encoder", "rtc": rtc}));
        assert_eq!(&card["id"].as_str().unwrap()[14..15], "8");
        let (encoder, offer) = ann.until_offer().await;
        assert_eq!(json!(encoder.id), card["id"]);
        // The address from which it came, so that the browser lets it in.
        let candidate = "a=candidate:whip 1 udp 1 127.0.0.1 65535 typ srflx raddr 0.0.0.0 rport 0\r\n";
        assert_eq!(offer.replace(candidate, ""), OFFER);
        assert!(offer.contains(candidate));
        ann.answers(&encoder, &lines(&[HIDDEN, CANDIDATE])).await;
        let begun = calling.await.unwrap();
        assert_eq!((begun.status, &begun.headers["content-type"]), (201, &SDP.parse().unwrap()));
        assert!(begun.text.contains(CANDIDATE) && !begun.text.contains(".local"), "{}", begun.text);
        assert!(begun.text.contains("a=end-of-candidates\r\n"));
        assert_eq!(begun.headers["accept-patch"], "application/trickle-ice-sdpfrag");
        let session = Session::begun(encoder, &begun);
        assert!(session.path.starts_with("/v1/rooms/tea/sessions/") && session.path.len() > 100, "{}", session.path);
        assert!(session.etag.starts_with('"') && session.etag.ends_with('"') && session.etag.len() > 20);
        assert!(session.goes_on(&scene.server).await);

        let ended = send(session.request(Method::DELETE, &scene.server)).await;
        assert_eq!((ended.status, ended.text.as_str()), (200, ""));
        let bye = ann.next("bye").await;
        assert_eq!((&bye["from"], &bye["reason"]), (&json!(session.encoder.id), &json!("ended")));
        let left = ann.next("peer-left").await;
        assert_eq!((&left["peer"], &left["reason"]), (&json!(session.encoder.id), &json!("left")));
        assert!(!session.goes_on(&scene.server).await);
        send(session.request(Method::DELETE, &scene.server)).await.refused(404, "session-unknown");
        send(session.patching(&scene.server, "a=end-of-candidates")).await.refused(404, "session-unknown");
        assert_eq!(scene.occupancy().await, 1);
    }
}

#[actix_web::test]
async fn ice_servers_come_in_links() {
    let scene = Scene::start(&["--turn-relay", "closed"]);
    let mut ann = scene.browser("Ann").await;
    let calling = scene.calls(WHIP);
    let (encoder, _) = ann.until_offer().await;
    ann.answers(&encoder, &lines(&[CANDIDATE])).await;
    let begun = calling.await.unwrap();
    let links: Vec<&str> = begun.headers.get_all("link").iter().map(|value| value.to_str().unwrap()).collect();
    assert!(
        links.iter().any(|link| link.starts_with("<stun:127.0.0.1:") && link.ends_with(r#">; rel="ice-server""#)),
        "{links:?}"
    );
    let turn: Vec<_> = links.iter().filter(|link| link.starts_with("<turn:127.0.0.1:")).collect();
    assert!(!turn.is_empty(), "{links:?}");
    for link in turn {
        let parts: Vec<&str> = link.split("; ").collect();
        assert_eq!((parts[1], parts[4]), (r#"rel="ice-server""#, r#"credential-type="password""#), "{link}");
        assert!(parts[2].starts_with("username=\"") && parts[3].starts_with("credential=\""), "{link}");
    }
}

/// An encoder that is relayed as well does not say so: it learns of the relay with the answer.
#[actix_web::test]
async fn a_browser_that_is_relayed_permits_the_encoder_at_its_relay() {
    let scene = Scene::start(&[]);
    let mut ann = scene.browser("Ann").await;
    let calling = scene.calls(WHIP);
    let (encoder, _) = ann.until_offer().await;
    ann.answers(&encoder, &lines(&[CANDIDATE, "candidate:3 1 udp 7 198.51.100.7 50000 typ relay"])).await;
    assert_eq!(calling.await.unwrap().status, 201);
    let text = "candidate:whip 1 udp 1 198.51.100.7 65535 typ relay raddr 0.0.0.0 rport 0";
    let expected = json!({"candidate": text, "sdpMid": "0", "sdpMLineIndex": 0, "usernameFragment": "ufr1"});
    assert_eq!(ann.next("candidate").await["candidate"], expected);
    assert_eq!(ann.unread().await, Vec::<serde_json::Value>::new());
}

#[actix_web::test]
async fn candidates_that_follow_the_answer_are_merged_into_it() {
    for scene in both() {
        let mut ann = scene.browser("Ann").await;
        let calling = scene.calls(WHIP);
        let (encoder, _) = ann.until_offer().await;
        let trickle =
            |text: &str, mid: &str| json!({"type": "candidate", "candidate": {"candidate": text, "sdpMid": mid}});
        // Before the answer, as the network may have it.
        ann.says(&encoder, trickle(&CANDIDATE.replace("54400", "1111"), "0")).await;
        ann.answers(&encoder, "").await;
        ann.says(&encoder, trickle(&CANDIDATE.replace("54400", "2222"), "1")).await;
        ann.says(&encoder, trickle(HIDDEN, "0")).await;
        ann.says(&encoder, json!({"type": "candidate", "candidate": null})).await;
        let begun = calling.await.unwrap();
        assert_eq!(begun.status, 201, "{begun:?}");
        let (first, second) = begun.text.split_once("m=video").unwrap();
        assert!(first.contains("1111") && second.contains("2222") && !begun.text.contains("local"), "{}", begun.text);
    }
}

#[actix_web::test]
async fn the_first_who_answers_has_it_and_the_others_are_told() {
    for scene in both() {
        let [mut ann, mut ben] = [scene.browser("Ann").await, scene.browser("Ben").await];
        let calling = scene.calls(WHIP);
        let (encoder, _) = ann.until_offer().await;
        ben.until_offer().await;
        ben.answers(&encoder, &lines(&[CANDIDATE])).await;
        assert_eq!(calling.await.unwrap().status, 201);
        let told = |bye: serde_json::Value| {
            assert_eq!((&bye["from"], &bye["reason"]), (&json!(encoder.id), &json!("taken")));
            assert_eq!(bye["answeredBy"], json!(ben.peer.id));
        };
        told(ann.next("bye").await);
        // A peer that offers to it later is told, too; but not the one that has it.
        let mut cleo = scene.browser("Cleo").await;
        cleo.says(&encoder, json!({"type": "offer", "sdp": "v=0\r\n"})).await;
        told(cleo.next("bye").await);
        ben.says(&encoder, json!({"type": "offer", "sdp": "v=0\r\n"})).await;
        ann.peer.say(&ben.peer, "after").await;
        assert_eq!(ben.next("data").await["data"], "after");
        assert_eq!(ben.unread().await, Vec::<serde_json::Value>::new());
    }
}

#[actix_web::test]
async fn a_newcomer_is_called_while_it_waits() {
    for scene in both() {
        scene.server.post("/v1/rooms", json!({"room": "tea", "capacity": 8})).await.expect(201);
        let calling = scene.calls(WHIP);
        crate::support::waits::until_parked(&scene.server, 1).await;
        // Another encoder, which calls nobody, and is not called.
        let other = scene.calls(&format!("{WHIP}?name=other"));
        crate::support::waits::until_parked(&scene.server, 2).await;
        let mut ann = scene.browser("Ann").await;
        for _ in 0..2 {
            let (encoder, _) = ann.until_offer().await;
            ann.answers(&encoder, &lines(&[CANDIDATE])).await;
        }
        assert_eq!((calling.await.unwrap().status, other.await.unwrap().status), (201, 201));
    }
}

#[actix_web::test]
async fn one_peer_can_be_called() {
    let scene = Scene::start(&[]);
    let [ann, mut ben] = [scene.browser("Ann").await, scene.browser("Ben").await];
    let session = scene.session_of(&mut ben).await;
    let kinds: Vec<_> = ann.unread().await.iter().map(|message| message["type"].clone()).collect();
    assert_eq!(kinds, ["peer-joined", "peer-joined"], "Ben and the encoder");
    assert!(session.goes_on(&scene.server).await);
}

#[actix_web::test]
async fn a_player_is_called_a_player_and_gets_what_is_sent() {
    for scene in both() {
        let mut ann = scene.browser("Ann").await;
        let offer = OFFER.replace("sendonly", "recvonly");
        let calling = actix_web::rt::spawn(send(scene.offering("/v1/rooms/tea/whep", &offer)));
        let card = ann.next("peer-joined").await["peer"].clone();
        assert_eq!((&card["name"], &card["metadata"]["whip"]), (&json!("Player"), &json!("player")));
        assert_eq!(card["metadata"]["rtc"]["direction"], "recvonly");
        let (player, _) = ann.until_offer().await;
        // Without a microphone.
        let sdp = super::scene::answer(&lines(&[CANDIDATE]))
            .replacen("recvonly", "inactive", 1)
            .replace("recvonly", "sendrecv");
        ann.says(&player, json!({"type": "answer", "sdp": sdp})).await;
        let begun = calling.await.unwrap();
        assert!(
            begun.status == 201 && begun.text.contains("a=sendonly") && !begun.text.contains("sendrecv"),
            "{begun:?}"
        );
    }
}

/// It crashed, or its connection did, and its seat is not free yet: a room of two would be full.
#[actix_web::test]
async fn the_same_encoder_takes_its_seat_again_and_its_earlier_session_ends() {
    for scene in both() {
        let mut ann = Browser::new(scene.server.join_room("tea", "Ann").await);
        let first = scene.session(&mut ann).await;
        let second = scene.session(&mut ann).await;
        assert_eq!((&first.encoder.id, scene.occupancy().await), (&second.encoder.id, 2));
        send(first.request(Method::DELETE, &scene.server)).await.refused(404, "session-unknown");
        send(first.patching(&scene.server, "a=end-of-candidates")).await.refused(404, "session-unknown");
        assert!(second.goes_on(&scene.server).await);
        // Another one has no seat.
        send(scene.offering(&format!("{WHIP}?name=other"), OFFER)).await.refused(409, "room-full");
        send(second.request(Method::DELETE, &scene.server)).await.expect_ok();
    }
}

/// The request before was given up without a word.
#[actix_web::test]
async fn a_second_request_of_the_same_encoder_replaces_one_that_waits() {
    for scene in both() {
        let mut ann = Browser::new(scene.server.join_room("tea", "Ann").await);
        let older = scene.calls(WHIP);
        ann.until_offer().await;
        let newer = scene.calls(WHIP);
        older.await.unwrap().refused(409, "poll-superseded");
        let (encoder, _) = ann.until_offer().await;
        ann.answers(&encoder, &lines(&[CANDIDATE])).await;
        let session = Session::begun(encoder, &newer.await.unwrap());
        assert!(session.goes_on(&scene.server).await);
    }
}

#[actix_web::test]
async fn the_bearer_is_a_ticket_or_the_rooms_secret() {
    let scene = Scene::start(&["--ticket-key", SECRET]);
    let ticket = |room: &str| signed(&with(claims(room), "name", "Studio"), SECRET);
    let joined = crate::auth::tickets::join(&scene.server, "tea", &ticket("tea")).await.expect(201);
    let mut ann = Browser::new(scene.server.seat("tea", joined));
    let calling =
        actix_web::rt::spawn(send(scene.offering(&format!("{WHIP}?name=x"), OFFER).bearer_auth(ticket("tea"))));
    assert_eq!(ann.next("peer-joined").await["peer"]["name"], "Studio");
    let (encoder, _) = ann.until_offer().await;
    ann.answers(&encoder, &lines(&[CANDIDATE])).await;
    assert_eq!(calling.await.unwrap().status, 201);

    let scene = Scene::start(&[]);
    let mut ann = Browser::new(scene.server.join_with("tea", json!({"secret": "two lumps"})).await);
    let calling = actix_web::rt::spawn(send(scene.offering(WHIP, OFFER).bearer_auth("two lumps")));
    let (encoder, _) = ann.until_offer().await;
    ann.answers(&encoder, &lines(&[CANDIDATE])).await;
    assert_eq!(calling.await.unwrap().status, 201);
}

#[actix_web::test]
async fn any_node_serves_a_session() {
    let redis = RedisServer::shared();
    let url = redis.url_apart();
    let key = ["--token-key", "kZ3vq9TfWm1x8LrP0aYdBc"];
    let start = || Server::start(&[&["--engine", url.as_str()][..], &key].concat());
    let [one, other] = [start(), start()];
    let mut ann = Browser::new(other.join_room("tea", "Ann").await);
    let request = one.request(Method::POST, WHIP).header("content-type", SDP).body(OFFER);
    let calling = actix_web::rt::spawn(send(request));
    let (encoder, _) = ann.until_offer().await;
    ann.answers(&encoder, &lines(&[CANDIDATE])).await;
    let session = Session::begun(encoder, &calling.await.unwrap());
    assert_eq!(send(session.patching(&other, &format!("m=audio 9 X 0\r\na=mid:0\r\na={CANDIDATE}"))).await.status, 204);
    assert_eq!(ann.next("candidate").await["candidate"]["candidate"], CANDIDATE);
    ann.lives(&session.encoder).await;
    send(session.request(Method::DELETE, &other)).await.expect_ok();
    assert!(!session.goes_on(&one).await);
}

#[actix_web::test]
async fn the_path_of_a_session_has_the_base_path() {
    let scene = Scene::start(&["--base-path", "/signal"]);
    let mut ann = scene.browser("Ann").await;
    for path in [WHIP.to_owned(), format!("/signal{WHIP}")] {
        let session = scene.session_as(&mut ann, &path).await;
        assert!(session.path.starts_with("/signal/v1/rooms/tea/sessions/"), "{}", session.path);
        assert!(session.goes_on(&scene.server).await);
    }
}

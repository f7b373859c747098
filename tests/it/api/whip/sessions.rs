//! A session, from the answer to its end.

use reqwest::Method;
use serde_json::{Value, json};

use super::scene::{Browser, CANDIDATE, FRAGMENT, OFFER, SDP, Scene, Session, both};
use crate::support::{harness::send, waits::until_parked};

fn fragment(lines: &str) -> String {
    format!("a=ice-ufrag:ufr1\r\na=ice-pwd:secretsecretsecretsecret\r\nm=audio 9 RTP/AVP 0\r\n{lines}")
}

#[actix_web::test]
async fn candidates_are_passed_on_by_the_name_of_their_section() {
    for scene in both() {
        let mut ann = scene.browser("Ann").await;
        let session = scene.session(&mut ann).await;
        // As simple-whip-client does it, under a placeholder for a section.
        let lines = format!("a=mid:1\r\na={CANDIDATE}\r\na=candidate:nonsense\r\na=end-of-candidates\r\n");
        let patched = send(session.patching(&scene.server, &fragment(&lines))).await;
        assert_eq!((patched.status, patched.headers.get("etag")), (204, None));
        let expected = json!({"candidate": CANDIDATE, "sdpMid": "1", "sdpMLineIndex": 1, "usernameFragment": "ufr1"});
        assert_eq!(ann.next("candidate").await["candidate"], expected);
        assert_eq!(ann.next("candidate").await["candidate"], Value::Null);
        // A section that the offer does not have: bundled with the first.
        let unknown = fragment(&format!("a=mid:video0\r\na={CANDIDATE}"));
        assert_eq!(send(session.patching(&scene.server, &unknown)).await.status, 204);
        assert_eq!(ann.next("candidate").await["candidate"]["sdpMid"], "0");
        // A star that restarts nothing.
        let star = session.bare_patch(&scene.server, &unknown).header("if-match", "*");
        assert_eq!(send(star).await.status, 204);
    }
}

#[actix_web::test]
async fn a_patch_names_the_ice_session_and_is_a_fragment() {
    let scene = Scene::start(&[]);
    let mut ann = scene.browser("Ann").await;
    let session = scene.session(&mut ann).await;
    let good = fragment(&format!("a=mid:0\r\na={CANDIDATE}\r\n"));
    let bare = |body: &str| session.bare_patch(&scene.server, body);
    send(bare(&good)).await.refused(428, "precondition-missing");
    let weak = format!("W/{}", session.etag);
    for other in ["\"other\"", "other", weak.as_str(), ""] {
        send(bare(&good).header("if-match", other)).await.refused(412, "precondition-failed");
    }
    assert_eq!(send(bare(&good).header("if-match", format!("\"a\", {}", session.etag))).await.status, 204);
    ann.next("candidate").await;
    for (body, status, slug) in [
        ("", 400, "sdp-malformed"),
        ("hello", 400, "sdp-malformed"),
        ("m=audio 9 RTP/AVP 0", 400, "sdp-malformed"),
        (&fragment(&format!("a={CANDIDATE}\r\n").repeat(51)), 422, "invalid"),
    ] {
        send(session.patching(&scene.server, body)).await.refused(status, slug);
    }
    for kind in [SDP, "application/json", ""] {
        let patch = session.request(Method::PATCH, &scene.server).header("if-match", &session.etag);
        let refused = send(patch.header("content-type", kind).body(good.clone())).await;
        refused.refused(415, "sdp-expected");
        assert_eq!(refused.headers["accept-patch"], FRAGMENT);
    }
    send(session.patching(&scene.server, &"a=x\r\n".repeat(20_000))).await.refused(413, "body-too-large");
    assert_eq!(ann.unread().await, Vec::<Value>::new());
    assert!(session.goes_on(&scene.server).await);
}

#[actix_web::test]
async fn a_session_needs_its_url_and_its_token() {
    let scene = Scene::start(&[]);
    let secret = "two lumps";
    let mut ann = Browser::new(scene.server.join_with("tea", json!({"secret": secret, "capacity": 4})).await);
    let calling = actix_web::rt::spawn(send(scene.offering("/v1/rooms/tea/whip", OFFER).bearer_auth(secret)));
    let (encoder, _) = ann.until_offer().await;
    ann.answers(&encoder, &super::scene::lines(&[CANDIDATE])).await;
    let session = Session::begun(encoder, &calling.await.unwrap());
    let body = fragment(&format!("a=mid:0\r\na={CANDIDATE}"));
    for request in [session.patching(&scene.server, &body), session.request(Method::DELETE, &scene.server)] {
        let again = || request.try_clone().unwrap();
        send(again()).await.refused(401, "token-missing");
        send(again().bearer_auth("three lumps")).await.refused(401, "token-invalid");
        send(again().header("authorization", "Basic eA==")).await.refused(401, "token-invalid");
    }
    // Of another room, of another peer, and made up.
    let id = session.path.rsplit('/').next().unwrap();
    let forged = format!("{}{}", &id[..40], "A".repeat(id.len() - 40));
    for path in [
        format!("/v1/rooms/coffee/sessions/{id}"),
        format!("/v1/rooms/tea/sessions/{}", session.encoder.id),
        format!("/v1/rooms/tea/sessions/{forged}"),
    ] {
        let other = Session { path, etag: session.etag.clone(), encoder: session.encoder.clone() };
        send(other.request(Method::DELETE, &scene.server).bearer_auth(secret)).await.refused(404, "session-unknown");
        send(other.patching(&scene.server, &body).bearer_auth(secret)).await.refused(404, "session-unknown");
        assert!(!other.goes_on(&scene.server).await);
    }
    assert_eq!(ann.unread().await, Vec::<Value>::new());
    send(session.request(Method::DELETE, &scene.server).bearer_auth(secret)).await.expect_ok();
}

#[actix_web::test]
async fn it_ends_when_its_browser_says_goodbye_and_nobody_elses_counts() {
    for scene in both() {
        let [mut ann, ben] = [scene.browser("Ann").await, scene.browser("Ben").await];
        let session = scene.session_of(&mut ann).await;
        ben.says(&session.encoder, json!({"type": "bye"})).await;
        assert!(session.goes_on(&scene.server).await);
        // To everybody, as a page does that hangs up.
        ann.peer.batch(json!([{"type": "bye", "reason": "hung up"}])).await.expect(202);
        assert!(!session.goes_on(&scene.server).await);
        assert_eq!(ann.next("peer-left").await["reason"], "left");
        send(session.request(Method::DELETE, &scene.server)).await.refused(404, "session-unknown");
    }
}

#[actix_web::test]
async fn it_ends_without_heartbeats_even_if_others_talk_to_it() {
    let scene = Scene::start(&["--lease-ms", "4000"]);
    let mut ann = scene.browser_that_stays("Ann").await;
    let mut ben = scene.browser_that_stays("Ben").await;
    let session = scene.session_of(&mut ann).await;
    let talking = async {
        for number in 1.. {
            ben.pauses().await;
            let noise = json!({"type": "data", "data": {"whip": if number % 2 == 0 { "alive" } else { "noise" }}});
            if ben.peer.post(&session.encoder, noise).await.status != 202 {
                break;
            }
        }
    };
    let both = async { tokio::join!(ann.next("peer-left"), talking) };
    let (left, ()) = tokio::time::timeout(std::time::Duration::from_secs(60), both).await.unwrap();
    assert_eq!(left["peer"], json!(session.encoder.id));
    assert!(!session.goes_on(&scene.server).await);
}

#[actix_web::test]
async fn heartbeats_keep_it_and_fill_nothing() {
    for scene in both() {
        let [mut ann, ben] = [scene.browser("Ann").await, scene.browser("Ben").await];
        let session = scene.session_of(&mut ann).await;
        // More than a mailbox holds, and from others, too.
        for _ in 0..300 {
            ann.lives(&session.encoder).await;
            ben.lives(&session.encoder).await;
        }
        for _ in 0..20 {
            ben.says(&session.encoder, json!({"type": "data", "data": "x".repeat(60_000)})).await;
        }
        let good = fragment(&format!("a=mid:0\r\na={CANDIDATE}"));
        assert_eq!(send(session.patching(&scene.server, &good)).await.status, 204);
    }
    let scene = Scene::start(&["--lease-ms", "6000"]);
    let mut ann = scene.browser_that_stays("Ann").await;
    let session = scene.session(&mut ann).await;
    // The encoder's lease is longer at first, because it was held while it waited for the answer: for 7 s at most. Cleo's begins
    // later and with a longer hold. When it has ended, the encoder's would have, too.
    let cleo = scene.browser("Cleo").await;
    let held = actix_web::rt::spawn(send(cleo.peer.polling(0, 8.0)));
    let left = loop {
        ann.lives(&session.encoder).await;
        if let Some(left) = ann.pauses().await.into_iter().find(|message| message["type"] == "peer-left") {
            break left;
        }
    };
    assert_eq!(left["peer"], json!(cleo.peer.id));
    held.await.unwrap().expect(200);
    assert!(session.goes_on(&scene.server).await);
}

#[actix_web::test]
async fn it_ends_when_its_browser_has_left() {
    for scene in both() {
        let [mut ann, mut ben] = [scene.browser("Ann").await, scene.browser("Ben").await];
        let session = scene.session_of(&mut ann).await;
        ann.peer.leave().await.expect(204);
        let good = fragment(&format!("a=mid:0\r\na={CANDIDATE}"));
        send(session.patching(&scene.server, &good)).await.refused(404, "session-unknown");
        for gone in [&ann.peer.id, &session.encoder.id] {
            assert_eq!(ben.next("peer-left").await["peer"], json!(gone));
        }
    }
}

#[actix_web::test]
async fn options_and_get_are_answered_as_the_rfc_wants_it() {
    let scene = Scene::start(&[]);
    let mut ann = scene.browser("Ann").await;
    let session = scene.session(&mut ann).await;
    for (path, field, kind) in [
        ("/v1/rooms/tea/whip", "accept-post", SDP),
        ("/v1/rooms/tea/whep", "accept-post", SDP),
        (&session.path, "accept-patch", FRAGMENT),
    ] {
        let ask = |method| scene.server.request(method, path);
        let options = send(ask(Method::OPTIONS)).await;
        assert_eq!((options.status, &options.headers[field]), (200, &kind.parse().unwrap()));
        let refused = send(ask(Method::PUT)).await;
        refused.refused(405, "method-not-allowed");
        assert_eq!(options.headers["allow"], refused.headers["allow"]);
        for method in [Method::GET, Method::HEAD] {
            let nothing = send(ask(method)).await;
            assert_eq!((nothing.status, nothing.text.as_str()), (204, ""));
        }
    }
    let scene = Scene::start(&["--cors-origin", "*"]);
    let preflight = scene.server.request(Method::OPTIONS, "/v1/rooms/tea/whip").header("origin", "https://a.example");
    let preflight = send(preflight.header("access-control-request-method", "POST")).await;
    assert_eq!((preflight.status, &preflight.headers["accept-post"]), (200, &SDP.parse().unwrap()));
    assert!(preflight.headers["access-control-allow-methods"].to_str().unwrap().contains("PATCH"));
    let exposed =
        send(scene.server.request(Method::GET, "/v1/rooms/tea/whip").header("origin", "https://a.example")).await;
    let exposed = exposed.headers["access-control-expose-headers"].to_str().unwrap().to_owned();
    for name in ["location", "etag", "link", "retry-after", "accept-patch"] {
        assert!(exposed.contains(name), "{exposed}");
    }
}

/// While a session lasts, nothing waits for it.
#[actix_web::test]
async fn a_session_parks_no_poll() {
    let scene = Scene::start(&[]);
    let mut ann = scene.browser("Ann").await;
    let session = scene.session(&mut ann).await;
    until_parked(&scene.server, 0).await;
    assert!(session.goes_on(&scene.server).await);
}

/// A proxy, or a client that was not answered, may send a goodbye again when there is another session.
#[actix_web::test]
async fn a_goodbye_that_is_repeated_ends_no_newer_session() {
    for scene in both() {
        let mut ann = scene.browser("Ann").await;
        let first = scene.session(&mut ann).await;
        let posting = ann.peer.posting(&first.encoder, &json!({"type": "bye"}));
        let posting = posting.header("idempotency-key", "9f0c1b7e-0000-4000-8000-000000000001");
        send(posting.try_clone().unwrap()).await.expect(202);
        assert!(!first.goes_on(&scene.server).await);
        let second = scene.session(&mut ann).await;
        send(posting).await.expect(202);
        assert_eq!(first.encoder.id, second.encoder.id);
        assert!(second.goes_on(&scene.server).await);
    }
}

/// Otherwise nobody could write to everybody as long as it lasts.
#[actix_web::test]
async fn a_full_mailbox_is_emptied() {
    let flags = ["--mailbox-messages", "40"];
    for full in [39, 40] {
        let scene = Scene::start(&flags);
        let [mut ann, ben] = [scene.browser("Ann").await, scene.browser("Ben").await];
        let session = scene.session_of(&mut ann).await;
        let noise = json!({"type": "data", "data": 1, "to": session.encoder.id});
        let noise = |count: usize| ben.peer.batch(json!(vec![&noise; count]));
        // The state is one of those that a mailbox holds.
        assert_eq!(noise(full).await.status, if full == 39 { 202 } else { 429 });
        noise(39).await.expect(202);
        ann.lives(&session.encoder).await;
        let good = fragment(&format!("a=mid:0\r\na={CANDIDATE}"));
        assert_eq!(send(session.patching(&scene.server, &good)).await.status, 204);
    }
}

#[actix_web::test]
async fn a_session_ends_with_its_room_and_when_it_is_thrown_out() {
    for scene in both() {
        let mut ann = scene.browser("Ann").await;
        let room_token = ann.peer.joined["room_token"].as_str().unwrap().to_owned();
        let good = fragment(&format!("a=mid:0\r\na={CANDIDATE}"));
        let session = scene.session(&mut ann).await;
        scene.server.delete(&session.encoder.path(""), &room_token).await.expect(204);
        send(session.patching(&scene.server, &good)).await.refused(404, "session-unknown");
        send(session.request(Method::DELETE, &scene.server)).await.refused(404, "session-unknown");
        let session = scene.session_as(&mut ann, "/v1/rooms/tea/whip?name=other").await;
        scene.server.delete("/v1/rooms/tea", &room_token).await.expect(204);
        send(session.patching(&scene.server, &good)).await.refused(404, "session-unknown");
    }
}

/// It is not called, so no offer tells it that the connection is over.
#[actix_web::test]
async fn a_browser_whose_encoder_calls_another_is_told() {
    for scene in both() {
        let [mut ann, mut ben] = [scene.browser("Ann").await, scene.browser("Ben").await];
        let first = scene.session_of(&mut ann).await;
        let second = scene.session_of(&mut ben).await;
        assert_eq!(first.encoder.id, second.encoder.id);
        assert_eq!(ann.next("bye").await["reason"], "ended");
        // What it says now concerns an earlier session.
        ann.says(&second.encoder, json!({"type": "bye"})).await;
        assert!(second.goes_on(&scene.server).await);
    }
}

//! ICE restarts by PATCH.

use actix_web::rt::spawn;
use reqwest::Method;
use serde_json::{Value, json};

use super::scene::{Browser, CANDIDATE, FRAGMENT, OFFER, Scene, Session, both, lines};
use crate::support::{
    harness::{Answer, send},
    redis_server::RedisServer,
    waits::{PATIENCE, until_parked},
};

const OTHER: &str = "candidate:7 1 udp 2122260223 192.0.2.77 5000 typ host";

fn fragment() -> String {
    format!(
        "a=ice-options:trickle ice2\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\na=ice-ufrag:ufr2\r\na=ice-pwd:other\r\na={OTHER}\r\n"
    )
}

fn restarting(scene: &Scene, session: &Session, star: &str) -> actix_web::rt::task::JoinHandle<Answer> {
    spawn(send(session.bare_patch(&scene.server, &fragment()).header("if-match", star)))
}

async fn answers_again(ann: &mut Browser) -> String {
    let (encoder, offer) = ann.until_offer().await;
    ann.answers(&encoder, &lines(&[CANDIDATE])).await;
    offer
}

#[actix_web::test]
async fn a_restart_is_an_offer_with_other_credentials() {
    for scene in both() {
        let mut ann = scene.browser("Ann").await;
        let session = scene.session(&mut ann).await;
        let restarting = restarting(&scene, &session, "\"*\"");
        let offer = answers_again(&mut ann).await;
        let of_address = |line: &&str| !line.starts_with("a=candidate:whip");
        let version = offer.split(' ').nth(2).unwrap_or_default();
        assert!(version.parse::<u64>().is_ok_and(|version| version > 0), "{version}");
        let expected = OFFER
            .replace("rtc 1 0 IN", &format!("rtc 1 {version} IN"))
            .replace("ufr1", "ufr2")
            .replace("secretsecretsecretsecret", "other")
            .replacen("a=rtcp-mux\r\n", &format!("a=rtcp-mux\r\na={OTHER}\r\n"), 1);
        assert_eq!(offer.lines().filter(of_address).collect::<Vec<_>>(), expected.lines().collect::<Vec<_>>());
        let restarted = restarting.await.unwrap();
        assert_eq!((restarted.status, &restarted.headers["content-type"]), (200, &FRAGMENT.parse().unwrap()));
        for line in ["a=ice-ufrag:brow", "a=ice-pwd:ser", &format!("a={CANDIDATE}"), "a=mid:0", "a=group:BUNDLE 0 1"] {
            assert!(restarted.text.contains(line), "{line}: {}", restarted.text);
        }
        // The old ICE session is gone, and the new one is there.
        let etag = restarted.headers["etag"].to_str().unwrap().to_owned();
        let body = format!("m=audio 9 RTP/AVP 0\r\na=mid:0\r\na={CANDIDATE}");
        send(session.patching(&scene.server, &body)).await.refused(412, "precondition-failed");
        let session = Session { etag, ..session };
        assert_eq!(send(session.patching(&scene.server, &body)).await.status, 204);
        assert_eq!(ann.next("candidate").await["candidate"]["candidate"], CANDIDATE);
        // Credentials that are new are a restart, whatever `If-Match` says; those in force are none.
        let same = session.patching(&scene.server, &fragment());
        assert_eq!(send(same).await.status, 204);
        send(session.request(Method::DELETE, &scene.server)).await.expect_ok();
    }
}

#[actix_web::test]
async fn a_restart_that_the_browser_refuses_changes_nothing() {
    let scene = Scene::start(&[]);
    let mut ann = scene.browser("Ann").await;
    let session = scene.session(&mut ann).await;
    let restarting = restarting(&scene, &session, "*");
    let (encoder, _) = ann.until_offer().await;
    ann.says(&encoder, json!({"type": "answer", "sdp": "v=0\r\nm=audio 0 X 0\r\n"})).await;
    let refused = restarting.await.unwrap();
    refused.refused(503, "nobody-answered");
    assert!(refused.headers.contains_key("retry-after"));
    let body = format!("m=audio 9 RTP/AVP 0\r\na=mid:0\r\na={CANDIDATE}");
    assert_eq!(send(session.patching(&scene.server, &body)).await.status, 204);
}

#[actix_web::test]
async fn a_browser_that_hangs_up_instead_ends_the_session() {
    for scene in both() {
        let mut ann = scene.browser("Ann").await;
        let session = scene.session(&mut ann).await;
        let restarting = restarting(&scene, &session, "*");
        let (encoder, _) = ann.until_offer().await;
        ann.says(&encoder, json!({"type": "bye"})).await;
        restarting.await.unwrap().refused(404, "session-unknown");
        assert!(!session.goes_on(&scene.server).await);
    }
}

/// The state of the session is with the request that waits, and must not be lost with it.
#[actix_web::test]
async fn an_encoder_that_hangs_up_while_it_restarts_has_its_session_still() {
    for scene in both() {
        let mut ann = scene.browser("Ann").await;
        let session = scene.session(&mut ann).await;
        let restarting = restarting(&scene, &session, "*");
        ann.until_offer().await;
        until_parked(&scene.server, 1).await;
        restarting.abort();
        until_parked(&scene.server, 0).await;
        let body = format!("m=audio 9 RTP/AVP 0\r\na=mid:0\r\na={CANDIDATE}");
        // It is put back by a task of its own.
        let passed_on = async { while send(session.patching(&scene.server, &body)).await.status != 204 {} };
        tokio::time::timeout(PATIENCE, passed_on).await.unwrap();
        // While it waits, another cannot; and DELETE always can.
        let restarting = self::restarting(&scene, &session, "*");
        ann.until_offer().await;
        let other = send(session.patching(&scene.server, &body)).await;
        other.refused(503, "nobody-answered");
        assert!(other.headers.contains_key("retry-after"));
        send(session.request(Method::DELETE, &scene.server)).await.expect_ok();
        restarting.await.unwrap().refused(404, "session-unknown");
        assert_eq!(ann.next("bye").await["reason"], "ended");
        assert_eq!(ann.next("peer-left").await["peer"], Value::from(session.encoder.id));
    }
}

/// Each would wait in the same mailbox, and they would wake each other.
#[actix_web::test]
async fn of_several_restarts_at_once_one_is_carried_out() {
    for scene in both() {
        let mut ann = scene.browser("Ann").await;
        let session = scene.session(&mut ann).await;
        let restarts: Vec<_> = (0..4).map(|_| restarting(&scene, &session, "*")).collect();
        let refused = async {
            while restarts.iter().filter(|restart| restart.is_finished()).count() < 3 {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, refused).await.unwrap();
        answers_again(&mut ann).await;
        let mut statuses = Vec::new();
        for restart in restarts {
            statuses.push(restart.await.unwrap().status);
        }
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 503, 503, 503]);
        assert_eq!(ann.unread().await, Vec::<Value>::new());
    }
}

/// It cannot put back the state of the session. Without that, each PATCH would be refused, and no goodbye would count.
#[actix_web::test]
async fn a_node_that_stops_while_ice_restarts_ends_the_session() {
    let redis = RedisServer::shared();
    let url = redis.url_apart();
    let flags = ["--engine", url.as_str(), "--token-key", "kZ3vq9TfWm1x8LrP0aYdBc"];
    let [scene, other] = [Scene::start(&flags), Scene::start(&flags)];
    let mut ann = other.browser("Ann").await;
    let session = scene.session(&mut ann).await;
    let restarting = restarting(&scene, &session, "*");
    ann.until_offer().await;
    until_parked(&scene.server, 1).await;
    scene.server.stop();
    restarting.await.unwrap().refused(503, "draining");
    assert_eq!(ann.next("peer-left").await["peer"], Value::from(session.encoder.id.as_str()));
    assert!(!session.goes_on(&other.server).await);
}

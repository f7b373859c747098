//! What belongs to an earlier offer of the same encoder, and arrives while a later one is waited for. An encoder that gave up and calls
//! again keeps its peer id, so a browser's late words reach the mailbox of the new call.

use actix_web::rt::{spawn, task::JoinHandle};
use reqwest::Method;
use serde_json::{Value, json};

use super::scene::{Browser, CANDIDATE, OFFER, Scene, Session, answer, both, lines};
use crate::support::{
    harness::{Answer, Peer, send},
    waits::{PATIENCE, until_parked},
};

const WHIP: &str = "/v1/rooms/tea/whip";

/// The offer of this encoder's connection with this number.
fn offer(number: u8, direction: &str) -> String {
    OFFER
        .replace("rtc 1 0", &format!("rtc {number} 0"))
        .replace("ufr1", &format!("ufr{number}"))
        .replace("sendonly", direction)
}

fn calling(scene: &Scene, number: u8) -> JoinHandle<Answer> {
    spawn(send(scene.offering(WHIP, &offer(number, "sendonly"))))
}

/// An offer that a browser has, and what it says about it.
struct Rung {
    encoder: Peer,
    call: Value,
}

impl Rung {
    async fn of(browser: &mut Browser) -> Self {
        let offer = browser.next("offer").await;
        Self { encoder: browser.encoder(&offer), call: offer["call"].clone() }
    }

    async fn says(&self, browser: &Browser, mut message: Value) {
        message["call"] = self.call.clone();
        browser.says(&self.encoder, message).await;
    }

    /// An answer whose candidate has this port.
    async fn answers(&self, browser: &Browser, port: u16) {
        self.says(browser, json!({"type": "answer", "sdp": answer(&lines(&[&candidate(port)]))})).await;
    }
}

fn candidate(port: u16) -> String {
    CANDIDATE.replace("54400", &port.to_string())
}

fn restarting(scene: &Scene, session: &Session, ufrag: &str) -> JoinHandle<Answer> {
    let fragment = format!("m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\na=ice-ufrag:{ufrag}\r\na=ice-pwd:other\r\n");
    spawn(send(session.bare_patch(&scene.server, &fragment).header("if-match", "*")))
}

/// A restart that its encoder gave up. The state of the session is back.
async fn abandoned_restart(scene: &Scene, session: &Session, ann: &mut Browser) -> Rung {
    let restarting = restarting(scene, session, "ufr2");
    let first = Rung::of(ann).await;
    until_parked(&scene.server, 1).await;
    restarting.abort();
    until_parked(&scene.server, 0).await;
    let put_back = async { while send(session.patching(&scene.server, "a=end-of-candidates")).await.status != 204 {} };
    tokio::time::timeout(PATIENCE, put_back).await.unwrap();
    first
}

#[actix_web::test]
async fn an_answer_to_a_replaced_request_is_not_the_answer_to_the_next() {
    for (kind, direction) in [("whip", "sendonly"), ("whep", "recvonly")] {
        for scene in both() {
            let mut ann = scene.browser("Ann").await;
            let path = format!("/v1/rooms/tea/{kind}");
            let calls = |number| spawn(send(scene.offering(&path, &offer(number, direction))));
            let older = calls(1);
            let first = Rung::of(&mut ann).await;
            let newer = calls(2);
            older.await.unwrap().refused(409, "poll-superseded");
            let second = Rung::of(&mut ann).await;
            assert_eq!(first.encoder.id, second.encoder.id);
            for (rung, port) in [(&first, 1111), (&second, 2222)] {
                let sdp = answer(&lines(&[&candidate(port)])).replace("recvonly", "sendrecv");
                rung.says(&ann, json!({"type": "answer", "sdp": sdp})).await;
            }
            let begun = newer.await.unwrap();
            assert!(begun.status == 201 && begun.text.contains("2222") && !begun.text.contains("1111"), "{begun:?}");
        }
    }
}

/// A proxy or an encoder that sends the same request again. A browser takes the second offer for a repetition, and does not answer it.
#[actix_web::test]
async fn an_offer_that_is_repeated_is_answered_by_the_answer_to_either() {
    for scene in both() {
        let mut ann = scene.browser("Ann").await;
        let older = calling(&scene, 1);
        let first = Rung::of(&mut ann).await;
        let newer = calling(&scene, 1);
        older.await.unwrap().refused(409, "poll-superseded");
        let second = Rung::of(&mut ann).await;
        assert_eq!((first.call.is_string(), &first.call), (true, &second.call));
        first.answers(&ann, 1111).await;
        assert_eq!(newer.await.unwrap().status, 201);
    }
}

/// The seat was free in between, and the mailbox is a new one.
#[actix_web::test]
async fn an_answer_to_a_request_that_was_given_up_is_not_the_answer_to_the_next() {
    for scene in both() {
        let mut ann = scene.browser("Ann").await;
        let older = calling(&scene, 1);
        let first = Rung::of(&mut ann).await;
        older.abort();
        ann.next("peer-left").await;
        let newer = calling(&scene, 2);
        let second = Rung::of(&mut ann).await;
        first.answers(&ann, 1111).await;
        second.answers(&ann, 2222).await;
        let begun = newer.await.unwrap();
        assert!(begun.status == 201 && begun.text.contains("2222") && !begun.text.contains("1111"), "{begun:?}");
    }
}

#[actix_web::test]
async fn an_answer_to_a_restart_that_was_given_up_is_not_the_answer_to_the_next() {
    for scene in both() {
        let mut ann = scene.browser("Ann").await;
        let session = scene.session(&mut ann).await;
        let first = abandoned_restart(&scene, &session, &mut ann).await;
        let restarting = restarting(&scene, &session, "ufr3");
        let second = Rung::of(&mut ann).await;
        first.answers(&ann, 1111).await;
        second.answers(&ann, 2222).await;
        let restarted = restarting.await.unwrap();
        assert!(restarted.status == 200 && restarted.text.contains("2222"), "{restarted:?}");
        assert!(!restarted.text.contains("1111"), "{restarted:?}");
    }
}

/// Pages answer an offer once. An encoder that repeated its request got 503 for ever, because its page took the offer for a copy.
#[actix_web::test]
async fn a_restart_that_is_tried_again_with_the_same_credentials_is_another_offer() {
    for scene in both() {
        let mut ann = scene.browser("Ann").await;
        let session = scene.session(&mut ann).await;
        let first = abandoned_restart(&scene, &session, &mut ann).await;
        let restarting = restarting(&scene, &session, "ufr2");
        let second = Rung::of(&mut ann).await;
        assert_ne!(first.call, second.call);
        second.answers(&ann, 2222).await;
        assert_eq!(restarting.await.unwrap().status, 200);
    }
}

#[actix_web::test]
async fn candidates_of_an_earlier_answer_are_not_merged_into_the_next() {
    for scene in both() {
        let mut ann = scene.browser("Ann").await;
        let older = calling(&scene, 1);
        let first = Rung::of(&mut ann).await;
        let newer = calling(&scene, 2);
        older.await.unwrap().refused(409, "poll-superseded");
        let second = Rung::of(&mut ann).await;
        let trickle = |port, ufrag: Option<&str>| {
            let init = json!({"candidate": candidate(port), "sdpMid": "0", "usernameFragment": ufrag});
            json!({"type": "candidate", "candidate": init})
        };
        first.says(&ann, trickle(1111, None)).await;
        // Those of a client that repeats no mark tell by their credentials.
        ann.says(&second.encoder, trickle(3333, Some("old"))).await;
        first.says(&ann, json!({"type": "candidate", "candidate": null})).await;
        second.says(&ann, json!({"type": "answer", "sdp": answer("")})).await;
        second.says(&ann, trickle(2222, Some("brow"))).await;
        ann.says(&second.encoder, trickle(4444, None)).await;
        second.says(&ann, json!({"type": "candidate", "candidate": null})).await;
        let begun = newer.await.unwrap();
        let has = |port: u16| begun.text.contains(&port.to_string());
        assert_eq!([1111, 2222, 3333, 4444].map(has), [false, true, false, true], "{begun:?}");
    }
}

/// The page sends it before it has read the later offer.
#[actix_web::test]
async fn a_goodbye_to_an_earlier_call_neither_declines_nor_ends_the_next() {
    for scene in both() {
        let mut ann = scene.browser("Ann").await;
        let older = calling(&scene, 1);
        let first = Rung::of(&mut ann).await;
        first.answers(&ann, 1111).await;
        assert_eq!(older.await.unwrap().status, 201);
        let newer = calling(&scene, 2);
        let second = Rung::of(&mut ann).await;
        first.says(&ann, json!({"type": "bye", "reason": "failed"})).await;
        second.answers(&ann, 2222).await;
        let session = Session::begun(second.encoder.clone(), &newer.await.unwrap());
        first.says(&ann, json!({"type": "bye", "reason": "failed"})).await;
        assert!(session.goes_on(&scene.server).await);
        second.says(&ann, json!({"type": "bye", "reason": "failed"})).await;
        assert!(!session.goes_on(&scene.server).await);
    }
}

/// A restart keeps the connection, whichever of its offers the browser had heard of when it hung up.
#[actix_web::test]
async fn a_goodbye_counts_for_all_offers_of_a_session() {
    for scene in both() {
        let mut ann = scene.browser("Ann").await;
        let calling = scene.calls(WHIP);
        let first = Rung::of(&mut ann).await;
        first.answers(&ann, 1111).await;
        let session = Session::begun(first.encoder.clone(), &calling.await.unwrap());
        let restarting = restarting(&scene, &session, "ufr2");
        let second = Rung::of(&mut ann).await;
        assert_ne!(first.call, second.call);
        first.says(&ann, json!({"type": "bye", "reason": "failed"})).await;
        restarting.await.unwrap().refused(404, "session-unknown");
        send(session.request(Method::DELETE, &scene.server)).await.refused(404, "session-unknown");
    }
}

/// Written by hand, or by somebody else's client.
#[actix_web::test]
async fn an_answer_without_a_mark_is_taken_if_it_fits_the_offer() {
    let scene = Scene::start(&[]);
    let mut ann = scene.browser("Ann").await;
    let good = answer(&lines(&[CANDIDATE]));
    let swapped = good.replace("m=audio", "m=x").replace("m=video", "m=audio").replace("m=x", "m=video");
    for (sdp, status) in [(&good.replace("a=mid:1", "a=mid:7"), 503), (&swapped, 503), (&good, 201)] {
        let calling = scene.calls(WHIP);
        let rung = Rung::of(&mut ann).await;
        ann.says(&rung.encoder, json!({"type": "answer", "sdp": sdp})).await;
        let answered = calling.await.unwrap();
        assert_eq!(answered.status, status, "{answered:?}");
    }
}

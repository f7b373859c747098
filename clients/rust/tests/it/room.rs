//! Rooms, as a program uses them. What can go wrong on the way is the kit's: clients/conformance.

use serde_json::{Map, Value, json};
use signalpost_client::{Candidate, Ending, Error, Event, LeaveReason, Signal, State};

use crate::support::{BRIEF, Server, arrival, data, departure, message, say, until};

#[tokio::test]
async fn two_members_see_and_hear_each_other() {
    let server = Server::start();
    let (ann, mut ann_events) =
        server.room("tea").name("Ann").metadata(json!({"lang": "en"})).capacity(3).await.unwrap();
    let (ben, mut ben_events) = server.room("tea").name("Ben").await.unwrap();
    assert!(ann.created() && !ben.created());
    assert_eq!((ann.name(), ann.state()), ("tea", State::Connected));
    let other = &ben.peers()[0];
    assert_eq!(
        (other.id.as_str(), other.name.as_str(), &other.metadata),
        (ann.me().id.as_str(), "Ann", &json!({"lang": "en"}))
    );
    assert!(ben.me().order > other.order);
    assert_eq!(arrival(&mut ann_events).await.name, "Ben");
    assert_eq!(ann.peer(&ben.me().id).unwrap().name, "Ben");

    let candidate = Candidate {
        candidate: "candidate:1 1 udp 2122260223 192.0.2.1 54321 typ host".to_owned(),
        sdp_mid: Some("0".to_owned()),
        sdp_m_line_index: Some(0),
        username_fragment: None,
    };
    let signals = [
        Signal::Offer("v=0".to_owned()),
        Signal::Candidate(Some(candidate)),
        Signal::Candidate(None),
        Signal::Answer("v=0".to_owned()),
        Signal::Data(json!({"deep": [1, null]})),
        Signal::Data(Value::Null),
        Signal::Bye(Some("tired".to_owned())),
        Signal::Bye(None),
    ];
    for signal in &signals {
        drop(ann.send(&ben.me().id, signal.clone()));
    }
    for signal in signals {
        let heard = message(&mut ben_events).await;
        assert_eq!((heard.signal, heard.from, heard.peer.unwrap().name.as_str()), (signal, ann.me().id.clone(), "Ann"));
    }
    let sent = ben.send_to_all(Signal::Data("all".into())).await.unwrap();
    assert_eq!((sent.seq, sent.receipts.len(), sent.receipts[0].to.as_str()), (None, 1, ann.me().id.as_str()));
    assert_eq!(data(&mut ann_events).await, "all");
    ann.leave().await;
    assert_eq!(departure(&mut ben_events).await, (ann.me().id.clone(), "left".to_owned()));
    assert_eq!(ann.state(), State::Ended(Ending::Closed));
    assert!(ann_events.next().await.is_some() && ann_events.next().await.is_none());
    assert!(matches!(ann.send_to_all(Signal::Bye(None)).await, Err(Error::Ended(Ending::Closed))));
}

#[tokio::test]
async fn further_members_are_passed_on() {
    let server = Server::start();
    let (ann, mut events) = server.room("tea").await.unwrap();
    let (ben, _ben) = server.room("tea").await.unwrap();
    let more = Map::from_iter([("trackNames".to_owned(), json!(["a", "b"]))]);
    ben.send_with(Some(&ann.me().id), Signal::Offer("v=0".to_owned()), more.clone()).await.unwrap();
    assert_eq!(message(&mut events).await.more, more);
    let forged = Map::from_iter([("From".to_owned(), json!("somebody"))]);
    let refused = ben.send_with(Some(&ann.me().id), Signal::Bye(None), forged).await;
    assert!(matches!(refused, Err(Error::Problem(problem)) if problem.status == 422));
    say(&ben, &ann.me().id, "after");
    assert_eq!(data(&mut events).await, "after");
}

#[tokio::test]
async fn a_refusal_is_told_and_wrong_arguments_send_nothing() {
    let server = Server::start();
    let (_ann, _events) = server.room("tea").secret("milk and sugar").await.unwrap();
    let slug = |joined: Result<_, Error>| joined.map(drop).unwrap_err().slug().map(str::to_owned);
    assert_eq!(slug(server.room("tea").await).as_deref(), Some("secret-missing"));
    assert_eq!(slug(server.room("tea").secret("lemon and honey").await).as_deref(), Some("secret-wrong"));
    assert!(server.room("tea").secret("milk and sugar").await.is_ok());
    for (base, room) in [(server.base.as_str(), ".."), ("not a URL", "tea"), ("ftp://example.org", "tea")] {
        let refused = signalpost_client::join(base, room).await;
        assert!(matches!(refused, Err(Error::Invalid(_))), "{base} {room}");
    }
}

#[tokio::test]
async fn only_the_creator_can_close_a_room_and_all_are_told() {
    let server = Server::start();
    let (ann, mut ann_events) = server.room("tea").await.unwrap();
    let (ben, mut ben_events) = server.room("tea").await.unwrap();
    assert!(matches!(ben.close().await, Err(Error::Invalid(_))));
    ann.close().await.unwrap();
    for events in [&mut ann_events, &mut ben_events] {
        until(events, |event| matches!(event, Event::RoomClosed).then_some(())).await;
        until(events, |event| matches!(event, Event::State { state: State::Ended(Ending::Closed), .. }).then_some(()))
            .await;
        assert!(events.next().await.is_none());
    }
}

#[tokio::test]
async fn who_crashed_is_told_of_after_the_lease() {
    let server = Server::with(&BRIEF);
    let (_ann, mut events) = server.room("tea").await.unwrap();
    drop(server.room("tea").await.unwrap());
    arrival(&mut events).await;
    let reason =
        until(&mut events, |event| if let Event::PeerLeft { reason, .. } = event { Some(*reason) } else { None }).await;
    assert_eq!(reason, LeaveReason::Expired);
}

//! Sealed rooms, through the server.

use serde_json::{Map, json};
use signalpost_client::{Error, Event, RoomKey, Signal, Trouble, Why};

use crate::support::{Server, arrival, data, message, say, until};

#[tokio::test]
async fn members_with_the_key_hear_each_other_and_others_see_nothing() {
    let server = Server::start();
    let key = RoomKey::new();
    let (ann, mut events) =
        server.room("tea").name("Ann").metadata(json!({"a": 1})).key(key.clone()).capacity(3).await.unwrap();
    let (ben, mut ben_events) = server.room("tea").name("Ben").key(key.to_text().parse().unwrap()).await.unwrap();
    assert_eq!((ben.key().unwrap(), ben.me().name.as_str()), (key, "Ben"));
    assert_eq!((ben.peers()[0].name.as_str(), &ben.peers()[0].metadata), ("Ann", &json!({"a": 1})));
    assert_eq!(arrival(&mut events).await.name, "Ben");
    let (stranger, mut strange_events) = server.room("tea").name("Eve").await.unwrap();
    let shown = format!("{:?}", stranger.peers());
    assert!(!shown.contains("Ann") && !shown.contains("Ben"), "{shown}");
    for number in 0..50 {
        say(&ben, &ann.me().id, number);
    }
    drop(ben.send_to_all(Signal::Offer("v=0 secret".to_owned())));
    for number in 0..50 {
        assert_eq!(data(&mut events).await, number);
    }
    assert_eq!(message(&mut events).await.signal, Signal::Offer("v=0 secret".to_owned()));
    let Signal::Offer(sdp) = message(&mut strange_events).await.signal else { panic!("an offer") };
    assert!(sdp.starts_with("1.") && !sdp.contains("secret"));
    say(&ann, &ben.me().id, "back");
    assert_eq!(data(&mut ben_events).await, "back");
}

#[tokio::test]
async fn what_peers_lack_is_told() {
    let server = Server::start();
    let (ann, mut events) = server.room("tea").key(RoomKey::new()).capacity(3).await.unwrap();
    for (name, key, trouble, why) in [
        ("no key", None, Trouble::NoKey, Why::Unsealed),
        ("another", Some(RoomKey::new()), Trouble::AnotherKey, Why::Unreadable),
    ] {
        let joining = server.room("tea").name(name);
        let (peer, _peer_events) = if let Some(key) = key { joining.key(key) } else { joining }.await.unwrap();
        let id = peer.me().id.clone();
        let arrived = arrival(&mut events).await;
        assert_eq!((arrived.id.as_str(), arrived.name.as_str()), (id.as_str(), ""));
        let told = until(&mut events, |event| {
            if let Event::Trouble { peer, trouble } = event { Some((peer.id.clone(), *trouble)) } else { None }
        });
        assert_eq!(told.await, (id.clone(), Some(trouble)));
        assert_eq!(ann.troubles().get(&id), Some(&trouble));
        say(&peer, &ann.me().id, "let me in");
        let refused =
            until(&mut events, |event| if let Event::Refused { why, .. } = event { Some(*why) } else { None });
        assert_eq!(refused.await, why);
    }
}

#[tokio::test]
async fn what_would_stay_readable_is_not_sent() {
    let server = Server::start();
    let (ann, _events) = server.room("tea").key(RoomKey::new()).await.unwrap();
    let more = Map::from_iter([("label".to_owned(), json!("secret"))]);
    assert!(matches!(ann.send_with(None, Signal::Bye(None), more).await, Err(Error::Invalid(_))));
    let refused = server.room("coffee").name("x".repeat(65)).key(RoomKey::new()).await;
    assert!(matches!(refused, Err(Error::Invalid(_))));
}

#[tokio::test]
async fn a_passphrase_is_a_key() {
    let server = Server::start();
    let (ann, mut events) = server.room("tea").name("Ann").passphrase("correct horse battery staple").await.unwrap();
    let key = RoomKey::from_passphrase("correct horse battery staple", "tea").unwrap();
    let (ben, _ben) = server.room("tea").key(key).await.unwrap();
    assert_eq!(ben.peers()[0].name, "Ann");
    say(&ben, &ann.me().id, "hello");
    assert_eq!(data(&mut events).await, "hello");
}

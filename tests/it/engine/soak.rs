//! Many rooms leave nothing behind in Redis. `SOAK_ROOMS` sets how many (default 5,000; 100,000 take minutes in an unoptimized
//! build).

use std::time::Duration;

use futures_util::{StreamExt, stream};
use signalpost::{
    clock::Clock,
    domain::{KeyedRequest, Limits, Payload, PeerId, Post, RoomName, Target},
    engine::{Engine, PollRequest},
};

use crate::support::{engine_calls::visitor, engine_clock::engine_at, redis_server::RedisServer};

/// Concurrent operations.
const AT_ONCE: usize = 32;

#[tokio::test(start_paused = true)]
async fn redis_is_empty_after_all_leases_expire() {
    let rooms = std::env::var("SOAK_ROOMS").ok().and_then(|text| text.parse().ok()).unwrap_or(5_000);
    let redis = RedisServer::start(&["--save", ""]);
    let limits = Limits { lease: Duration::from_secs(2), rooms: usize::MAX, ..Limits::default() };
    let nodes = [(); 2].map(|()| engine_at(&redis.url(), limits.clone(), Clock::start_driven()));
    stream::iter(0..rooms).for_each_concurrent(AT_ONCE, |number| live(&nodes, number)).await;
    assert_eq!(nodes[0].stats().await.rooms as u64, rooms);
    let sweepers = nodes.each_ref().map(|node| {
        let node = node.clone();
        tokio::spawn(async move { node.sweep().await })
    });
    while nodes[0].stats().await.rooms > 0 {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(redis.cli(&["dbsize"]), "0", "{}", redis.cli(&["--scan"]));
    let told: u64 = nodes[0].stats().await.counters.expired + nodes[1].stats().await.counters.expired;
    assert_eq!(told, 2 * rooms);
    sweepers.iter().for_each(|sweeper| sweeper.abort());
}

/// Two peers, a read and an unread message, and a remembered response.
async fn live([one, two]: &[Engine; 2], number: u64) {
    let name = RoomName::parse(&format!("room-{number}")).unwrap();
    let (ann, ben) = (one.join(&name, visitor(1)).await.unwrap(), two.join(&name, visitor(2)).await.unwrap());
    let keyed = Some(KeyedRequest { key: number.into(), request: 0 });
    let text = |to: PeerId| Target { to: Some(to), payload: Payload::new("hello") };
    let post = Post { targets: vec![text(ann.card.id), text(ben.card.id)], keyed };
    one.post(&name, ben.card.id, post).await.unwrap();
    let batch = two.receive(&name, ann.card.id, PollRequest::default(), Duration::ZERO).await.unwrap();
    let asked = PollRequest { after: Some(batch.cursor), page: None };
    assert!(one.receive(&name, ann.card.id, asked, Duration::ZERO).await.unwrap().messages.is_empty());
}

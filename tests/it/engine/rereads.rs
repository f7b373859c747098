//! Polls that read again after Redis was briefly lost: one whose reread fails, and a thousand at once.

use std::time::Duration;

use signalpost::domain::{Identity, Limits, PeerId, RoomName, Seq, Visitor};
use tokio::task::JoinSet;

use crate::support::{
    engine_calls::{asked, id, is_pending, join, room, text, visitor},
    engine_clock::EngineClock,
    redis_link::RedisLink,
    redis_server::RedisServer,
};

const POLLS: usize = 1_000;
/// `MAX_CONCURRENT_REREADS` in `engine/redis/mod.rs`.
const AT_ONCE: usize = 128;
/// Longer than any test takes.
const HOLD: Duration = Duration::from_secs(3600);
const PATIENCE: Duration = Duration::from_secs(100);
/// Of `engine/redis/connection/router.rs`.
const RESPONSE_TIMEOUT: Duration = Duration::from_millis(800);

#[track_caller]
fn until(is_so: impl Fn() -> bool) -> impl Future<Output = ()> {
    let at = std::panic::Location::caller();
    async move {
        let asking = async {
            while !is_so() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, asking).await.unwrap_or_else(|_| panic!("waited in vain at {at}"));
    }
}

// It used to end with `engine-unavailable`.
#[tokio::test]
async fn a_parked_poll_survives_a_failed_reread() {
    let redis = RedisServer::start(&["--save", ""]);
    let link = RedisLink::to(&redis).await;
    let (engine, clock) = EngineClock::engine_behind(&link, Limits { lease: HOLD, ..Limits::default() }).await;
    join(&engine, 1).await;
    let waiting = tokio::spawn({
        let engine = engine.clone();
        async move { engine.receive(&room("r"), id(1), asked(0, None), HOLD).await }
    });
    until(|| link.asked() >= 2).await;

    link.hold();
    redis.cli(&["client", "kill", "type", "pubsub"]);
    // The health check runs, and the poll reads again.
    clock.advance(Duration::from_millis(250)).await;
    until(|| link.asked() >= 3).await;
    // What it reads does not come in time.
    clock.advance(RESPONSE_TIMEOUT + Duration::from_millis(1)).await;
    link.release();
    tokio::time::timeout(PATIENCE, engine.post(&room("r"), id(1), text(1, "x"))).await.unwrap().unwrap();
    let told = tokio::time::timeout(PATIENCE, waiting).await.unwrap().unwrap();
    assert_eq!(told.unwrap().messages.len(), 1);
}

fn own(number: usize) -> (RoomName, PeerId) {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    (room(&format!("room-{number}")), PeerId::from_bytes(bytes))
}

// If all read at once, most would time out in the queue, and their failures would make all read again, forever.
#[tokio::test]
async fn a_thousand_polls_reread_128_at_a_time_after_a_lost_connection() {
    let redis = RedisServer::start(&["--save", ""]);
    let link = RedisLink::to(&redis).await;
    let limits = Limits { rooms: 100_000, lease: HOLD, ..Limits::default() };
    let (engine, clock) = EngineClock::engine_behind(&link, limits).await;
    let mut polls = JoinSet::new();
    for number in 0..POLLS {
        let (room, id) = own(number);
        let identity = Identity::Returning { id, restart: Seq::START };
        let joined = engine.join(&room, Visitor { identity, ..visitor(1) }).await.unwrap();
        let (engine, asked) = (engine.clone(), asked(joined.cursor.get(), None));
        polls.spawn(async move { engine.receive(&room, id, asked, HOLD).await });
    }
    until(|| link.asked() == 2 * POLLS).await;

    link.hold();
    redis.cli(&["client", "kill", "type", "pubsub"]);
    // The health check runs.
    clock.advance(Duration::from_millis(250)).await;
    until(|| link.asked() >= 2 * POLLS + AT_ONCE).await;
    // Other calls do not queue behind them.
    let (room, id) = own(0);
    let mut post = Box::pin(engine.post(&room, id, text(9, "to nobody")));
    assert!(is_pending(&mut post));
    clock.advance(Duration::ZERO).await;
    let mut asked = 2 * POLLS + AT_ONCE + 1;
    until(|| link.asked() >= asked).await;
    assert_eq!(link.asked(), asked);
    link.let_pass(1);

    // Five hundred a second: not all fit into the queue time-out of a call.
    while asked < 3 * POLLS + 1 {
        clock.advance(Duration::from_millis(250)).await;
        let more = AT_ONCE.min(3 * POLLS + 1 - asked);
        link.let_pass(more);
        asked += more;
        until(|| link.asked() >= asked).await;
    }
    link.release();
    // The rights check is one more call.
    until(|| redis.calls("evalsha") > 3 * POLLS + 1).await;
    assert_eq!(link.asked(), 3 * POLLS + 1);
    assert!(polls.try_join_next().is_none());
}

//! The limit on calls in flight to a Redis server, and the fate of queued calls. The tests decide which calls reach Redis and when
//! time-outs fire.

use std::time::Duration;

use signalpost::{
    domain::{Accepted, Limits, Refusal},
    engine::Engine,
};
use tokio::{task::JoinSet, time::timeout};

use crate::support::{
    engine_calls::{id, is_pending, join, room, text},
    engine_clock::EngineClock,
    redis_link::RedisLink,
    redis_server::RedisServer,
};

/// `MAX_IN_FLIGHT` in `engine/redis/connection/server.rs`.
const AT_ONCE: usize = 256;
/// Calls queued beyond that.
const WAITING: usize = 44;
const PATIENCE: Duration = Duration::from_secs(100);
/// Scripts to load.
const SCRIPTS: usize = 17;

/// A peer that posts to itself.
struct Poster {
    redis: RedisServer,
    link: RedisLink,
    clock: EngineClock,
    engine: Engine,
    posts: JoinSet<Result<Accepted, Refusal>>,
    ends: Ends,
    /// Calls made before the first post.
    before: usize,
}

/// Outcomes of the posts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Ends {
    answered: usize,
    not_sent: usize,
    perhaps_done: usize,
}

impl Poster {
    /// Holds back all posts from now on.
    async fn start() -> Self {
        let redis = RedisServer::start(&["--save", ""]);
        let link = RedisLink::to(&redis).await;
        let limits = Limits {
            lease: Duration::from_secs(3600),
            mailbox_messages: 1_000_000,
            mailbox_bytes: usize::MAX,
            ..Limits::default()
        };
        let (engine, clock) = EngineClock::engine_behind(&link, limits).await;
        join(&engine, 1).await;
        link.hold();
        let before = link.asked();
        Self { redis, link, clock, engine, posts: JoinSet::new(), ends: Ends::default(), before }
    }

    /// Starts that many posts: when this returns, each is in flight or queued.
    async fn begin(&mut self, count: usize) {
        for _ in 0..count {
            let engine = self.engine.clone();
            let mut post = Box::pin(async move { engine.post(&room("r"), id(1), text(1, "x")).await });
            assert!(is_pending(&mut post));
            self.posts.spawn(post);
        }
        self.clock.advance(Duration::ZERO).await;
    }

    /// Waits until that many posts were sent.
    async fn sent(&self, count: usize) {
        let sending = async {
            while self.link.asked() - self.before < count {
                tokio::task::yield_now().await;
            }
        };
        timeout(PATIENCE, sending).await.unwrap();
        assert_eq!(self.link.asked() - self.before, count);
    }

    /// Waits until that many posts have ended.
    async fn ended(&mut self, count: usize) -> Ends {
        while self.ends.all() < count {
            match timeout(PATIENCE, self.posts.join_next()).await.unwrap().unwrap().unwrap() {
                Ok(_) => self.ends.answered += 1,
                Err(Refusal::EngineUnavailable { perhaps_done: true }) => self.ends.perhaps_done += 1,
                Err(Refusal::EngineUnavailable { perhaps_done: false }) => self.ends.not_sent += 1,
                Err(refusal) => panic!("{refusal:?}"),
            }
        }
        self.ends
    }

    async fn nobody_more_has_ended(&mut self) {
        // Their results come from another thread to tasks of this one.
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        assert!(self.posts.try_join_next().is_none());
    }
}

impl Ends {
    fn all(&self) -> usize {
        self.answered + self.not_sent + self.perhaps_done
    }
}

#[tokio::test]
async fn at_most_256_calls_are_in_flight() {
    let mut poster = Poster::start().await;
    poster.begin(AT_ONCE + WAITING).await;
    poster.sent(AT_ONCE).await;
    for answered in 1..=WAITING {
        poster.link.let_pass(1);
        poster.ended(answered).await;
        poster.sent(AT_ONCE + answered).await;
    }
    poster.link.release();
    let all = AT_ONCE + WAITING;
    assert_eq!(poster.ended(all).await, Ends { answered: all, ..Ends::default() });
}

#[tokio::test]
async fn a_call_queued_for_300_ms_fails_unsent() {
    let mut poster = Poster::start().await;
    poster.begin(AT_ONCE + WAITING).await;
    poster.sent(AT_ONCE).await;
    poster.clock.advance(Duration::from_millis(299)).await;
    poster.nobody_more_has_ended().await;
    poster.clock.advance(Duration::from_millis(2)).await;
    assert_eq!(poster.ended(WAITING).await, Ends { not_sent: WAITING, ..Ends::default() });
    poster.nobody_more_has_ended().await;

    poster.link.release();
    let all = AT_ONCE + WAITING;
    assert_eq!(poster.ended(all).await, Ends { answered: AT_ONCE, not_sent: WAITING, perhaps_done: 0 });
    poster.sent(AT_ONCE).await;
}

#[tokio::test]
async fn a_call_that_times_out_in_flight_is_perhaps_done() {
    let mut poster = Poster::start().await;
    poster.begin(1).await;
    poster.sent(1).await;
    poster.clock.advance(Duration::from_millis(799)).await;
    poster.nobody_more_has_ended().await;
    poster.clock.advance(Duration::from_millis(2)).await;
    assert_eq!(poster.ended(1).await, Ends { perhaps_done: 1, ..Ends::default() });
}

// Queued calls used to be sent into the lost connection.
#[tokio::test]
async fn on_disconnect_only_calls_in_flight_are_perhaps_done() {
    let mut poster = Poster::start().await;
    poster.begin(AT_ONCE + WAITING).await;
    poster.sent(AT_ONCE).await;
    poster.link.cut();
    let all = AT_ONCE + WAITING;
    assert_eq!(poster.ended(all).await, Ends { answered: 0, not_sent: WAITING, perhaps_done: AT_ONCE });
}

// Every call that got NOSCRIPT used to load all scripts, and later calls waited behind them.
#[tokio::test]
async fn flushed_scripts_are_loaded_once_and_no_call_fails() {
    let mut poster = Poster::start().await;
    poster.begin(AT_ONCE + WAITING).await;
    poster.sent(AT_ONCE).await;
    let given = poster.redis.calls("script|load");
    poster.redis.cli(&["script", "flush"]);
    poster.link.release();
    let all = AT_ONCE + WAITING;
    assert_eq!(poster.ended(all).await, Ends { answered: all, ..Ends::default() });
    assert_eq!(poster.redis.calls("script|load") - given, SCRIPTS);
}

// The health check used to queue behind all calls for longer than its time-out, so a busy connection was dropped with everything in
// flight, and every poll read again.
#[tokio::test]
async fn an_overloaded_redis_keeps_its_connection() {
    const ROUNDS: usize = 12;
    let mut poster = Poster::start().await;
    let made = poster.link.made();
    // Two thousand calls a second, half of which it can answer.
    for _ in 0..ROUNDS {
        poster.begin(2 * AT_ONCE).await;
        poster.clock.advance(Duration::from_millis(250)).await;
        poster.link.let_pass(AT_ONCE);
        let more = poster.ends.answered + AT_ONCE;
        while poster.ends.answered < more {
            poster.ended(poster.ends.all() + 1).await;
        }
    }
    poster.link.release();
    let all = 2 * AT_ONCE * ROUNDS;
    let ends = poster.ended(all).await;
    assert_eq!(ends.perhaps_done, 0, "{ends:?}");
    assert!(ends.answered >= AT_ONCE * ROUNDS && ends.not_sent > 0, "{ends:?}");
    assert_eq!(poster.link.made(), made);
    poster.engine.post(&room("r"), id(1), text(1, "still here")).await.unwrap();
}

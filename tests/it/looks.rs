//! Polls that look again after Redis was lost for a moment: one that cannot yet, and thousands at once. And a Redis that has
//! more to do than it can, but is not lost.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use signalpost::{
    clock::Clock,
    domain::{
        Accepted, Batch, CreatorId, Identity, Limits, Metadata, Name, Payload, PeerId, Post, Refusal, Rights, RoomName,
        Seq, Target, Visitor,
    },
    engine::{Asked, Engine},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, tcp},
    task::JoinSet,
    time::sleep,
};

use crate::redis_server::{RedisServer, engine_at};

const POLLS: u64 = 6_000;
/// How many there are.
const SCRIPTS: u64 = 14;
const HOLD: Duration = Duration::from_secs(120);
const PATIENCE: Duration = Duration::from_secs(100);

/// The way to Redis, which can be made slow: what is sent at once then takes longer than an answer is waited for.
struct Wire {
    port: u16,
    /// How long it rests after each 4 KiB, in milliseconds.
    rest: Arc<AtomicU64>,
    /// Connections that were made through it.
    made: Arc<AtomicUsize>,
}

impl Wire {
    async fn to(redis: &RedisServer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (port, to) = (listener.local_addr().unwrap().port(), redis.port);
        let (rest, made) = (Arc::<AtomicU64>::default(), Arc::<AtomicUsize>::default());
        let wire = Self { port, rest: rest.clone(), made: made.clone() };
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                made.fetch_add(1, Relaxed);
                let (from_near, to_near) = near.into_split();
                let (from_far, to_far) = TcpStream::connect(("127.0.0.1", to)).await.unwrap().into_split();
                tokio::spawn(carry(from_near, to_far, rest.clone()));
                tokio::spawn(carry(from_far, to_near, Arc::default()));
            }
        });
        wire
    }
}

async fn carry(mut from: tcp::OwnedReadHalf, mut to: tcp::OwnedWriteHalf, rest: Arc<AtomicU64>) {
    let mut buffer = vec![0; 4096];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        let rest = rest.load(Relaxed);
        if rest > 0 {
            sleep(Duration::from_millis(rest)).await;
        }
        if to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}

/// Takes a seat in a room of its own. That may be asked for again.
async fn seat(engine: &Engine, number: u64) -> (RoomName, PeerId, Seq) {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    let (id, room) = (PeerId::from_bytes(bytes), RoomName::parse(&format!("room-{number}")).unwrap());
    let visitor = Visitor {
        identity: Identity::Returning { id, restart: Seq::START },
        name: Name::default(),
        metadata: Metadata::default(),
        secret: None,
        capacity: None,
        creator: CreatorId::from_bytes(bytes),
        keyed: None,
        page: None,
        rights: Rights::OPEN,
    };
    loop {
        match engine.join(&room, visitor.clone()).await {
            Err(Refusal::EngineUnavailable { .. }) => {}
            joined => return (room, id, joined.unwrap().cursor),
        }
    }
}

/// Everybody takes a seat and waits. On a busy machine some may be put off even before the wire is slow.
async fn park(engine: &Engine, rest: &Arc<AtomicU64>) -> JoinSet<Result<Batch, Refusal>> {
    let mut polls = JoinSet::new();
    let all: Vec<u64> = (0..POLLS).collect();
    for some in all.chunks(100) {
        let seats = futures_util::future::join_all(some.iter().map(|number| seat(engine, *number))).await;
        for (room, id, cursor) in seats {
            let (engine, rest) = (engine.clone(), rest.clone());
            let asked = Asked { after: Some(cursor), page: None };
            polls.spawn(async move {
                loop {
                    match engine.receive(&room, id, asked, HOLD).await {
                        Err(Refusal::EngineUnavailable { .. }) if rest.load(Relaxed) == 0 => {}
                        ended => return ended,
                    }
                }
            });
        }
    }
    polls
}

// `min-replicas-to-write` makes it refuse every script, and say that it is well.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_poll_that_waits_and_cannot_look_again_goes_on_waiting() {
    let redis = RedisServer::start(&["--save", ""]);
    let engine = engine_at(&redis.url(), Limits::default(), Clock::start());
    let (room, ann, cursor) = seat(&engine, 1).await;
    let asked = Asked { after: Some(cursor), page: None };
    let waiting = tokio::spawn({
        let (engine, room) = (engine.clone(), room.clone());
        async move { engine.receive(&room, ann, asked, HOLD).await }
    });
    let until = async |is_so: &dyn Fn() -> bool| {
        let asking = async {
            while !is_so() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, asking).await.unwrap();
    };
    until(&|| scripts_run(&redis) >= 2).await;
    redis.cli(&["config", "set", "min-replicas-to-write", "1"]);
    redis.cli(&["client", "kill", "type", "pubsub"]);
    until(&|| redis.cli(&["info", "errorstats"]).contains("NOREPLICAS")).await;
    redis.cli(&["config", "set", "min-replicas-to-write", "0"]);

    while engine.post(&room, ann, bye(ann)).await.is_err() {}
    let told = tokio::time::timeout(PATIENCE, waiting).await.unwrap().unwrap();
    assert_eq!(told.unwrap().messages.len(), 1);
}

fn bye(to: PeerId) -> Post {
    let target = Target { to: Some(to), payload: Payload::new("\"type\":\"bye\"".to_owned()) };
    Post { targets: vec![target], keyed: None }
}

fn scripts_run(redis: &RedisServer) -> u64 {
    calls(redis, "evalsha")
}

fn calls(redis: &RedisServer, of: &str) -> u64 {
    let (stats, head) = (redis.cli(&["info", "commandstats"]), format!("cmdstat_{of}:calls="));
    let calls = stats.lines().find_map(|line| line.strip_prefix(&head)?.split(',').next());
    calls.unwrap().parse().unwrap()
}

// Were they all to ask at once, most would wait in vain, and their failures would make all look once more, without end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_lost_connection_a_crowd_looks_again_in_turn_and_nobody_is_put_off() {
    let redis = RedisServer::start(&["--save", ""]);
    let wire = Wire::to(&redis).await;
    let limits = Limits { rooms: 100_000, ..Limits::default() };
    let engine = engine_at(&format!("redis://127.0.0.1:{}", wire.port), limits, Clock::start());
    let mut polls = park(&engine, &wire.rest).await;
    let until = async |calls: u64| {
        while scripts_run(&redis) < calls {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, until(2 * POLLS)).await.unwrap();

    wire.rest.store(4, Relaxed);
    redis.cli(&["client", "kill", "type", "pubsub"]);
    tokio::select! {
        ended = polls.join_next() => panic!("{ended:?}"),
        looked = tokio::time::timeout(PATIENCE, until(3 * POLLS)) => looked.unwrap(),
    }
    assert!(polls.try_join_next().is_none());
}

// The question whether it is well once waited behind all that it was asked, for longer than its answer was waited for: so
// connections that did all they could were given up, with everything that was on its way, and every poll looked again. Then,
// when calls waited for their turns, and not for less time than for their answers, those that had one were given up soon after.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_is_asked_more_than_it_can_answer_goes_on_answering_and_is_not_taken_for_lost() {
    let redis = RedisServer::start(&["--save", ""]);
    let wire = Wire::to(&redis).await;
    let engine = engine_at(&format!("redis://127.0.0.1:{}", wire.port), Limits::default(), Clock::start());
    let (room, ann, _) = seat(&engine, 1).await;
    let made = wire.made.load(Relaxed);

    // Some twelve thousand calls a second go through it.
    wire.rest.store(1, Relaxed);
    let mut storm = Storm { engine, room, ann, posts: JoinSet::new() };
    for _ in 0..4 {
        storm.post(20_000);
        sleep(Duration::from_millis(500)).await;
    }
    let ends = storm.ends().await;
    assert!(ends.not_sent > 10_000 && ends.answered > 1000, "{ends:?}");
    assert!(ends.perhaps_done < 1000, "{ends:?}");
    assert_eq!(wire.made.load(Relaxed), made);
}

// Once all that waited for their turns were sent into the connection that was lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_what_was_on_its_way_when_a_connection_was_lost_has_perhaps_been_done() {
    let (ends, ..) = interrupted(&["client", "kill", "type", "normal"]).await;
    assert!((1..=600).contains(&ends.perhaps_done), "{ends:?}");
    assert!(ends.not_sent > 10_000, "{ends:?}");
}

// Once each call that found them forgotten gave it all scripts, and what was sent after that waited behind them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scripts_that_were_forgotten_are_given_once_and_nobody_waits_long() {
    let (ends, storm, redis) = interrupted(&["script", "flush"]).await;
    assert!(ends.perhaps_done <= 100, "{ends:?}");
    assert!(ends.answered >= 256, "{ends:?}");
    let given = async {
        while calls(&redis, "script|load") < 2 * SCRIPTS {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, given).await.unwrap();
    storm.answered().await;
    // When it was connected to, and again.
    assert_eq!(calls(&redis, "script|load"), 2 * SCRIPTS);
}

/// Something happens to Redis when many calls wait for their turns.
async fn interrupted(by: &[&str]) -> (Ends, Storm, RedisServer) {
    let redis = RedisServer::start(&["--save", ""]);
    let wire = Wire::to(&redis).await;
    let engine = engine_at(&format!("redis://127.0.0.1:{}", wire.port), Limits::default(), Clock::start());
    let (room, ann, _) = seat(&engine, 1).await;
    wire.rest.store(4, Relaxed);
    let mut storm = Storm { engine, room, ann, posts: JoinSet::new() };
    let before = scripts_run(&redis);
    storm.post(20_000);
    while scripts_run(&redis) == before {
        tokio::task::yield_now().await;
    }
    redis.cli(by);
    (storm.ends().await, storm, redis)
}

/// Posts, many at once.
struct Storm {
    engine: Engine,
    room: RoomName,
    ann: PeerId,
    posts: JoinSet<Result<Accepted, Refusal>>,
}

/// What became of them.
#[derive(Debug, Default)]
struct Ends {
    answered: usize,
    not_sent: usize,
    perhaps_done: usize,
}

impl Storm {
    fn post(&mut self, many: usize) {
        for _ in 0..many {
            let (engine, room, ann) = (self.engine.clone(), self.room.clone(), self.ann);
            self.posts.spawn(async move { engine.post(&room, ann, bye(ann)).await });
        }
    }

    /// Posts once more, until there is an answer.
    async fn answered(&self) {
        let asking = async {
            while let Err(Refusal::EngineUnavailable { .. }) =
                self.engine.post(&self.room, self.ann, bye(self.ann)).await
            {}
        };
        tokio::time::timeout(PATIENCE, asking).await.unwrap();
    }

    async fn ends(&mut self) -> Ends {
        let mut ends = Ends::default();
        for outcome in std::mem::take(&mut self.posts).join_all().await {
            match outcome {
                Err(Refusal::EngineUnavailable { perhaps_done: true }) => ends.perhaps_done += 1,
                Err(Refusal::EngineUnavailable { perhaps_done: false }) => ends.not_sent += 1,
                _ => ends.answered += 1,
            }
        }
        ends
    }
}

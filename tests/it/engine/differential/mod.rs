//! The same random operations on both engines: every answer must be the same, events and refusals included.
//!
//! `DIFFERENTIAL_STEPS` sets the number of steps (default 20,000; a tenth on a cluster), `DIFFERENTIAL_SEED` the seed, which is
//! printed. A failing case is minimized and shown with its last operations and both responses.

mod acts;
mod world;

use std::{cell::Cell, hash::BuildHasher, thread};

use parking_lot::Mutex;
use proptest::{
    prelude::*,
    test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner},
};

use crate::support::redis_server::{RedisCluster, RedisServer};
use world::{Cursor, POSTS_KNOWN, ROOMS, Step, World};

const STEPS_PER_CASE: usize = 400;

fn setting<T: std::str::FromStr>(name: &str) -> Option<T> {
    std::env::var(name).ok()?.parse().ok()
}

fn step() -> impl Strategy<Value = Step> {
    let peer = || 0..12_u8;
    let room = || 0..ROOMS;
    let bytes = prop_oneof![20 => 0..400_usize, 1 => 60_000..290_000_usize];
    let cursor = prop_oneof![
        6 => Just(Cursor::Kept),
        1 => Just(Cursor::None),
        2 => (1..4_u64).prop_map(Cursor::Behind),
        1 => (1..3_u64).prop_map(Cursor::Ahead),
    ];
    let page = || prop_oneof![4 => Just(None), 1 => (1..3_u64).prop_map(Some)];
    let target = || prop::option::weighted(0.7, peer());
    prop_oneof![
        8 => (room(), any::<[u8; 6]>(), page(), 0..3_u8)
            .prop_map(|(room, dice, page, key)| Step::Join { room, dice, page, key }),
        4 => (peer(), page()).prop_map(|(peer, page)| Step::Return { peer, page }),
        2 => (peer(), any::<bool>()).prop_map(|(peer, same)| Step::RepeatJoin { peer, same }),
        16 => (peer(), prop::collection::vec((target(), bytes), 1..4), 0..3_u8)
            .prop_map(|(from, targets, key)| Step::Post { from, targets, key }),
        3 => (peer(), prop::bool::weighted(0.7), 0..POSTS_KNOWN)
            .prop_map(|(peer, same, back)| Step::RepeatPost { peer, same, back }),
        16 => (peer(), cursor.clone(), page()).prop_map(|(peer, cursor, page)| Step::Poll { peer, cursor, page }),
        6 => (peer(), cursor, page(), 1..40_u8)
            .prop_map(|(peer, cursor, page, seconds)| Step::Hold { peer, cursor, page, seconds }),
        2 => any::<prop::sample::Index>().prop_map(|which| Step::Drop { which }),
        2 => peer().prop_map(|peer| Step::Leave { peer }),
        2 => peer().prop_map(|peer| Step::Goodbye { peer }),
        1 => (peer(), peer(), any::<bool>()).prop_map(|(by, whom, right)| Step::Kick { by, whom, right }),
        1 => (room(), any::<bool>(), any::<bool>()).prop_map(|(room, locked, right)| Step::Lock { room, locked, right }),
        1 => (room(), any::<bool>(), any::<[u8; 4]>()).prop_map(|(room, keyed, dice)| Step::Create { room, keyed, dice }),
        1 => room().prop_map(|room| Step::Close { room }),
        2 => room().prop_map(|room| Step::View { room }),
        2 => peer().prop_map(|peer| Step::Roster { peer }),
        1 => (room(), prop_oneof![3 => 1..8_u8, 1 => 70..90_u8]).prop_map(|(room, times)| Step::Churn { room, times }),
        8 => (1..12_000_u64).prop_map(|millis| Step::Pass { millis }),
        1 => (12_000..700_000_u64).prop_map(|millis| Step::Pass { millis }),
    ]
}

fn steps_wanted() -> usize {
    setting("DIFFERENTIAL_STEPS").unwrap_or(20_000)
}

#[test]
fn both_engines_give_the_same_answers_to_20_000_operations() {
    let (redis, places) = (RedisServer::shared(), Mutex::new(Vec::new()));
    let place = || {
        let url = redis.url_apart();
        places.lock().push(url.clone());
        url
    };
    // Two halves at a time, because most of it is waiting for Redis.
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| answer_alike(steps_wanted() / 2, place));
        }
    });
    // Every room has ended, so nobody is charged for anything.
    for url in places.into_inner() {
        let (_, prefix) = url.split_once("prefix=").unwrap();
        assert_eq!(redis.cli(&["--scan", "--pattern", &format!("{prefix}?:*:s")]), "");
    }
}

// Rooms lie on all three masters, which would refuse a script that touches two buckets.
#[test]
fn a_cluster_gives_the_same_answers_as_memory() {
    let cluster = RedisCluster::shared();
    answer_alike(steps_wanted() / 10, || cluster.url_apart());
}

/// Takes that many steps in total; each case has its own prefix.
fn answer_alike(wanted: usize, place: impl Fn() -> String) {
    let seed = setting("DIFFERENTIAL_SEED").unwrap_or_else(|| std::hash::RandomState::new().hash_one(0));
    println!("DIFFERENTIAL_SEED={seed}");
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&u64::to_be_bytes(seed));
    let config =
        Config { failure_persistence: None, max_shrink_iters: 2_000, max_shrink_time: 20_000, ..Config::default() };
    let config = Config { cases: 1, ..config };
    let mut cases = TestRunner::new_with_rng(config.clone(), TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    let taken = Cell::new(0);
    // Mostly full length, but able to shrink.
    let steps = prop::collection::vec(step(), 1..=STEPS_PER_CASE + STEPS_PER_CASE / 20);
    let mailbox_bytes = prop_oneof![Just(1_000), Just(300_000)];
    let steps = (steps, prop::collection::vec(step(), STEPS_PER_CASE / 2), mailbox_bytes);
    let take = |(first, rest, mailbox_bytes): (Vec<Step>, Vec<Step>, usize)| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        runtime.unwrap().block_on(async {
            let mut world = World::new(&place(), mailbox_bytes);
            for step in first.into_iter().chain(rest) {
                taken.set(taken.get() + 1);
                world.take(step).await.map_err(TestCaseError::fail)?;
            }
            world.end().await.map_err(TestCaseError::fail)
        })
    };
    while taken.get() < wanted {
        let mut runner = TestRunner::new_with_rng(config.clone(), cases.new_rng());
        let failed = runner.run(&steps, take).err();
        if let Some(TestError::Fail(why, (first, rest, _))) = failed {
            let steps: Vec<_> = first.iter().chain(&rest).collect();
            panic!(
                "DIFFERENTIAL_SEED={seed}\n{why}\nof {} steps, the last {:#?}",
                steps.len(),
                &steps[steps.len().saturating_sub(20)..]
            );
        }
        assert!(failed.is_none(), "{failed:?}");
    }
    println!("{} steps", taken.get());
}

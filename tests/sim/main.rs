//! The domain under random operations and virtual time, compared with a naive reference model.
//!
//! After every step: no gap in any `seq`, nothing trimmed before it was acknowledged, each sender's messages in order, joins and
//! leaves in the same order for all members, mailboxes within their limits, and the roster of a join consistent with the events after
//! its cursor. After all leases have expired, nothing is left.
//!
//! `SIM_STEPS` sets the number of steps (default 12,000). A failing case is written to `tests/sim/main.proptest-regressions` and
//! replayed first from then on.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "a test that cannot continue fails")]

mod model;
mod seats;
mod traffic;
mod world;

use std::{cell::Cell, path::Path};

use proptest::{
    prelude::*,
    test_runner::{Config, FileFailurePersistence, TestError, TestRunner},
};
use world::{Step, World};

/// On average: lengths are uniform from 1 to twice this, so that a failing case can shrink.
const STEPS_PER_CASE: usize = 120;

fn steps_wanted() -> usize {
    std::env::var("SIM_STEPS").ok().and_then(|text| text.parse().ok()).unwrap_or(12_000)
}

fn step() -> impl Strategy<Value = Step> {
    let peer = 0..12_u8;
    let room = 0..3_u8;
    prop_oneof![
        3 => (room.clone(), any::<bool>()).prop_map(|(room, keyed)| Step::Join { room, keyed }),
        1 => peer.clone().prop_map(|peer| Step::RepeatJoin { peer }),
        2 => peer.clone().prop_map(|peer| Step::Resume { peer }),
        8 => (peer.clone(), peer.clone(), 1..900_usize, any::<bool>())
            .prop_map(|(from, to, bytes, keyed)| Step::Send { from, to, bytes, keyed }),
        2 => (peer.clone(), prop::collection::vec((prop::option::of(peer.clone()), 1..400_usize), 1..6))
            .prop_map(|(from, entries)| Step::Batch { from, entries }),
        2 => (peer.clone(), 0..4_usize).prop_map(|(peer, back)| Step::RepeatSend { peer, back }),
        8 => (peer.clone(), 0..3_u8).prop_map(|(peer, lost)| Step::Poll { peer, lost: lost == 0 }),
        1 => (peer.clone(), -3..4_i64).prop_map(|(peer, off)| Step::WildPoll { peer, off }),
        2 => peer.clone().prop_map(|peer| Step::Hold { peer }),
        1 => peer.clone().prop_map(|peer| Step::Leave { peer }),
        1 => peer.clone().prop_map(|peer| Step::Goodbye { peer }),
        1 => (peer.clone(), peer).prop_map(|(by, whom)| Step::Kick { by, whom }),
        1 => (room.clone(), any::<bool>()).prop_map(|(room, locked)| Step::Lock { room, locked }),
        1 => room.clone().prop_map(|room| Step::Create { room }),
        1 => room.prop_map(|room| Step::Close { room }),
        4 => (1..12_000_u64).prop_map(|millis| Step::Pass { millis }),
    ]
}

#[test]
fn the_domain_and_the_model_agree_after_every_step() {
    let seeds = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/sim/main.proptest-regressions");
    assert!(Path::new(seeds).exists(), "the kept seeds are missing");
    let (wanted, taken) = (steps_wanted(), Cell::new(0));
    let mut runner = TestRunner::new(Config {
        cases: u32::try_from(wanted * 5 / 4 / STEPS_PER_CASE).unwrap().max(1),
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(seeds))),
        source_file: Some(file!()),
        max_shrink_iters: 50_000,
        ..Config::default()
    });
    let outcome = runner.run(&prop::collection::vec(step(), 1..2 * STEPS_PER_CASE), |steps| {
        let mut world = World::new();
        for step in steps {
            world.take(step);
            taken.set(taken.get() + 1);
        }
        world.end();
        Ok(())
    });
    if let Err(TestError::Fail(why, steps)) = outcome {
        panic!("{why}\nafter {steps:#?}");
    }
    println!("{} steps", taken.get());
    assert!(taken.get() >= wanted, "only {} steps", taken.get());
}

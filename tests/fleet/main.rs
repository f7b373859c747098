//! Several nodes at work.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "a test that cannot continue fails")]

mod answers;
mod chaos;
mod checker;
mod cluster;
mod deployment;
mod history;
mod member;
mod no_nodes;
#[path = "../../benches/fleet/page.rs"]
mod page;
mod programs;
mod redis;
mod relay;
#[path = "../../benches/fleet/storm/mod.rs"]
#[allow(dead_code, unused_imports, clippy::cast_possible_truncation, reason = "the bench tells more of it")]
mod storm;
mod storms;

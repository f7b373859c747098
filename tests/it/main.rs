//! One binary for all integration tests. Each starts the real server on a free port and talks HTTP to it, unless it says
//! otherwise.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "a test that cannot go on fails")]

mod abuse;
mod abuse_h2;
mod attacked;
mod binary;
mod chaos;
mod connections;
mod contract;
mod deploy;
mod differential;
mod engine;
mod engine_lost;
mod faults;
mod front;
mod harness;
mod healthcheck;
mod limits;
mod logs;
mod looks;
mod memory;
mod messages;
mod metrics;
mod nodes;
mod openapi;
mod pages;
mod peers;
mod polls;
mod probe;
mod rates;
mod redis_server;
mod redis_servers;
mod restart;
mod rooms;
mod soak;
mod stun;
mod tickets;
mod tidy;
mod tls;
mod turns;
mod walkthrough;
mod wire;

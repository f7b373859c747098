//! One binary for all integration tests. Each starts the real server on a free port and talks HTTP to it, unless it says
//! otherwise.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "a test that cannot continue fails")]

mod api;
mod auth;
mod engine;
mod ops;
mod relay;
mod shares;
mod support;
mod tidy;
mod transport;

//! Shared by the tests: servers, peers, Redis, and links that a test controls. No tests here.

pub mod attacked_server;
pub mod certificate;
pub mod engine_calls;
pub mod engine_clock;
pub mod harness;
pub mod http2_frames;
pub mod neighborhood;
pub mod process;
pub mod redis_link;
pub mod redis_server;
pub mod three_ways;
pub mod turn_client;
pub mod waits;

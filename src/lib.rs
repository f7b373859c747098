//! WebRTC signaling over plain HTTP. See `ARCHITECTURE.md` for the map.

pub mod api;
pub mod app;
pub mod cli;
pub mod clock;
pub mod config;
pub mod domain;
pub mod engine;
pub mod ice;
pub mod pages;
pub mod server;
pub mod stun;
pub mod telemetry;
pub mod tls;
pub mod transport;

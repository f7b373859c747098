//! WebRTC signaling over plain HTTP. See `ARCHITECTURE.md` for the map.

pub mod addresses;
pub mod app;
pub mod clock;
pub mod config;
pub mod domain;
pub mod engine;
pub mod healthcheck;
pub mod http;
pub mod ice;
pub mod stun;
pub mod telemetry;
pub mod tls;

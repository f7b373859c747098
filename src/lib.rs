//! WebRTC signaling over plain HTTP. See `ARCHITECTURE.md` for the map.

pub mod clock;
pub mod domain;
pub mod engine;

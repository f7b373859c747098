//! The health check, and the addresses printed at startup.

pub mod healthcheck;
pub mod reachable;

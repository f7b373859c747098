//! What the command line does besides serving.

pub mod healthcheck;
pub mod reachable;

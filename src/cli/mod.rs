//! Subcommands, and the addresses printed at startup.

pub mod healthcheck;
pub mod key;
pub mod reachable;

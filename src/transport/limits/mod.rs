//! What connections may take: how many there are, how long they stay, and what is in memory for them.

pub mod connection;
pub mod guarded_stream;
pub mod memory_budget;
pub mod registry;

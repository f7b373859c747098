//! Who may do what, and how often: secrets, tickets, tokens and rate limits.

mod rate_limits;
mod secrets;
mod ticket_keys;
pub mod tickets;
mod token_cache;

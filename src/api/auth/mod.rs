//! Who may call: tokens, tickets, secrets, and how often.

pub mod admission;
pub mod caller;
pub mod lockout;
pub mod rate_limit;
pub mod ticket;
pub mod token;
pub mod token_cache;

//! Who may call, and how often. [`caller`] has the types that handlers take as arguments, such as
//! [`Sender`](caller::Sender) and [`Creator`](caller::Creator); [`admission`] decides who may join.
//!
//! Tokens are issued by the server and verified without a lookup ([`token`]); tickets are JSON Web Tokens from an app's
//! login ([`ticket`]). What a peer may do inside a room is decided by the domain.

pub mod admission;
pub mod caller;
pub mod failures;
pub mod key_strength;
pub mod lockout;
pub mod misses;
pub mod rate_limit;
pub mod ticket;
pub mod ticket_keys;
pub mod token;
pub mod token_cache;
pub mod verifying_key;

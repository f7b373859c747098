//! The relay: TURN (RFC 8656) over UDP, TCP and TLS, and STUN (RFC 8489), for calls that find no other path.
//!
//! By default it is *closed*: packets pass only between allocations of members of the same room, in memory. So it has no ports of its
//! own, relays nothing into anybody's network, and is of no use to strangers. An *open* one has a socket for each allocation, too.
//! `docs/relay.md` describes it for operators.
//!
//! The rules are values and functions, with time as an argument: [`allocations`] says who may have an allocation and where a
//! packet goes, [`allocation`] and [`peers`] with whom one may exchange packets, `rate` how much. [`messages`] answers requests, whose
//! credentials say which member of which room asks. Around them: [`server`] is what all clients share, [`net`] is how they reach it,
//! and `seats` ends what belongs to members that have left.
//!
//! Messages are parsed and written by `stun-types` and `turn-types`.

pub mod allocation;
pub mod allocations;
pub mod counters;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
pub mod limits;
pub mod messages;
pub mod net;
mod nodes;
pub mod peers;
mod rate;
mod relayed_address;
mod seats;
pub mod server;
#[cfg(test)]
mod tests;

pub use limits::Limits;
pub use messages::credentials::{Credentials, Member};
pub use nodes::RelayNodes;
pub use server::{RelayParts, RelayStats, TurnServer};

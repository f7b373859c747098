//! Encoders and players: WHIP (RFC 9725) and WHEP (draft-ietf-wish-whep), docs/whip.md.
//!
//! A request with an offer takes a seat, [`call`]s the browsers in the room and waits for an answer, as a poll would. After that the seat
//! is a session: its URL ([`session_id`]) and its mailbox ([`state`]) say everything about it, so any node serves it, and no
//! task or memory is kept for it. What browsers say to it is [`heard`] when they post it.
//!
//! [`description`] reads and writes what they say; it knows nothing of rooms.

pub mod admit;
pub mod body;
pub mod call;
pub mod callers;
pub mod description;
pub mod heard;
pub mod kind;
pub mod mark;
pub mod media_type;
pub mod restart;
pub mod ringing;
pub mod session_id;
pub mod signals;
pub mod state;

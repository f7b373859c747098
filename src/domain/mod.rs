//! The rules of signaling, and nothing else.
//!
//! No async, no lock, no clock, no randomness, no log, no serde, no framework: this folder imports `std` and itself.
//! Time, ids and random numbers come in as arguments; what must happen next goes out as a return value. A test
//! (`tests/it/tidy.rs`) holds it to that.

mod card;
mod cursor;
mod deadlines;
mod expiry;
mod id;
mod idempotency;
mod joining;
mod lease;
mod left;
mod lifecycle;
mod limits;
mod mailbox;
mod message;
mod peer;
mod posting;
mod refusal;
mod room;
mod rooms;
mod roster;
mod seats;
mod secret;
mod table;
mod time;

pub use card::{Card, Metadata, Name};
pub use cursor::Seq;
pub use id::{CreatorId, PeerId, RoomName};
pub use idempotency::Keyed;
pub use joining::{Identity, Joined, Rights, Visitor};
pub use lease::Lease;
pub use left::Left;
pub use lifecycle::{Lifecycle, Turn};
pub use limits::Limits;
pub use mailbox::Batch;
pub use message::{Content, LeaveReason, Message, Payload};
pub use posting::{Accepted, Post, Target};
pub use refusal::{Refusal, Seat};
pub use room::{Page, Read, RoomPlan, RoomView};
pub use rooms::{Created, Rooms};
pub use roster::roster_before;
pub use secret::Secret;
pub use table::RoomKey;
pub use time::Timestamp;

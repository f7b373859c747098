//! The rules of signaling, and nothing else: rooms, peers, mailboxes, leases. [`Rooms`] is the way in.
//!
//! No async, no lock, no clock, no randomness, no log, no serde, no framework: this folder imports `std` and itself.
//! Time, ids and random numbers come in as arguments; what must happen next is returned. A test (`tests/it/tidy`)
//! enforces that.

mod card;
mod deadlines;
mod headroom;
mod id;
mod lifecycle;
mod limits;
mod mailbox;
mod refusal;
mod registry;
mod room;
mod secret;
mod time;

pub use card::{Card, Metadata, Name};
pub use headroom::Left;
pub use id::{CreatorId, PeerId, RoomName};
pub use lifecycle::{Lifecycle, Turn};
pub use limits::Limits;
pub use mailbox::Batch;
pub use mailbox::cursor::Seq;
pub use mailbox::idempotency::Keyed;
pub use mailbox::message::{Content, LeaveReason, Message, Payload};
pub use refusal::{Refusal, Seat};
pub use registry::table::RoomKey;
pub use registry::{Created, Rooms};
pub use room::join::{Identity, Joined, Rights, Visitor};
pub use room::lease::Lease;
pub use room::post::{Accepted, Post, Target};
pub use room::roster::roster_before;
pub use room::{Read, RoomPlan, RoomView, page::Page};
pub use secret::Secret;
pub use time::Timestamp;

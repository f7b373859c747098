//! The rules of signaling: rooms, peers, mailboxes, leases. [`Rooms`] is the way in.
//!
//! Plain values and functions, without async, locks, clocks, randomness, logs or serde; only the figures of an [`Account`] are
//! atomic, because all shards share them. Time and ids are arguments; what the
//! caller must do next is returned. Besides `std` it uses `hashbrown` and `smallvec` (docs/decisions/memory-layout.md).
//! `tests/it/tidy` enforces this.

mod account;
mod card;
mod deadlines;
mod headroom;
mod id;
mod lifecycle;
mod limits;
mod mailbox;
mod payers;
mod refusal;
mod registry;
mod room;
mod secret;
mod time;

pub use account::{Account, Charge, Source, Usage};
pub use card::{Card, Metadata, Name};
pub use headroom::Headroom;
pub use id::{CreatorId, PeerId, RoomName, Subject};
pub use lifecycle::{Change, LifecycleEvent};
pub use limits::Limits;
pub use mailbox::Batch;
pub use mailbox::cursor::Seq;
pub use mailbox::idempotency::KeyedRequest;
pub use mailbox::message::{Content, LeaveReason, Message, Payload};
pub use refusal::{Refusal, Seat};
pub use registry::table::RoomKey;
pub use registry::{Created, Rooms};
pub use room::join::{Identity, Joined, Rights, Visitor};
pub use room::lease::Lease;
pub use room::post::{Accepted, Post, Target};
pub use room::roster::{Roster, roster_before};
pub use room::{Read, RoomPlan, RoomView, page::Page};
pub use secret::Secret;
pub use time::Timestamp;

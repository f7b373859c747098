//! WebRTC signaling over plain HTTP, for networks where WebSockets do not work: rooms, and messages that arrive in order and exactly
//! once.
//!
//! ```no_run
//! use signalpost_client::{Event, Signal, join};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), signalpost_client::Error> {
//! let (room, mut events) = join("http://127.0.0.1:8080", "tea").name("Rust").await?;
//! while let Some(event) = events.next().await {
//!     match event {
//!         Event::PeerJoined(peer) => drop(room.send(&peer.id, Signal::Data("hello".into()))),
//!         Event::Message(message) => println!("{}: {:?}", message.from, message.signal),
//!         _ => {}
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! [`join()`] gives a [`Room`], which is a handle that can be cloned, and its [`Events`], which are a stream. Two tasks on the current Tokio
//! runtime keep the seat meanwhile: one reads the mailbox, the other sends what is queued. They end with the room, or when all handles
//! are dropped.
//!
//! # Cancel safety
//!
//! Any future of this crate may be dropped at any time, as `tokio::select!` does:
//!
//! | Future | If it is dropped |
//! | --- | --- |
//! | [`Events::next`], and the stream | no event is lost |
//! | [`Room::send`] | the message is sent once all the same: it was queued by the call |
//! | [`join()`] | no seat is left behind; a seat to which it was to return is kept |
//! | [`Room::leave`] | it continues |
//! | [`Room::close`] | the room may have ended or not |
//!
//! # Coming back
//!
//! A process that crashed, or that [detached](Room::detach), can return to its seat within its lease (45 s by default): it is the same peer, and gets
//! the messages that came meanwhile. Keep the seat in a file with [`Join::seat_file`], or yourself with [`Room::seat`] and [`Join::seat`].
//!
//! # Features
//!
//! * `tls` (default): `https:`, by rustls with ring and the system's certificates. Without it, pass a [`Join::client`] with another implementation.
//! * `sealed` (default): [rooms](Join::key) whose messages the server can neither read nor change, and [safety numbers](safety_number()).
//! * `matchbox`: `matchbox::Signalpost`, for games with matchbox_socket.
//!
//! # Logs
//!
//! This crate writes none. Errors and `Debug` show no tokens, keys or content of rooms' cards and URLs.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod error;
mod events;
mod join;
#[cfg(feature = "matchbox")]
pub mod matchbox;
mod member;
mod room;
#[cfg(feature = "sealed")]
mod sealed;
mod seat;
mod signal;
mod wire;

pub use error::{Ending, Error, Problem, Silence, Unreachable};
pub use events::{Event, IceServer, LeaveReason, Message, Peer, Receipt, Sent, State, Trouble, Why};
pub use join::{Join, join};
pub use room::{Delivery, Events, Room};
#[cfg(feature = "sealed")]
pub use sealed::{RoomKey, safety_number};
pub use seat::Seat;
pub use signal::{Candidate, Signal};

//! How to talk to each server: join, post, poll, leave.

mod janus;
mod nchan;
mod prosody;
mod relay;
mod signalpost;
mod socket_io;

pub use janus::Janus;
pub use nchan::Nchan;
pub use prosody::Prosody;
pub use relay::Relay;
pub use signalpost::Signalpost;
pub use socket_io::SocketIo;

use std::cell::Cell;

use crate::wire::{Answer, Request};

/// A peer's state at a server.
#[derive(Clone, Debug, Default)]
pub struct Seat {
    pub room: String,
    /// Seats in the room.
    pub capacity: usize,
    /// Unique in a run.
    pub name: String,
    /// The address that others send to.
    pub id: String,
    /// The peer's credentials: a header line, or a part of a path.
    pub pass: String,
    /// Where the next poll continues: header lines.
    pub cursor: String,
    /// Number of join requests made so far.
    pub step: usize,
    /// The number of its last request, if the protocol numbers requests.
    pub asked: Cell<u64>,
}

/// Which messages may share a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Together {
    /// Messages for the same receiver: the server relays bytes, so a client may pack several.
    SameReceiver,
    /// Up to this many, for any receivers.
    Any(usize),
}

pub trait Driver {
    fn together(&self) -> Together;

    /// Every request parks, posts included; a second request makes the server answer the first (BOSH).
    fn every_request_waits(&self) -> bool {
        false
    }

    /// Writes the next join request, given the answer to the last one. Returns false when the peer has joined.
    fn enter(&self, seat: &mut Seat, last: Option<&Answer>, request: &mut Request) -> Result<bool, String>;

    /// Writes a post. Each item is a receiver and the JSON of a message.
    fn post(&self, from: &Seat, mail: &[(&Seat, &[u8])], request: &mut Request);

    fn poll(&self, seat: &Seat, request: &mut Request);

    /// Updates the cursor from an answered poll. Returns true if it wrote a request that the server expects next.
    fn polled(&self, seat: &mut Seat, answer: &Answer, request: &mut Request) -> Result<bool, String>;

    fn leave(&self, seat: &Seat, request: &mut Request);
}

/// The text between two marks in an answer.
fn between<'a>(answer: &'a Answer, before: &str, after: u8) -> Result<&'a str, String> {
    let found = memchr::memmem::find(answer.body(), before.as_bytes()).and_then(|at| {
        let rest = &answer.body()[at + before.len()..];
        std::str::from_utf8(&rest[..memchr::memchr(after, rest)?]).ok()
    });
    found.ok_or_else(|| format!("no {before} in the answer {}", answer.glance()))
}

fn succeeded(answer: &Answer) -> Result<(), String> {
    if answer.is_success() { Ok(()) } else { Err(format!("refused: {}", answer.glance())) }
}

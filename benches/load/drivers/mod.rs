//! How to speak to each server: getting in, posting, polling, leaving.

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

/// Somebody's place at a server.
#[derive(Clone, Debug, Default)]
pub struct Seat {
    pub room: String,
    /// Seats in the room.
    pub capacity: usize,
    /// Unique in a run.
    pub name: String,
    /// What others address.
    pub id: String,
    /// What the peer shows of itself: a header line, or a part of a path.
    pub pass: String,
    /// Where it reads on: header lines.
    pub cursor: String,
    /// Requests that were made to get in.
    pub step: usize,
    /// The number of its last request, where requests are numbered.
    pub asked: Cell<u64>,
}

/// What of several messages may travel in one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Together {
    /// Those for one receiver: the server relays bytes, so a client may pack them.
    SameReceiver,
    /// Up to so many, for whomever.
    Any(usize),
}

pub trait Driver {
    fn together(&self) -> Together;

    /// Every request waits for news, a post as well as a poll, and the older of two is answered (BOSH).
    fn every_request_waits(&self) -> bool {
        false
    }

    /// Writes the next request of getting in, after the answer to the last one. False when in.
    fn enter(&self, seat: &mut Seat, last: Option<&Answer>, request: &mut Request) -> Result<bool, String>;

    /// Writes a post: messages, each the JSON of one, and whom it is for.
    fn post(&self, from: &Seat, mail: &[(&Seat, &[u8])], request: &mut Request);

    fn poll(&self, seat: &Seat, request: &mut Request);

    /// Learns from an answered poll where to read on. True if it wrote a request that the server now waits for.
    fn polled(&self, seat: &mut Seat, answer: &Answer, request: &mut Request) -> Result<bool, String>;

    fn leave(&self, seat: &Seat, request: &mut Request);
}

/// What stands between two marks in an answer.
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

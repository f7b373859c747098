//! The bare relay in `relay.rs`: each path is a mailbox, and bodies are bytes.

use super::{Driver, Seat, Together, succeeded};
use crate::wire::{Answer, Request};

#[derive(Debug)]
pub struct Relay;

pub fn ask(method: &'static str, place: &str, seat: &Seat, request: &mut Request) {
    request.start(method);
    request.path.push_str(place);
    request.path.push_str(&seat.id);
}

/// Creates the mailbox, which is named after the peer.
pub fn enter(place: &str, seat: &mut Seat, last: Option<&Answer>, request: &mut Request) -> Result<bool, String> {
    let Some(made) = last else {
        seat.id.clone_from(&seat.name);
        ask("PUT", place, seat, request);
        return Ok(true);
    };
    succeeded(made)?;
    Ok(false)
}

pub fn post(place: &str, mail: &[(&Seat, &[u8])], request: &mut Request) {
    let Some((to, _)) = mail.first() else { return };
    ask("POST", place, to, request);
    for (_, message) in mail {
        request.body.extend_from_slice(message);
    }
}

impl Driver for Relay {
    fn together(&self) -> Together {
        Together::SameReceiver
    }

    fn enter(&self, seat: &mut Seat, last: Option<&Answer>, request: &mut Request) -> Result<bool, String> {
        enter("/", seat, last, request)
    }

    fn post(&self, _: &Seat, mail: &[(&Seat, &[u8])], request: &mut Request) {
        post("/", mail, request);
    }

    fn poll(&self, seat: &Seat, request: &mut Request) {
        ask("GET", "/", seat, request);
    }

    fn polled(&self, _: &mut Seat, answer: &Answer, _: &mut Request) -> Result<bool, String> {
        succeeded(answer).map(|()| false)
    }

    fn leave(&self, seat: &Seat, request: &mut Request) {
        ask("DELETE", "/", seat, request);
    }
}

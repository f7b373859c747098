//! Properties of the relay for any input, compiled for tests and fuzz targets only.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a fuzz target fails by panicking")]

use std::{net::IpAddr, time::Duration};

use stun_types::message::{Message, MessageClass};

use crate::{
    domain::{PeerId, RoomName, Timestamp},
    turn::{
        allocations::Allocations,
        limits::{FRAME_MAX, Limits, PERMISSIONS_MAX},
        messages::{
            binding,
            credentials::{Credentials, Member},
            framing::{Frame, first_frame, read_datagram},
            request::{self, Client, Exchange, Outcome, User},
            response::write_packet,
        },
        relayed_address::RelayedAddresses,
    },
};

/// Clients, of which every second is in the same room.
const CLIENTS: usize = 6;

/// A sequence of steps. The first byte of each says who sends, or that time passes; frames follow as in a stream.
///
/// * A stream is read in any pieces into the same frames, and a frame alone as a datagram.
/// * Requests never panic, with or without valid credentials, and answers are short.
/// * A packet reaches only an allocation of the sender's room.
pub fn turn(input: &[u8]) {
    let mut world = World::new();
    let mut rest = input;
    while let Some((who, stream)) = rest.split_first() {
        if *who >= 0xf0 {
            world.now = world.now + Duration::from_secs(u64::from(*who - 0xf0) * 60);
            rest = stream;
            continue;
        }
        let Ok(Some((frame, length))) = first_frame(stream) else { return check_incomplete(stream) };
        check_frame(frame, stream, length);
        world.take(usize::from(*who) % CLIENTS, frame);
        rest = &stream[length..];
    }
}

/// What is no frame yet, or none at all, is that in pieces, too.
fn check_incomplete(stream: &[u8]) {
    let whole = first_frame(stream).map(|frame| frame.is_some());
    for length in 0..stream.len().min(64) {
        let part = first_frame(&stream[..length]).map(|frame| frame.is_some());
        assert!(part != Ok(true), "a part of an incomplete frame is complete");
        assert!(part.is_ok() || whole.is_err(), "more bytes cannot make it right");
    }
}

fn check_frame(frame: Frame<'_>, stream: &[u8], length: usize) {
    assert!(length <= FRAME_MAX + 20 && length <= stream.len());
    for shorter in 0..length {
        assert_eq!(first_frame(&stream[..shorter]), Ok(None), "{shorter} of {length} bytes");
    }
    assert_eq!(read_datagram(&stream[..length]), Ok(frame));
}

struct World {
    allocations: Allocations<usize, usize>,
    credentials: Credentials,
    now: Timestamp,
}

impl World {
    fn new() -> Self {
        let limits = Limits { allocations: 4, allocations_per_member: 2, ..Limits::default() };
        Self {
            allocations: Allocations::new(limits, RelayedAddresses::beginning_at(0)),
            credentials: Credentials::new(&[7; 32]).unwrap(),
            now: Timestamp::from_millis(1),
        }
    }

    fn take(&mut self, who: usize, frame: Frame<'_>) {
        match frame {
            Frame::Channel(number, data) => {
                let routed = self.allocations.route_channel(&who, number, data.len(), self.now);
                if let Ok(delivery) = routed {
                    assert_eq!(delivery.to % 2, who % 2, "a packet has crossed rooms");
                    let mut packet = Vec::new();
                    write_packet(delivery.form, data, &mut packet);
                    assert!(packet.len() <= data.len() + 40);
                }
            }
            Frame::Message(bytes) => self.message(who, bytes),
        }
    }

    fn message(&mut self, who: usize, bytes: &[u8]) {
        let Ok(message) = Message::from_bytes(bytes) else { return };
        let from = ([192, 0, 2, 1], 1000 + u16::try_from(who).unwrap()).into();
        if !message.has_class(MessageClass::Request) {
            return;
        }
        if let Some(answer) = binding::respond(&message, from) {
            assert!(answer.len() <= 60, "{} bytes", answer.len());
        }
        if !request::is_turn(message.method()) {
            return;
        }
        // A stranger: there is no such nonce.
        let answer = request::authenticate(&self.credentials, None, from, &message, 1_800_000_000);
        assert!(answer.is_err_and(|answer| answer.is_none_or(|answer| answer.len() <= 64)), "it must be challenged");
        // The same from a member.
        let client = Client { id: who, handle: who, addr: from };
        let user = User::for_tests(&self.credentials, member(who));
        let allocations = &mut self.allocations;
        let exchange = Exchange { allocations, client: &client, message: &message, user: &user, now: self.now };
        match exchange.perform() {
            Outcome::Answer(answer) => assert!(answer.is_some_and(|answer| answer.len() <= 120)),
            Outcome::Allocate(pending) => {
                let answer = request::allocate(&mut self.allocations, client, &message, *pending, Ok(()), self.now);
                assert!(answer.is_some_and(|answer| answer.len() <= 120));
            }
        }
        assert!(self.allocations.len() <= 4);
        assert!(self.allocations.iter().all(|allocation| allocation.entries() <= 2 * PERMISSIONS_MAX));
    }
}

fn member(who: usize) -> Member {
    let who = u8::try_from(who).unwrap();
    Member {
        room: RoomName::parse(if who.is_multiple_of(2) { "even" } else { "odd" }).unwrap(),
        peer: PeerId::from_bytes([who; 16]),
        address: IpAddr::from([192, 0, 2, who]).into(),
    }
}

#[cfg(test)]
mod tests {
    use stun_types::{
        attribute::AttributeWrite,
        message::{MessageWrite, MessageWriteExt, MessageWriteVec},
    };
    use turn_types::{
        attribute::{ChannelNumber, RequestedTransport, XorPeerAddress},
        message::{ALLOCATE, CHANNEL_BIND, CREATE_PERMISSION},
    };

    use super::*;

    fn ask(method: stun_types::message::Method, attributes: &[&dyn AttributeWrite]) -> Vec<u8> {
        let kind = stun_types::message::MessageType::from_class_method(MessageClass::Request, method);
        let mut message = Message::builder(kind, 1.into(), MessageWriteVec::new());
        attributes.iter().for_each(|attribute| message.add_attribute(*attribute).unwrap());
        message.finish()
    }

    /// A call of two members, which the corpus holds for the fuzzer to vary.
    fn call() -> Vec<u8> {
        let [one, two] = [49_152, 49_153].map(|port| ([198, 51, 100, 1], port).into());
        let allocate = ask(ALLOCATE, &[&RequestedTransport::new(17)]);
        let bind = ask(CHANNEL_BIND, &[&ChannelNumber::new(0x4000), &XorPeerAddress::new(two, 1.into())]);
        let permit = ask(CREATE_PERMISSION, &[&XorPeerAddress::new(one, 1.into())]);
        let data = [0x40, 0, 0, 3, 1, 2, 3, 0];
        let steps = [(0, &allocate[..]), (2, &allocate), (0, &bind), (2, &permit), (0, &data), (1, &data)];
        steps.iter().flat_map(|(who, frame)| [&[*who][..], frame].concat()).collect()
    }

    #[test]
    fn the_corpus_has_a_call() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/corpus/turn/call");
        assert_eq!(std::fs::read(path).ok(), Some(call()), "write it anew with this test's function");
        let mut world = World::new();
        let mut rest = &call()[..];
        let mut frames = 0;
        while let Some((who, stream)) = rest.split_first() {
            let (frame, length) = first_frame(stream).unwrap().unwrap();
            world.take(usize::from(*who), frame);
            rest = &stream[length..];
            frames += 1;
        }
        assert_eq!((frames, world.allocations.len()), (6, 2));
        assert!(world.allocations.route_channel(&0, 0x4000, 3, world.now).is_ok());
    }
}

mod model;
mod quotas;

use std::net::{IpAddr, SocketAddr};

use crate::{
    domain::{PeerId, RoomName, Timestamp},
    turn::{
        allocation::Request,
        allocations::Allocations,
        limits::{LIFETIME, Limits},
        messages::credentials::Member,
        relayed_address::RelayedAddresses,
    },
};

/// Clients are numbers, and so is the way to them.
type Numbered = Allocations<u32, u32>;

fn allocations(limits: Limits) -> Numbered {
    Allocations::new(limits, RelayedAddresses::beginning_at(0))
}

fn member(room: u8, peer: u8, address: &str) -> Member {
    Member {
        room: RoomName::parse(&format!("room-{room}")).unwrap(),
        peer: PeerId::from_bytes([peer; 16]),
        address: address.parse::<IpAddr>().unwrap().into(),
    }
}

fn request(client: u32, member: Member, now: Timestamp) -> Request<u32> {
    Request {
        handle: client,
        member,
        username: "x".into(),
        transaction: u128::from(client).into(),
        expires: now + LIFETIME,
        even_port: false,
        relayed: None,
    }
}

/// Makes an allocation, and returns its relayed address.
fn allocate(all: &mut Numbered, client: u32, member: Member, now: Timestamp) -> SocketAddr {
    all.allocate(client, request(client, member, now), now).unwrap().relayed
}

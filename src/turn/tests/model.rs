//! A million random operations, beside a model that only knows the rules.

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use super::{Numbered, allocations, member, request};
use crate::{
    domain::Timestamp,
    turn::{
        allocation::BindError,
        allocations::{Delivery, DropReason, Form},
        limits::{CHANNEL_LIFETIME, LIFETIME, Limits, PERMISSION_LIFETIME, PERMISSIONS_MAX},
        peers::{OpenNetworks, PeerPolicy},
    },
};

const OPERATIONS: u32 = 1_000_000;
const CLIENTS: u32 = 24;
const ROOMS: u8 = 4;
/// Peers outside, of an open relay.
const OUTSIDE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(8, 8, 8, 8));

#[derive(Default)]
struct Model {
    by_client: HashMap<u32, Modelled>,
    now: Timestamp,
    is_open: bool,
}

struct Modelled {
    room: u8,
    relayed: SocketAddr,
    expires: Timestamp,
    permissions: HashMap<IpAddr, Timestamp>,
    channels: HashMap<u16, (SocketAddr, Timestamp)>,
}

impl Model {
    fn alive(&self, client: u32) -> Option<&Modelled> {
        self.by_client.get(&client).filter(|own| self.now < own.expires)
    }

    fn permits(&self, client: u32, ip: IpAddr) -> bool {
        self.alive(client).is_some_and(|own| own.permissions.get(&ip).is_some_and(|until| self.now < *until))
    }

    /// Where a packet from one client to an address must go.
    fn route(&self, from: u32, peer: SocketAddr) -> Result<Delivery<u32>, DropReason> {
        let own = self.alive(from).ok_or(DropReason::Unknown)?;
        if !self.permits(from, peer.ip()) {
            return Err(DropReason::NotPermitted);
        }
        let reached = |(_, other): &(&u32, &Modelled)| {
            other.relayed == peer && other.room == own.room && self.now < other.expires
        };
        let found = self.by_client.iter().find(reached);
        if found.is_none() && self.is_open && peer.ip() == OUTSIDE {
            return Ok(Delivery { to: from, form: Form::Outside(peer) });
        }
        let (to, other) = found.ok_or(DropReason::NoPeer)?;
        if !self.permits(*to, own.relayed.ip()) {
            return Err(DropReason::NotPermitted);
        }
        Ok(Delivery { to: *to, form: self.form(other, own.relayed) })
    }

    /// Where a packet from outside must go.
    fn route_in(&self, relayed: SocketAddr, peer: SocketAddr) -> Result<Delivery<u32>, DropReason> {
        let reached = |(_, own): &(&u32, &Modelled)| own.relayed == relayed && self.now < own.expires;
        let (to, own) = self.by_client.iter().find(reached).ok_or(DropReason::Unknown)?;
        if peer.ip() != OUTSIDE {
            return Err(DropReason::NoPeer);
        }
        if !self.permits(*to, peer.ip()) {
            return Err(DropReason::NotPermitted);
        }
        Ok(Delivery { to: *to, form: self.form(own, peer) })
    }

    fn form(&self, receiver: &Modelled, from: SocketAddr) -> Form {
        let bound = receiver.channels.iter().find(|(_, (peer, until))| *peer == from && self.now < *until);
        bound.map_or(Form::Indication(from), |(number, _)| Form::Channel(*number))
    }

    fn bind(&mut self, client: u32, number: u16, peer: SocketAddr) -> Option<Result<(), BindError>> {
        let now = self.now;
        self.alive(client)?;
        let own = self.by_client.get_mut(&client)?;
        own.channels.retain(|_, (_, until)| now < *until);
        own.permissions.retain(|_, until| now < *until);
        let conflicts = |(other, (bound, _)): (&u16, &(SocketAddr, Timestamp))| (*other == number) != (*bound == peer);
        if own.channels.iter().any(conflicts) {
            return Some(Err(BindError::Conflict));
        }
        let is_new = !own.permissions.contains_key(&peer.ip());
        if is_new && own.permissions.len() == PERMISSIONS_MAX {
            return Some(Err(BindError::TooMany));
        }
        own.permissions.insert(peer.ip(), now + PERMISSION_LIFETIME);
        own.channels.insert(number, (peer, now + CHANNEL_LIFETIME));
        Some(Ok(()))
    }
}

/// Of a client that exists, or one that did, or an address that never was.
fn some_address(random: &mut fastrand::Rng, known: &[SocketAddr]) -> SocketAddr {
    match known {
        [] => "198.51.100.1:49152".parse().unwrap(),
        known => known[random.usize(known.len().saturating_sub(40)..known.len())],
    }
}

/// A seat: its room never changes, as members' never do.
fn room_of(client: u32) -> u8 {
    u8::try_from(client).unwrap() % ROOMS
}

fn step(random: &mut fastrand::Rng, all: &mut Numbered, model: &mut Model, known: &mut Vec<SocketAddr>) -> bool {
    let (client, now) = (random.u32(..CLIENTS), model.now);
    let outside = SocketAddr::new(OUTSIDE, random.u16(1..8));
    let relayed = some_address(random, known);
    let peer = if model.is_open && random.u8(..3) == 0 { outside } else { relayed };
    match random.u32(..100) {
        0..=3 => {
            let made = request(client, member(room_of(client), client as u8, "192.0.2.1"), now);
            if all.of(&client, now).is_some() {
                return false;
            }
            let relayed = all.allocate(client, made, now).unwrap().relayed;
            let (permissions, channels) = (HashMap::new(), HashMap::new());
            let modelled = Modelled { room: room_of(client), relayed, expires: now + LIFETIME, permissions, channels };
            model.by_client.insert(client, modelled);
            known.push(relayed);
        }
        4 => {
            all.remove(&client, now);
            model.by_client.remove(&client);
        }
        5 => drop(all.remove_expired(now)),
        6..=20 => {
            let permitted = all.of(&client, now).map(|own| own.permit(&[peer.ip()], now));
            assert_eq!(permitted.is_some(), model.alive(client).is_some());
            if permitted == Some(true) {
                model.by_client.get_mut(&client).unwrap().permissions.insert(peer.ip(), now + PERMISSION_LIFETIME);
            }
        }
        21..=35 => {
            let number = 0x4000 + random.u16(..6);
            let bound = all.of(&client, now).map(|own| own.bind(number, peer, now));
            assert_eq!(bound, model.bind(client, number, peer));
        }
        36..=38 => model.now = now + Duration::from_millis(random.u64(..15_000)),
        39..=45 if model.is_open => {
            let sender = if random.u8(..4) == 0 { some_address(random, known) } else { outside };
            let routed = all.route_in(relayed, sender, 0, now);
            assert_eq!(routed, model.route_in(relayed, sender));
            return routed.is_ok();
        }
        39..=65 => {
            let routed = all.route_to(&client, peer, 0, now);
            assert_eq!(routed, model.route(client, peer));
            return routed.is_ok();
        }
        _ => {
            let number = 0x4000 + random.u16(..6);
            let bound = model.alive(client).and_then(|own| own.channels.get(&number)).filter(|(_, until)| now < *until);
            let expected = bound.ok_or(DropReason::Unknown).and_then(|(peer, _)| model.route(client, *peer));
            let routed = all.route_channel(&client, number, 0, now);
            assert_eq!(routed, expected);
            return routed.is_ok();
        }
    }
    false
}

/// All addresses are of the same few hosts, so that permissions are often for the address of another room.
#[test]
fn packets_go_where_the_rules_say_and_never_to_another_room() {
    let delivered = compare(PeerPolicy::Closed, false);
    assert!(delivered > OPERATIONS / 40, "{delivered} packets: the test must not be idle");
}

/// The same of an open relay, whose addresses are the server's own.
#[test]
fn packets_to_and_from_outside_follow_the_rules_too() {
    let own = (1..=254).map(|host| [198, 51, 100, host].into()).collect();
    let networks = OpenNetworks { ipv4: true, ipv6: false, own, allowed: Vec::new(), is_local: |_| false };
    let delivered = compare(PeerPolicy::Open(networks), true);
    assert!(delivered > OPERATIONS / 40, "{delivered} packets: the test must not be idle");
}

/// The number of packets that were delivered.
fn compare(peers: PeerPolicy, is_open: bool) -> u32 {
    let mut all = allocations(Limits::default()).with_peers(peers);
    let mut model = Model { now: Timestamp::from_millis(1), is_open, ..Model::default() };
    let (mut random, mut known, mut delivered) = (fastrand::Rng::with_seed(15), Vec::new(), 0);
    for _ in 0..OPERATIONS {
        delivered += u32::from(step(&mut random, &mut all, &mut model, &mut known));
    }
    delivered
}

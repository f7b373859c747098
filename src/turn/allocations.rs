//! All allocations: who may have another, and where each packet goes. Values and functions without sockets or a clock.
//!
//! Between allocations packets pass only within one room, in memory; in an open relay they also pass to and from other peers
//! ([`peers`](super::peers)). `H` is how a client is reached; here it is only stored.

use std::{collections::HashMap, hash::Hash, net::SocketAddr, time::Duration};

use slab::Slab;

use crate::{
    domain::{PeerId, RoomName, Timestamp},
    transport::limits::shares::{Bounds, Factors, Shares},
    turn::{
        allocation::{Allocation, Request},
        limits::{Limits, PACKET_COST},
        peers::PeerPolicy,
        rate::{Meter, SharedRate},
        relayed_address::RelayedAddresses,
    },
};

/// An address alone may have half of all allocations, its network two thirds: an office is behind one address.
const FACTORS: Factors = Factors { address: 1, network: 2 };
/// Allocations that an address may have in any case: of the browsers of two people.
const ALWAYS: usize = 64;

/// `C` identifies the connection between client and server, the 5-tuple (RFC 8656 section 2.2).
#[derive(Debug)]
pub struct Allocations<C, H> {
    limits: Limits,
    all: Slab<Allocation<H>>,
    by_client: HashMap<C, usize>,
    by_relayed: HashMap<SocketAddr, usize>,
    addresses: RelayedAddresses,
    pub peers: PeerPolicy,
    per_member: HashMap<PeerId, usize>,
    per_address: Shares,
    rooms: Slab<Room>,
    rooms_by_name: HashMap<RoomName, usize>,
    rate: SharedRate,
    /// Rooms that were sending when this was last counted.
    active_rooms: usize,
    /// How long allocations that have ended existed, in all.
    ended: Duration,
}

#[derive(Debug, Default)]
struct Room {
    allocations: usize,
    sent: Meter,
}

/// Why a packet is dropped. The numbers are places in the counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DropReason {
    /// Not STUN, not TURN, or longer than any packet of the internet.
    Malformed,
    /// The client has no allocation, or the channel no peer.
    Unknown,
    /// The peer is not permitted, or does not permit this one.
    NotPermitted,
    /// There is no such peer in the room, nor may it be outside.
    NoPeer,
    /// More bytes than the allocation, or all rooms together, may send.
    OverRate,
    /// The receiver reads too slowly.
    QueueFull,
    /// The system does not send it: it is too long for the network, or there is no route.
    SendFailed,
    /// Too many requests from one address.
    OverRequestRate,
}

/// Why there is no allocation, or another would be too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AllocateError {
    /// The member or its address has as many as it may have.
    Quota,
    /// All allocations are in use.
    Capacity,
}

impl AllocateError {
    /// RFC 8656 section 7.2.
    pub fn code(self) -> u16 {
        match self {
            Self::Quota => 486,
            Self::Capacity => 508,
        }
    }
}

/// Where a packet goes, and in which form.
#[derive(Debug, PartialEq, Eq)]
pub struct Delivery<H> {
    pub to: H,
    pub form: Form,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// As ChannelData with this number.
    Channel(u16),
    /// As a Data indication from this peer.
    Indication(SocketAddr),
    /// To this peer outside, from the sender's own relayed address.
    Outside(SocketAddr),
}

impl<C: Clone + Eq + Hash, H: Clone> Allocations<C, H> {
    pub fn new(limits: Limits, addresses: RelayedAddresses) -> Self {
        Self {
            rate: SharedRate::new(limits.bytes_per_second),
            limits,
            all: Slab::new(),
            by_client: HashMap::new(),
            by_relayed: HashMap::new(),
            addresses,
            peers: PeerPolicy::Closed,
            per_member: HashMap::new(),
            per_address: Shares::default(),
            rooms: Slab::new(),
            rooms_by_name: HashMap::new(),
            active_rooms: 0,
            ended: Duration::ZERO,
        }
    }

    pub fn with_peers(self, peers: PeerPolicy) -> Self {
        Self { peers, ..self }
    }

    pub fn len(&self) -> usize {
        self.all.len()
    }

    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = &Allocation<H>> {
        self.all.iter().map(|(_, allocation)| allocation)
    }

    /// How long all allocations have existed, together.
    pub fn total_time(&self, now: Timestamp) -> Duration {
        let time = |allocation: &Allocation<H>| allocation.since.until(now.min(allocation.expires));
        self.iter().map(time).sum::<Duration>() + self.ended
    }

    /// The client's allocation, unless it has expired.
    pub fn of(&mut self, client: &C, now: Timestamp) -> Option<&mut Allocation<H>> {
        let index = *self.by_client.get(client)?;
        Some(&mut self.all[index]).filter(|allocation| allocation.is_alive(now))
    }

    /// Whether another allocation of the member is out of the question. The share of its address is not looked at.
    pub fn is_full_for(&self, peer: PeerId) -> Option<AllocateError> {
        let held = self.per_member.get(&peer).copied().unwrap_or_default();
        match self.all.len() >= self.limits.allocations {
            true => Some(AllocateError::Capacity),
            false => (held >= self.limits.allocations_per_member).then_some(AllocateError::Quota),
        }
    }

    /// Makes an allocation for a client that has none.
    pub fn allocate(
        &mut self,
        client: C,
        request: Request<H>,
        now: Timestamp,
    ) -> Result<&Allocation<H>, AllocateError> {
        // An expired one that has not been swept.
        self.remove(&client, now);
        let left = self.limits.allocations.saturating_sub(self.all.len());
        let (peer, address) = (request.member.peer, request.member.address);
        if let Some(error) = self.is_full_for(peer) {
            return Err(error);
        }
        let by_relayed = &self.by_relayed;
        let is_free = |address: &SocketAddr| !by_relayed.contains_key(address);
        let relayed = request.relayed.or_else(|| self.addresses.next(request.even_port, is_free));
        let relayed = relayed.ok_or(AllocateError::Capacity)?;
        if !self.per_address.take(address, 1, Bounds::of_left(left, FACTORS, ALWAYS)) {
            return Err(AllocateError::Quota);
        }
        *self.per_member.entry(peer).or_default() += 1;
        let room = self.enter_room(&request.member.room);
        let index = self.all.insert(Allocation::new(request, relayed, room, now));
        self.by_relayed.insert(relayed, index);
        self.by_client.insert(client, index);
        Ok(&self.all[index])
    }

    /// Ends the client's allocation.
    pub fn remove(&mut self, client: &C, now: Timestamp) -> Option<Allocation<H>> {
        let index = self.by_client.remove(client)?;
        let gone = self.all.remove(index);
        self.ended += gone.since.until(now.min(gone.expires));
        self.by_relayed.remove(&gone.relayed);
        self.per_address.give_back(gone.member.address, 1);
        if let Some(held) = self.per_member.get_mut(&gone.member.peer) {
            *held -= 1;
            if *held == 0 {
                self.per_member.remove(&gone.member.peer);
            }
        }
        self.rooms[gone.room].allocations -= 1;
        if self.rooms[gone.room].allocations == 0 {
            self.rooms.remove(gone.room);
            self.rooms_by_name.remove(&gone.member.room);
        }
        Some(gone)
    }

    /// Ends the allocations for which this says so.
    pub fn remove_if(&mut self, now: Timestamp, ends: impl Fn(&Allocation<H>) -> bool) -> Vec<Allocation<H>> {
        let ended = self.by_client.iter().filter(|(_, index)| ends(&self.all[**index]));
        let clients: Vec<C> = ended.map(|(client, _)| client.clone()).collect();
        clients.iter().filter_map(|client| self.remove(client, now)).collect()
    }

    /// Whether anything has been relayed since this moment.
    pub fn is_busy_since(&self, moment: Timestamp) -> bool {
        let is_busy = |allocation: &Allocation<H>| {
            [allocation.sent, allocation.received].iter().any(|meter| meter.is_used_since(moment))
        };
        self.iter().any(is_busy)
    }

    /// To be called at intervals.
    pub fn remove_expired(&mut self, now: Timestamp) -> Vec<Allocation<H>> {
        self.active_rooms = self.rooms.iter().filter(|(_, room)| room.sent.is_used_since(now)).count();
        self.remove_if(now, |allocation| !allocation.is_alive(now))
    }

    fn enter_room(&mut self, name: &RoomName) -> usize {
        let index = match self.rooms_by_name.get(name) {
            Some(index) => *index,
            None => {
                let index = self.rooms.insert(Room::default());
                self.rooms_by_name.insert(name.clone(), index);
                index
            }
        };
        self.rooms[index].allocations += 1;
        index
    }

    /// Routes what a client sends through a channel.
    pub fn route_channel(
        &mut self,
        client: &C,
        number: u16,
        bytes: usize,
        now: Timestamp,
    ) -> Result<Delivery<H>, DropReason> {
        let from = *self.by_client.get(client).ok_or(DropReason::Unknown)?;
        let peer = self.all[from].peer_of(number, now).ok_or(DropReason::Unknown)?;
        self.route(from, peer, bytes, now)
    }

    /// Routes what a client sends to an address by a Send indication.
    pub fn route_to(
        &mut self,
        client: &C,
        peer: SocketAddr,
        bytes: usize,
        now: Timestamp,
    ) -> Result<Delivery<H>, DropReason> {
        let from = *self.by_client.get(client).ok_or(DropReason::Unknown)?;
        self.route(from, peer, bytes, now)
    }

    /// Routes what a peer outside sends to a relayed address.
    pub fn route_in(
        &mut self,
        relayed: SocketAddr,
        peer: SocketAddr,
        bytes: usize,
        now: Timestamp,
    ) -> Result<Delivery<H>, DropReason> {
        let to = *self.by_relayed.get(&relayed).ok_or(DropReason::Unknown)?;
        let receiver = &self.all[to];
        if !receiver.is_alive(now) {
            return Err(DropReason::Unknown);
        }
        // A permission for this server's own address is for its other allocations, whose packets do not come by sockets.
        if !self.peers.is_outside(relayed, peer) {
            return Err(DropReason::NoPeer);
        }
        if !receiver.permits(peer.ip(), now) {
            return Err(DropReason::NotPermitted);
        }
        let form = receiver.channel_of(peer, now).map_or(Form::Indication(peer), Form::Channel);
        let delivery = Delivery { to: receiver.handle.clone(), form };
        self.spend(to, |allocation| &mut allocation.received, bytes, now).map(|()| delivery)
    }

    /// The only way from one allocation to another, and out. Both must permit the other, and be of one room.
    fn route(
        &mut self,
        from: usize,
        peer: SocketAddr,
        bytes: usize,
        now: Timestamp,
    ) -> Result<Delivery<H>, DropReason> {
        let to = self.by_relayed.get(&peer).copied();
        let sender = &mut self.all[from];
        if !sender.is_alive(now) {
            return Err(DropReason::Unknown);
        }
        if !sender.permits(peer.ip(), now) {
            return Err(DropReason::NotPermitted);
        }
        let (room, relayed) = (sender.room, sender.relayed);
        let delivery = match to.map(|to| &self.all[to]) {
            Some(receiver) if receiver.room == room && receiver.is_alive(now) => {
                if !receiver.permits(relayed.ip(), now) {
                    return Err(DropReason::NotPermitted);
                }
                let form = receiver.channel_of(relayed, now).map_or(Form::Indication(relayed), Form::Channel);
                Delivery { to: receiver.handle.clone(), form }
            }
            None if self.peers.is_outside(relayed, peer) => {
                Delivery { to: self.all[from].handle.clone(), form: Form::Outside(peer) }
            }
            _ => return Err(DropReason::NoPeer),
        };
        self.spend(from, |allocation| &mut allocation.sent, bytes, now).map(|()| delivery)
    }

    /// Counts a packet, if it is within the rates.
    fn spend(
        &mut self,
        index: usize,
        meter: impl FnOnce(&mut Allocation<H>) -> &mut Meter,
        bytes: usize,
        now: Timestamp,
    ) -> Result<(), DropReason> {
        let (room, bytes) = (self.all[index].room, bytes + PACKET_COST);
        let meter = meter(&mut self.all[index]);
        if !meter.has_room(now) || !self.rate.take(now, &mut self.rooms[room].sent, self.active_rooms, bytes) {
            return Err(DropReason::OverRate);
        }
        meter.add(now, bytes, self.limits.allocation_bytes_per_second);
        Ok(())
    }
}

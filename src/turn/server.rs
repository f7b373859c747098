//! The state that all clients of the relay share, however they reach it.

use std::{
    net::{IpAddr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use parking_lot::Mutex;
use stun_types::{
    attribute::AttributeStaticType,
    message::{BINDING, Message, MessageClass},
};
use turn_types::{
    attribute::{Data, XorPeerAddress},
    message::SEND,
};

use crate::{
    clock::Clock,
    engine::Engine,
    turn::{
        allocation::Allocation,
        allocations::{Allocations, Delivery, Drop},
        binding,
        counters::{Counters, Counts, Way},
        credentials::Credentials,
        endpoint::Endpoint,
        limits::{Limits, REQUESTS_PER_SECOND},
        outbox::Outbox,
        relayed_address::RelayedAddresses,
        request::{self, Outcome},
        request_rate::RequestRate,
        response,
    },
};

/// The connection between a client and this server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ClientId {
    Udp { socket: u16, local: Option<IpAddr>, addr: SocketAddr },
    Stream(u64),
}

/// How a client is reached.
#[derive(Clone, Debug)]
pub enum Handle {
    Udp { endpoint: Arc<Endpoint>, local: Option<IpAddr>, addr: SocketAddr },
    Stream { outbox: Arc<Outbox>, way: Way },
}

impl Handle {
    pub fn way(&self) -> Way {
        match self {
            Self::Udp { .. } => Way::Udp,
            Self::Stream { way, .. } => *way,
        }
    }

    /// False if the packet is dropped.
    pub fn send(&self, packet: &[u8]) -> bool {
        match self {
            Self::Udp { endpoint, local, addr } => endpoint.send(packet, *addr, *local),
            Self::Stream { outbox, .. } => outbox.push(packet),
        }
    }
}

pub type Client = request::Client<ClientId, Handle>;
type Relays = Allocations<ClientId, Handle>;

/// What a message calls for.
pub enum Step {
    Nothing,
    Reply(Vec<u8>),
    /// Whether the member has its seat must be asked first: see [`TurnServer::allocate`].
    Allocate(Box<request::Pending<Handle>>),
}

/// STUN, and TURN if there is a relay.
#[derive(Debug)]
pub struct TurnServer {
    pub engine: Engine,
    pub clock: Clock,
    pub counters: Counters,
    relay: Option<Relay>,
    rate: RequestRate,
    next_stream: AtomicU64,
}

#[derive(Debug)]
struct Relay {
    credentials: Arc<Credentials>,
    allocations: Mutex<Relays>,
}

impl TurnServer {
    /// Without credentials it only answers STUN.
    pub fn new(relay: Option<(Arc<Credentials>, Limits)>, engine: Engine, clock: Clock) -> Arc<Self> {
        let relay = relay.map(|(credentials, limits)| {
            let addresses = RelayedAddresses::beginning_at(fastrand::u32(..));
            Relay { credentials, allocations: Mutex::new(Allocations::new(limits, addresses)) }
        });
        let (counters, rate, next_stream) = (Counters::default(), RequestRate::new(clock), AtomicU64::default());
        Arc::new(Self { engine, clock, counters, relay, rate, next_stream })
    }

    pub fn has_relay(&self) -> bool {
        self.relay.is_some()
    }

    pub fn next_stream_id(&self) -> ClientId {
        ClientId::Stream(self.next_stream.fetch_add(1, Relaxed))
    }

    /// Handles a STUN message.
    pub fn handle(&self, client: &Client, bytes: &[u8]) -> Step {
        let Ok(message) = Message::from_bytes(bytes) else { return self.drop_packet(Drop::Malformed) };
        match (message.class(), message.method()) {
            (MessageClass::Request, BINDING) => self.bind(client, &message),
            (MessageClass::Request, method) if request::is_turn(method) && self.has_relay() => {
                self.request(client, &message)
            }
            (MessageClass::Indication, SEND) if self.has_relay() => self.send_indication(client, &message),
            _ => self.drop_packet(Drop::Malformed),
        }
    }

    fn bind(&self, client: &Client, message: &Message<'_>) -> Step {
        if !self.rate.allows(client.addr.ip()) {
            return self.drop_packet(Drop::OverRequestRate);
        }
        match binding::respond(message, client.addr) {
            Some(response) => {
                self.counters.answered(true);
                Step::Reply(response)
            }
            None => self.drop_packet(Drop::Malformed),
        }
    }

    fn request(&self, client: &Client, message: &Message<'_>) -> Step {
        let Some(relay) = &self.relay else { return Step::Nothing };
        let now = self.clock.now();
        let mut pays = true;
        let own = relay.allocations.lock().of(&client.id, now).map(|own| {
            pays = own.requests.take(now, 1, REQUESTS_PER_SECOND);
            own.username.clone()
        });
        if !pays || (own.is_none() && !self.rate.allows(client.addr.ip())) {
            return self.drop_packet(Drop::OverRequestRate);
        }
        let seconds = self.clock.wall_seconds();
        let user = request::authenticate(&relay.credentials, own.as_deref(), client.addr, message, seconds);
        let outcome = match user {
            Ok(user) => request::perform(&mut relay.allocations.lock(), client, message, &user, now),
            Err(answer) => Outcome::Answer(answer),
        };
        match outcome {
            Outcome::Allocate(pending) => Step::Allocate(pending),
            Outcome::Answer(answer) => self.reply(answer),
        }
    }

    /// Makes an allocation if the member still has its seat.
    pub async fn allocate(&self, client: Client, bytes: &[u8], pending: request::Pending<Handle>) -> Step {
        let member = &pending.request.member;
        let is_seated = match self.engine.seated(&member.room, &[member.peer]).await {
            Ok(seated) => !seated.is_empty(),
            // The client asks again, or uses another server.
            Err(_) => return Step::Nothing,
        };
        let (Some(relay), Ok(message)) = (&self.relay, Message::from_bytes(bytes)) else { return Step::Nothing };
        let (mut allocations, now) = (relay.allocations.lock(), self.clock.now());
        let answer = request::allocate(&mut allocations, client, &message, pending, is_seated, now);
        drop(allocations);
        self.reply(answer)
    }

    fn reply(&self, answer: Option<Vec<u8>>) -> Step {
        self.counters.answered(false);
        answer.map_or(Step::Nothing, Step::Reply)
    }

    fn drop_packet(&self, why: Drop) -> Step {
        self.counters.dropped(why);
        Step::Nothing
    }

    /// RFC 8656 section 11.3.
    fn send_indication(&self, client: &Client, message: &Message<'_>) -> Step {
        let known = [XorPeerAddress::TYPE, Data::TYPE];
        let (Ok(peer), Ok(data), true) = (
            message.attribute::<XorPeerAddress>(),
            message.attribute::<Data>(),
            response::unknown(message, &known).is_empty(),
        ) else {
            return self.drop_packet(Drop::Malformed);
        };
        let peer = peer.addr(message.transaction_id());
        self.relay(client, data.data(), |allocations, now| {
            allocations.route_to(&client.id, peer, data.data().len(), now)
        });
        Step::Nothing
    }

    /// Relays what a client sends through a channel.
    pub fn handle_channel(&self, client: &Client, number: u16, data: &[u8]) {
        self.relay(client, data, |allocations, now| allocations.route_channel(&client.id, number, data.len(), now));
    }

    fn relay(
        &self,
        client: &Client,
        data: &[u8],
        route: impl FnOnce(&mut Relays, crate::domain::Timestamp) -> Result<Delivery<Handle>, Drop>,
    ) {
        let Some(relay) = &self.relay else { return self.counters.dropped(Drop::Unknown) };
        // A statement of its own: the lock is released before anything is sent.
        let routed = route(&mut relay.allocations.lock(), self.clock.now());
        match routed.and_then(|delivery| deliver(&delivery, data)) {
            Ok(()) => self.counters.relayed(client.handle.way(), data.len()),
            Err(why) => self.counters.dropped(why),
        }
    }

    /// Ends the allocation of a connection that is closed.
    pub fn close(&self, client: &ClientId) {
        if let Some(relay) = &self.relay {
            relay.allocations.lock().remove(client, self.clock.now());
        }
    }

    pub fn has_allocation(&self, client: &ClientId) -> bool {
        self.relay.as_ref().is_some_and(|relay| relay.allocations.lock().of(client, self.clock.now()).is_some())
    }

    /// Calls this with all allocations.
    pub fn with_allocations<T>(&self, work: impl FnOnce(&mut Relays) -> T) -> Option<T> {
        self.relay.as_ref().map(|relay| work(&mut relay.allocations.lock()))
    }

    pub fn stats(&self) -> RelayStats {
        let now = self.clock.now();
        let (mut allocations, mut time) = ([0; 3], std::time::Duration::ZERO);
        self.with_allocations(|all| {
            all.iter().for_each(|allocation: &Allocation<Handle>| allocations[allocation.handle.way() as usize] += 1);
            time = all.total_time(now);
        });
        RelayStats { has_relay: self.has_relay(), allocations, time, counts: self.counters.snapshot() }
    }
}

/// Figures for metrics.
#[derive(Clone, Debug, Default)]
pub struct RelayStats {
    pub has_relay: bool,
    /// By how their clients reach the relay.
    pub allocations: [usize; 3],
    /// How long all allocations have existed, together.
    pub time: std::time::Duration,
    pub counts: Counts,
}

thread_local! {
    static PACKET: std::cell::RefCell<Vec<u8>> = const { std::cell::RefCell::new(Vec::new()) };
}

fn deliver(delivery: &Delivery<Handle>, data: &[u8]) -> Result<(), Drop> {
    PACKET.with_borrow_mut(|packet| {
        packet.clear();
        response::write_packet(delivery.form, data, packet);
        if delivery.to.send(packet) { Ok(()) } else { Err(Drop::QueueFull) }
    })
}

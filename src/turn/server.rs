//! The state that all clients of the relay share, however they reach it.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
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
    domain::Timestamp,
    engine::Engine,
    transport::client_address::TrustedProxies,
    turn::{
        allocation::Allocation,
        allocations::{Allocations, Delivery, DropReason},
        counters::{Counters, Counts, Transport},
        limits::{Limits, REQUESTS_PER_SECOND},
        messages::binding,
        messages::credentials::Credentials,
        messages::request::{self, Exchange, Outcome},
        messages::response,
        net::endpoint::Endpoint,
        net::outbox::Outbox,
        net::request_rate::RequestRate,
        relayed_address::RelayedAddresses,
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
    Stream { outbox: Arc<Outbox>, transport: Transport },
}

impl Handle {
    pub fn transport(&self) -> Transport {
        match self {
            Self::Udp { .. } => Transport::Udp,
            Self::Stream { transport, .. } => *transport,
        }
    }

    pub fn send(&self, packet: &[u8]) -> Result<(), DropReason> {
        match self {
            Self::Udp { endpoint, local, addr } => {
                endpoint.send(packet, *addr, *local).map_err(|error| match error.kind() {
                    io::ErrorKind::WouldBlock => DropReason::QueueFull,
                    _ => DropReason::SendFailed,
                })
            }
            Self::Stream { outbox, .. } if outbox.push(packet) => Ok(()),
            Self::Stream { .. } => Err(DropReason::QueueFull),
        }
    }

    fn is_datagram(&self) -> bool {
        matches!(self, Self::Udp { .. })
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
    proxies: Arc<TrustedProxies>,
    next_stream: AtomicU64,
}

#[derive(Debug)]
struct Relay {
    credentials: Arc<Credentials>,
    allocations: Mutex<Relays>,
}

impl TurnServer {
    /// Without credentials it only answers STUN.
    pub fn new(
        relay: Option<(Arc<Credentials>, Limits)>,
        engine: Engine,
        proxies: Arc<TrustedProxies>,
        clock: Clock,
    ) -> Arc<Self> {
        let relay = relay.map(|(credentials, limits)| {
            let addresses = RelayedAddresses::beginning_at(fastrand::u32(..));
            Relay { credentials, allocations: Mutex::new(Allocations::new(limits, addresses)) }
        });
        let (counters, rate, next_stream) = (Counters::default(), RequestRate::new(clock), AtomicU64::default());
        Arc::new(Self { engine, clock, counters, relay, rate, proxies, next_stream })
    }

    pub fn has_relay(&self) -> bool {
        self.relay.is_some()
    }

    pub fn next_stream_id(&self) -> ClientId {
        ClientId::Stream(self.next_stream.fetch_add(1, Relaxed))
    }

    /// Handles a STUN message.
    pub fn handle(&self, client: &Client, bytes: &[u8]) -> Step {
        let Ok(message) = Message::from_bytes(bytes) else { return self.drop_packet(DropReason::Malformed) };
        match (message.class(), message.method()) {
            (MessageClass::Request, BINDING) => self.answer_binding(client, &message),
            // Keeps a NAT open (RFC 8489 section 1).
            (MessageClass::Indication, BINDING) => Step::Nothing,
            (MessageClass::Request, method) if request::is_turn(method) && self.has_relay() => {
                self.request(client, &message)
            }
            (MessageClass::Indication, SEND) if self.has_relay() => self.send_indication(client, &message),
            _ => self.drop_packet(DropReason::Malformed),
        }
    }

    fn answer_binding(&self, client: &Client, message: &Message<'_>) -> Step {
        if !self.may_answer(client) {
            return self.refuse_for_now(client, message);
        }
        match binding::respond(message, client.addr) {
            Some(response) => {
                self.counters.answered(true);
                Step::Reply(response)
            }
            None => self.drop_packet(DropReason::Malformed),
        }
    }

    /// Whether a stranger's request is within the rate. A trusted proxy speaks for many clients.
    fn may_answer(&self, client: &Client) -> bool {
        let ip = client.addr.ip().to_canonical();
        self.proxies.trusts(ip) || self.rate.allows(ip, client.handle.is_datagram())
    }

    /// Over UDP the client repeats its request. Over a stream it would wait for ever.
    fn refuse_for_now(&self, client: &Client, message: &Message<'_>) -> Step {
        self.counters.dropped(DropReason::OverRequestRate);
        let answer = (!client.handle.is_datagram()).then(|| response::error(message, None, 500)).flatten();
        answer.map_or(Step::Nothing, Step::Reply)
    }

    fn request(&self, client: &Client, message: &Message<'_>) -> Step {
        let Some(relay) = &self.relay else { return Step::Nothing };
        let now = self.clock.now();
        let own = relay.allocations.lock().of(&client.id, now).map(|own| own.username.clone());
        if own.is_none() && !self.may_answer(client) {
            return self.refuse_for_now(client, message);
        }
        let seconds = self.clock.wall_seconds();
        match request::authenticate(&relay.credentials, own.as_deref(), client.addr, message, seconds) {
            // A forged request must not use up what the client of an allocation may ask for.
            Err(_) if own.is_some() && !self.may_answer(client) => self.refuse_for_now(client, message),
            Err(answer) => self.reply(answer),
            Ok(user) => {
                let mut allocations = relay.allocations.lock();
                let meter = allocations.of(&client.id, now).map(|own| &mut own.requests);
                if meter.is_some_and(|meter| !meter.take(now, 1, REQUESTS_PER_SECOND)) {
                    return self.refuse_for_now(client, message);
                }
                let exchange = Exchange { allocations: &mut allocations, client, message, user: &user, now };
                match exchange.perform() {
                    Outcome::Allocate(pending) => Step::Allocate(pending),
                    Outcome::Answer(answer) => self.reply(answer),
                }
            }
        }
    }

    /// Makes an allocation if the member still has its seat.
    pub async fn allocate(&self, client: Client, bytes: &[u8], pending: request::Pending<Handle>) -> Step {
        let member = &pending.request.member;
        let seated = self.engine.seated(&member.room, &[member.peer]).await;
        let (Some(relay), Ok(message)) = (&self.relay, Message::from_bytes(bytes)) else { return Step::Nothing };
        let Ok(seated) = seated else { return self.refuse_for_now(&client, &message) };
        if self.engine.is_draining() {
            return self.reply(response::error(&message, None, 508));
        }
        let (mut allocations, now) = (relay.allocations.lock(), self.clock.now());
        let answer = request::allocate(&mut allocations, client, &message, pending, !seated.is_empty(), now);
        drop(allocations);
        self.reply(answer)
    }

    fn reply(&self, answer: Option<Vec<u8>>) -> Step {
        self.counters.answered(false);
        answer.map_or(Step::Nothing, Step::Reply)
    }

    fn drop_packet(&self, why: DropReason) -> Step {
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
            return self.drop_packet(DropReason::Malformed);
        };
        let peer = peer.addr(message.transaction_id());
        // What is dropped is counted.
        let _ = self.relay(client, data.data(), |allocations, now| {
            allocations.route_to(&client.id, peer, data.data().len(), now)
        });
        Step::Nothing
    }

    /// Relays what a client sends through a channel.
    pub fn handle_channel(&self, client: &Client, number: u16, data: &[u8]) -> Result<(), DropReason> {
        self.relay(client, data, |allocations, now| allocations.route_channel(&client.id, number, data.len(), now))
    }

    fn relay(
        &self,
        client: &Client,
        data: &[u8],
        route: impl FnOnce(&mut Relays, Timestamp) -> Result<Delivery<Handle>, DropReason>,
    ) -> Result<(), DropReason> {
        // A statement of its own: the lock is released before anything is sent.
        let routed = self.with_allocations(|allocations| route(allocations, self.clock.now()));
        let relayed = routed.unwrap_or(Err(DropReason::Unknown)).and_then(|delivery| deliver(&delivery, data));
        match relayed {
            Ok(()) => self.counters.relayed(client.handle.transport(), data.len()),
            Err(why) => self.counters.dropped(why),
        }
        relayed
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

    /// Whether anything has been relayed in this last time. Browsers allocate for calls that then need no relay, too.
    pub fn is_busy(&self, span: Duration) -> bool {
        let since = self.clock.now().micros().saturating_sub(span.as_micros() as u64);
        self.with_allocations(|all| all.is_busy_since(Timestamp::from_micros(since))).unwrap_or_default()
    }

    pub fn stats(&self) -> RelayStats {
        let now = self.clock.now();
        let (mut allocations, mut time) = ([0; 3], Duration::ZERO);
        self.with_allocations(|all| {
            all.iter()
                .for_each(|allocation: &Allocation<Handle>| allocations[allocation.handle.transport() as usize] += 1);
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
    pub time: Duration,
    pub counts: Counts,
}

thread_local! {
    static PACKET: std::cell::RefCell<Vec<u8>> = const { std::cell::RefCell::new(Vec::new()) };
}

fn deliver(delivery: &Delivery<Handle>, data: &[u8]) -> Result<(), DropReason> {
    PACKET.with_borrow_mut(|packet| {
        packet.clear();
        response::write_packet(delivery.form, data, packet);
        delivery.to.send(packet)
    })
}

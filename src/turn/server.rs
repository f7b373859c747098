//! The state that all clients of the relay share, however they reach it.

use std::{
    net::SocketAddr,
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
        allocations::{Allocations, Delivery, DropReason, Form},
        counters::{Counters, Counts},
        limits::{FRAME_MAX, Limits, REQUESTS_PER_SECOND},
        messages::binding,
        messages::credentials::Credentials,
        messages::request::{self, Exchange, Outcome},
        messages::response,
        net::handle::{ClientId, Handle},
        net::peer_sockets::PeerSockets,
        net::request_rate::RequestRate,
        peers::PeerPolicy,
        relayed_address::RelayedAddresses,
    },
};

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
    /// Of an open relay.
    sockets: Option<PeerSockets>,
}

/// What a relay is made from.
#[derive(Debug)]
pub struct RelayParts {
    pub credentials: Arc<Credentials>,
    pub limits: Limits,
    pub peers: PeerPolicy,
    pub sockets: Option<PeerSockets>,
}

impl TurnServer {
    /// Without a relay it only answers STUN.
    pub fn new(relay: Option<RelayParts>, engine: Engine, proxies: Arc<TrustedProxies>, clock: Clock) -> Arc<Self> {
        let relay = relay.map(|RelayParts { credentials, limits, peers, sockets }| {
            let addresses = RelayedAddresses::beginning_at(fastrand::u32(..));
            let allocations = Mutex::new(Allocations::new(limits, addresses).with_peers(peers));
            Relay { credentials, allocations, sockets }
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
    pub async fn allocate(
        self: &Arc<Self>,
        client: Client,
        bytes: &[u8],
        mut pending: request::Pending<Handle>,
    ) -> Step {
        let member = &pending.request.member;
        let seated = self.engine.seated(&member.room, &[member.peer]).await;
        let (Some(relay), Ok(message)) = (&self.relay, Message::from_bytes(bytes)) else { return Step::Nothing };
        let Ok(seated) = seated else { return self.refuse_for_now(&client, &message) };
        let refused = match &relay.sockets {
            _ if self.engine.is_draining() => Err(508),
            _ if seated.is_empty() => Err(403),
            Some(sockets) => self.open_socket(relay, sockets, &mut pending),
            None => Ok(()),
        };
        let (mut allocations, now) = (relay.allocations.lock(), self.clock.now());
        let answer = request::allocate(&mut allocations, client, &message, pending, refused, now);
        drop(allocations);
        self.reply(answer)
    }

    /// Opens the socket of an allocation; otherwise the error code.
    fn open_socket(
        self: &Arc<Self>,
        relay: &Relay,
        sockets: &PeerSockets,
        pending: &mut request::Pending<Handle>,
    ) -> Result<(), u16> {
        let full = relay.allocations.lock().is_full_for(pending.request.member.peer);
        full.map_or(Ok(()), |error| Err(error.code()))?;
        let failed = |error: std::io::Error| {
            tracing::debug!(%error, "no socket for an allocation");
            508_u16
        };
        let (socket, relayed) = sockets.bind(pending.family, pending.request.even_port).map_err(failed)?;
        let server = self.clone();
        let take = move |peer, packet: &[u8]| server.handle_outside(relayed, peer, packet);
        let socket = sockets.serve(socket, take).map_err(failed)?;
        pending.request.relayed = Some(relayed);
        pending.request.handle = Handle::Open(Arc::new((pending.request.handle.clone(), socket)));
        Ok(())
    }

    /// The sockets of an open relay are served by the caller's runtime.
    pub fn serve_sockets_here(&self) {
        if let Some(sockets) = self.relay.as_ref().and_then(|relay| relay.sockets.as_ref()) {
            sockets.serve_here();
        }
    }

    /// Relays what a peer outside has sent to a relayed address.
    pub fn handle_outside(&self, relayed: SocketAddr, peer: SocketAddr, data: &[u8]) {
        if data.len() > FRAME_MAX {
            return self.counters.dropped(DropReason::Malformed);
        }
        let now = self.clock.now();
        let routed = self.with_allocations(|allocations| allocations.route_in(relayed, peer, data.len(), now));
        let delivered = routed.unwrap_or(Err(DropReason::Unknown)).and_then(|delivery| {
            let transport = delivery.to.transport();
            deliver(&delivery, data).map(|()| transport)
        });
        match delivered {
            Ok(transport) => self.counters.relayed(transport, data.len()),
            Err(why) => self.counters.dropped(why),
        }
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
    if let Form::Outside(peer) = delivery.form {
        return delivery.to.send_outside(data, peer);
    }
    PACKET.with_borrow_mut(|packet| {
        packet.clear();
        response::write_packet(delivery.form, data, packet);
        delivery.to.send(packet)
    })
}

//! All connections: how many may be open, from which addresses, and when they are overdue.
//!
//! actix does not limit connections by address or requests by HTTP/2 connection, has no time-out for a client that stops
//! reading, and stops accepting at its limit instead of refusing.

use std::{
    collections::HashMap,
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use parking_lot::Mutex;

use crate::transport::{
    Overload, Request,
    client_address::{AddressKey, TrustedProxies},
    limits::{
        Clock, HEADER_FIELDS_MAX,
        connection::{Connection, RequestGuard},
        memory_budget::{MemoryBudget, Reservation},
        shares::{Bounds, Factors, Shares},
    },
};

#[derive(Clone, Copy, Debug)]
pub struct ConnectionLimits {
    /// Open connections. On further ones, requests are answered 503.
    pub total: usize,
    /// Open connections from one address (IPv6: a /64) that is not a trusted proxy. Further ones are closed. By default twice
    /// as many as it leaves to others.
    pub per_address: Option<usize>,
    /// How long a connection stays open without a request.
    pub idle: Duration,
    /// Bytes of bodies and responses in memory.
    pub memory_bytes: usize,
    /// Bytes in the largest body.
    pub body_bytes: usize,
}

/// Of an address two thirds of all connections, if it is alone, and of a network three quarters. More than of other things: each seat
/// of an office has a parked poll.
const FACTORS: Factors = Factors { address: 2, network: 3 };
/// Connections that an address may have in any case, if the limit on all is small: a browser opens six.
const ALWAYS: usize = 8;
/// Requests in flight on one connection; browsers open at most a hundred HTTP/2 streams.
const REQUESTS_PER_CONNECTION: usize = 100;
/// Memory for a request beyond the first on a connection.
const REQUEST_BYTES: usize = 8 * 1024;
/// How long a client may take to read a small response; the idle time-out, if that is shorter.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(60);
/// The slowest a client may read a large one.
const BYTES_PER_SECOND: usize = 2048;
/// Connections over the limit that are accepted and answered 503. The rest are closed.
const REFUSED_POLITELY: usize = 128;

#[derive(Debug)]
pub struct ConnectionRegistry {
    limits: ConnectionLimits,
    proxies: Arc<TrustedProxies>,
    clock: Clock,
    next: AtomicU64,
    pub memory: Arc<MemoryBudget>,
    draining: AtomicBool,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    by_number: HashMap<u64, Arc<Connection>>,
    /// Connections of addresses.
    shares: Shares,
}

/// Keeps a connection in the registry until dropped.
#[derive(Debug)]
pub struct Slot {
    registry: Arc<ConnectionRegistry>,
    pub connection: Arc<Connection>,
    number: u64,
    address: Option<AddressKey>,
}

impl ConnectionRegistry {
    pub fn new(limits: ConnectionLimits, proxies: Arc<TrustedProxies>, clock: Clock) -> Arc<Self> {
        let memory = MemoryBudget::new(limits.memory_bytes);
        let (next, draining) = (AtomicU64::default(), AtomicBool::default());
        Arc::new(Self { limits, proxies, clock, next, memory, draining, open: Mutex::default() })
    }

    /// Registers an accepted connection, or refuses it.
    pub fn admit(self: &Arc<Self>, peer: SocketAddr) -> io::Result<Slot> {
        // A trusted proxy speaks for many clients, so its connections are not counted by address.
        let address = (!self.proxies.trusts(peer.ip().to_canonical())).then(|| peer.ip().into());
        let mut open = self.open.lock();
        let total = open.by_number.len() + 1;
        let bounds = self.bounds(self.limits.total.saturating_sub(total - 1));
        let may_add = total <= self.limits.total + REFUSED_POLITELY
            && address.is_none_or(|address| open.shares.take(address, 1, bounds));
        if !may_add {
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        let connection = Arc::new(Connection::new(self.clock.clone(), total > self.limits.total));
        let number = self.next.fetch_add(1, Relaxed);
        open.by_number.insert(number, connection.clone());
        drop(open);
        Ok(Slot { registry: self.clone(), connection, number, address })
    }

    /// What one address may have, if `left` connections are available. When none are, every request is answered with 503.
    fn bounds(&self, left: usize) -> Bounds {
        match self.limits.per_address {
            Some(limit) => Bounds::fixed(limit),
            None if left == 0 => Bounds::NONE,
            None => Bounds::of_left(left, FACTORS, ALWAYS),
        }
    }

    /// Closes connections that are idle, whose next request does not arrive in time, or whose clients do not read.
    pub fn close_overdue(&self) {
        let now = self.clock.millis();
        for connection in self.open.lock().by_number.values() {
            connection.close_if_overdue(now, self.limits.idle);
        }
    }

    /// Closes idle HTTP/1 connections now, and the others after the responses in flight.
    pub fn drain(&self) {
        self.draining.store(true, Relaxed);
        for connection in self.open.lock().by_number.values() {
            connection.wake();
        }
    }

    pub fn is_draining(&self) -> bool {
        self.draining.load(Relaxed)
    }

    pub fn idle_limit(&self) -> Duration {
        self.limits.idle
    }

    pub fn count(&self) -> usize {
        self.open.lock().by_number.len()
    }

    /// Admits a request until the returned value is dropped, or refuses it.
    pub fn begin(&self, request: &mut Request) -> Result<InFlight, Overload> {
        if request.connection().over_limit {
            return Err(Overload::Connections);
        }
        if request.headers().count() > HEADER_FIELDS_MAX {
            request.drop_headers();
            return Err(Overload::HeaderFields(HEADER_FIELDS_MAX));
        }
        let guard = request.connection().begin(request.content_length(), self.limits.body_bytes);
        let client = self.proxies.client(request.peer().ip(), request.headers());
        let mut reservation = self.memory.reservation(Some(client.into()));
        if guard.others >= REQUESTS_PER_CONNECTION {
            return Err(Overload::Requests(guard.others));
        }
        if guard.others > 0 && !reservation.grow(REQUEST_BYTES) {
            return Err(Overload::Memory);
        }
        Ok(InFlight { guard, reservation, response_timeout: self.limits.idle.min(RESPONSE_TIMEOUT) })
    }
}

/// A request in flight, and the memory it uses.
#[derive(Debug)]
pub struct InFlight {
    guard: RequestGuard,
    reservation: Reservation,
    response_timeout: Duration,
}

impl InFlight {
    /// Sets the time-out for sending a response of this size. False if it does not fit into memory.
    pub fn response_ready(&mut self, size: usize) -> bool {
        let fits = self.reservation.grow(size);
        self.guard.response_due(self.response_timeout + Duration::from_secs((size / BYTES_PER_SECOND) as u64));
        fits
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut open = self.registry.open.lock();
        open.by_number.remove(&self.number);
        if let Some(address) = self.address {
            open.shares.give_back(address, 1);
        }
    }
}

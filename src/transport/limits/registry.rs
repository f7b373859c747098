//! Connections: how many there may be, from where, for how long with nothing on them, and how much they may bring.
//!
//! actix bounds neither the connections of one address nor the requests on one HTTP/2 connection, has no time-out for a
//! client that takes no answers, and lets clients hang when it has enough. All that is done here and in `watched`.

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use parking_lot::Mutex;

use crate::transport::{
    Overload, Request,
    client_address::{AddressKey, TrustedProxies},
    limits::{
        Clock, HEADER_FIELDS_MAX,
        connection::{Connection, InRequest},
        memory_budget::{MemoryBudget, Reservation},
    },
};

#[derive(Clone, Copy, Debug)]
pub struct ConnectionLimits {
    /// Connections at once. Beyond them, requests are answered 503.
    pub total: usize,
    /// Connections at once from one address (IPv6: a /64) that is not a trusted proxy. Beyond them, they are closed.
    pub per_address: usize,
    /// How long a connection may stay open with no request on it.
    pub idle: Duration,
    /// Bytes of requests and answers that are on their way.
    pub transit_bytes: usize,
    /// The longest body there may be.
    pub body_bytes: usize,
}

/// Requests at once on one connection; a browser has no more than a hundred streams of HTTP/2.
const REQUESTS_PER_CONNECTION: usize = 100;
/// What a request beyond the first on a connection takes in memory while it is under way.
const REQUEST_BYTES: usize = 8 * 1024;
/// The longest a client may take over a small answer.
const PATIENCE: Duration = Duration::from_secs(60);
/// A client has a second more for each so many bytes of an answer.
const BYTES_PER_SECOND: usize = 2048;
/// Connections beyond the limit that are still told so. The rest is closed without a word.
const TOLD: usize = 128;

#[derive(Debug)]
pub struct ConnectionRegistry {
    limits: ConnectionLimits,
    proxies: Arc<TrustedProxies>,
    clock: Clock,
    next: AtomicU64,
    pub memory: Arc<MemoryBudget>,
    draining: AtomicBool,
    /// One lock: it is taken when a connection comes, goes, or all are looked through.
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    by_number: HashMap<u64, Arc<Connection>>,
    by_address: HashMap<AddressKey, usize>,
}

/// A connection's place among all of them, given back when dropped.
#[derive(Debug)]
pub struct Seat {
    connections: Arc<ConnectionRegistry>,
    connection: Arc<Connection>,
    number: u64,
    address: Option<AddressKey>,
}

impl ConnectionRegistry {
    pub fn new(limits: ConnectionLimits, proxies: Arc<TrustedProxies>, clock: Clock) -> Arc<Self> {
        let memory = MemoryBudget::new(limits.transit_bytes);
        let (next, draining) = (AtomicU64::new(0), AtomicBool::new(false));
        Arc::new(Self { limits, proxies, clock, next, memory, draining, open: Mutex::default() })
    }

    /// Takes a connection that has come, or refuses it.
    pub fn admit(self: &Arc<Self>, peer: SocketAddr) -> std::io::Result<Seat> {
        let address = self.counted(peer.ip());
        let mut open = self.open.lock();
        let total = open.by_number.len() + 1;
        let from_there = address.map_or(0, |address| open.by_address.get(&address).map_or(1, |count| count + 1));
        if from_there > self.limits.per_address || total > self.limits.total + TOLD {
            return Err(std::io::ErrorKind::ConnectionRefused.into());
        }
        if let Some(address) = address {
            open.by_address.insert(address, from_there);
        }
        let connection = Arc::new(Connection::new(self.clock.clone(), total > self.limits.total));
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        open.by_number.insert(number, connection.clone());
        drop(open);
        Ok(Seat { connections: self.clone(), connection, number, address })
    }

    /// Ends connections that have had nothing on them for too long: an idle one, or one whose next request does not
    /// come whole in time; and those whose clients do not take their answers.
    pub fn close_overdue(&self) {
        let now = self.clock.millis();
        let open = self.open.lock();
        for connection in open.by_number.values() {
            connection.close_if_overdue(now, self.limits.idle);
        }
    }

    /// The server stops: over HTTP/1 idle connections end now, and others after the answers that are under way.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Release);
        for connection in self.open.lock().by_number.values() {
            connection.wake();
        }
    }

    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }

    pub fn idle_limit(&self) -> Duration {
        self.limits.idle
    }

    pub fn count(&self) -> usize {
        self.open.lock().by_number.len()
    }

    /// A request begins; its end is the drop of what is returned.
    pub fn begin(&self, request: &mut Request) -> Result<InFlight, Overload> {
        if request.connection().over_limit {
            return Err(Overload::Connections);
        }
        if request.headers().count() > HEADER_FIELDS_MAX {
            request.drop_headers();
            return Err(Overload::HeaderFields(HEADER_FIELDS_MAX));
        }
        let connection = request.connection();
        let in_request = connection.begin(request.content_length(), self.limits.body_bytes);
        let before = in_request.before;
        let mut reservation = self.memory.reservation();
        if before >= REQUESTS_PER_CONNECTION {
            return Err(Overload::Requests(before));
        }
        if before > 0 && !reservation.grow(REQUEST_BYTES) {
            return Err(Overload::Memory);
        }
        Ok(InFlight { in_request, reservation, patience: self.limits.idle.min(PATIENCE) })
    }

    /// Behind a trusted proxy are many clients.
    fn counted(&self, ip: IpAddr) -> Option<AddressKey> {
        (!self.proxies.trusts(ip.to_canonical())).then(|| ip.into())
    }
}

/// A request that is under way, and the memory it takes.
#[derive(Debug)]
pub struct InFlight {
    in_request: InRequest,
    reservation: Reservation,
    /// How long its client may take over a small answer.
    patience: Duration,
}

impl InFlight {
    /// An answer of this size is about to be sent: its client has some time to take it. Whether there is memory for it.
    pub fn answer(&mut self, size: usize) -> bool {
        let fits = self.reservation.grow(size);
        self.in_request.answer_due(self.patience + Duration::from_secs((size / BYTES_PER_SECOND) as u64));
        fits
    }
}

impl Seat {
    pub fn connection(&self) -> &Arc<Connection> {
        &self.connection
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut open = self.connections.open.lock();
        open.by_number.remove(&self.number);
        let Some(address) = self.address else { return };
        if let Some(count) = open.by_address.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                open.by_address.remove(&address);
            }
        }
    }
}

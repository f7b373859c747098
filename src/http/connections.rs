//! Connections: how many there may be, from where, and for how long with nothing on them.
//!
//! actix bounds neither the connections of one address nor the requests on one HTTP/2 connection, has no time-out for a
//! request head after the first on a connection, and lets clients hang when it has enough. All that is done here.

use std::{
    any::Any,
    collections::HashMap,
    net::{IpAddr, Shutdown, TcpStream as StdStream},
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use actix_web::{
    dev::{Extensions, ServiceRequest},
    rt::net::TcpStream,
};
use parking_lot::Mutex;

use super::{
    TrustedProxies,
    address::AddressKey,
    problem::{Code, Problem},
};
use crate::clock::Clock;

#[derive(Clone, Copy, Debug)]
pub struct ConnectionLimits {
    /// Connections at once. Beyond them, requests are answered 503.
    pub total: usize,
    /// Connections at once from one address (IPv6: a /64) that is not a trusted proxy. Beyond them, they are closed.
    pub per_address: usize,
    /// How long a connection may stay open with no request on it.
    pub idle: Duration,
}

/// Requests at once on one connection; a browser has no more than a hundred streams of HTTP/2.
const REQUESTS_PER_CONNECTION: usize = 100;
/// Connections beyond the limit that are still told so. The rest is closed without a word.
const TOLD: usize = 1000;

#[derive(Debug)]
pub struct Connections {
    limits: ConnectionLimits,
    proxies: Arc<TrustedProxies>,
    clock: Clock,
    next: AtomicU64,
    /// One lock: it is taken when a connection comes, goes, or all are looked through.
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    by_number: HashMap<u64, Arc<Connection>>,
    by_address: HashMap<AddressKey, usize>,
}

/// One connection, as its requests see it.
#[derive(Debug)]
pub struct Connection {
    requests: AtomicUsize,
    /// When there was last something on it, in milliseconds of our clock.
    heard: AtomicU64,
    over_limit: bool,
    /// A second handle, by which it can be closed from outside.
    stream: Option<StdStream>,
}

/// What actix keeps with the connection; dropped with it.
struct Guard {
    connections: Arc<Connections>,
    connection: Arc<Connection>,
    number: u64,
    address: Option<AddressKey>,
}

impl Connections {
    pub fn new(limits: ConnectionLimits, proxies: Arc<TrustedProxies>, clock: Clock) -> Arc<Self> {
        Arc::new(Self { limits, proxies, clock, next: AtomicU64::new(0), open: Mutex::default() })
    }

    /// For `HttpServer::on_connect`.
    pub fn accept(self: &Arc<Self>, io: &dyn Any, data: &mut Extensions) {
        let Some(stream) = tcp(io) else { return };
        let Some(ip) = stream.peer_addr().ok().map(|peer| peer.ip()) else { return };
        let address = self.counted(ip);
        let handle = || socket(stream);
        let mut open = self.open.lock();
        let total = open.by_number.len() + 1;
        let from_there = address.map_or(0, |address| {
            let count = open.by_address.entry(address).or_default();
            *count += 1;
            *count
        });
        // A second handle costs a descriptor, so when they become scarce some connections go unwatched.
        let watched = total <= self.limits.total / 2;
        let refused = from_there > self.limits.per_address || total > self.limits.total + TOLD;
        let connection = Arc::new(Connection {
            requests: AtomicUsize::new(0),
            heard: AtomicU64::new(self.clock.now().millis()),
            over_limit: total > self.limits.total,
            stream: if watched && !refused { handle() } else { None },
        });
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        open.by_number.insert(number, connection.clone());
        drop(open);
        data.insert(Guard { connections: self.clone(), connection: connection.clone(), number, address });
        data.insert(connection);
        if refused && let Some(stream) = handle() {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// Closes connections that have had nothing on them for too long: an idle one, or one whose next request does not
    /// come to the end of its head.
    pub fn close_the_idle(&self) {
        let now = self.clock.now().millis();
        let idle = u64::try_from(self.limits.idle.as_millis()).unwrap_or(u64::MAX);
        for connection in self.open.lock().by_number.values() {
            let silent = now.saturating_sub(connection.heard.load(Ordering::Relaxed)) > idle;
            if silent
                && connection.requests.load(Ordering::Acquire) == 0
                && let Some(stream) = &connection.stream
            {
                let _ = stream.shutdown(Shutdown::Both);
            }
        }
    }

    pub fn idle_limit(&self) -> Duration {
        self.limits.idle
    }

    pub fn count(&self) -> usize {
        self.open.lock().by_number.len()
    }

    /// A request begins; its end is the drop of what is returned.
    pub fn begin(&self, request: &ServiceRequest) -> Result<Option<InRequest>, Problem> {
        let Some(connection) = request.conn_data::<Arc<Connection>>().cloned() else { return Ok(None) };
        if connection.over_limit {
            let detail = "The server has as many connections as it may have.";
            return Err(Problem::new(Code::TooManyConnections, detail).retry_after(Duration::from_secs(2)));
        }
        let before = connection.requests.fetch_add(1, Ordering::AcqRel);
        let counted = InRequest { connection, clock: self.clock };
        if before >= REQUESTS_PER_CONNECTION {
            let detail = format!("There are {before} requests on this connection already.");
            return Err(Problem::new(Code::RateLimited, detail).retry_after(Duration::from_secs(1)));
        }
        Ok(Some(counted))
    }

    /// Behind a trusted proxy are many clients.
    fn counted(&self, ip: IpAddr) -> Option<AddressKey> {
        (!self.proxies.trusts(ip.to_canonical())).then(|| ip.into())
    }
}

/// A request that is on a connection.
#[derive(Debug)]
pub struct InRequest {
    connection: Arc<Connection>,
    clock: Clock,
}

impl Drop for InRequest {
    fn drop(&mut self) {
        self.connection.heard.store(self.clock.now().millis(), Ordering::Relaxed);
        self.connection.requests.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Drop for Guard {
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

impl std::fmt::Debug for Guard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Guard({}, {:?})", self.number, self.connection)
    }
}

type Encrypted = actix_tls::accept::rustls_0_23::TlsStream<TcpStream>;

/// The TCP stream under a connection, plain or encrypted.
fn tcp(io: &dyn Any) -> Option<&TcpStream> {
    io.downcast_ref::<TcpStream>().or_else(|| io.downcast_ref::<Encrypted>().map(|stream| stream.get_ref().0))
}

fn socket(stream: &TcpStream) -> Option<StdStream> {
    socket2::SockRef::from(stream).try_clone().ok().map(Into::into)
}

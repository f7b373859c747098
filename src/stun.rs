//! A STUN Binding responder (RFC 8489): tells each client by UDP from which address its request came, which a peer behind
//! a NAT needs to know.
//!
//! A response must come from the address the request was sent to (RFC 8489 section 6.3.1.2): connected sockets see no
//! other. On a wildcard address the kernel would choose the source by its routes, so each response names it (IP_PKTINFO).
//!
//! Source addresses can be forged. So that the responder is useless for amplification, a response has only the address (32
//! bytes, or 44 for IPv6, to a request of at least 20), rates are limited for each address and in all, and the memory for
//! them has a fixed size.

use std::{
    hash::{BuildHasher, RandomState},
    io::IoSliceMut,
    net::{IpAddr, SocketAddr},
    num::NonZeroU32,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use governor::{
    Quota, RateLimiter,
    middleware::NoOpMiddleware,
    state::{InMemoryState, NotKeyed, keyed::DashMapStateStore},
};
use quinn_udp::{RecvMeta, Transmit, UdpSocketState};
use stun_types::{
    attribute::{
        Attribute, AttributeStaticType, AttributeType, ErrorCode, Fingerprint, UnknownAttributes, XorMappedAddress,
    },
    message::{BINDING, Message, MessageClass, MessageWrite, MessageWriteExt, MessageWriteVec},
};
use tokio::{io::Interest, net::UdpSocket};

use crate::{clock::Clock, transport::client_address::AddressKey};

/// Responses per second to one address, and its burst: ten seconds' worth. A browser gathering candidates sends a few.
const RATE_PER_ADDRESS: NonZeroU32 = NonZeroU32::new(50).unwrap();
const BURST_PER_ADDRESS: NonZeroU32 = NonZeroU32::new(500).unwrap();
/// Responses per second in all.
const RATE_TOTAL: NonZeroU32 = NonZeroU32::new(20_000).unwrap();
/// The longest request that is answered.
const REQUEST_MAX: usize = 548;
/// The kernel coalesces small datagrams of one sender up to this length (UDP_GRO).
const COALESCED_MAX: usize = 64 * 1024;
/// Unknown attributes named in an error, which keeps it short.
const UNKNOWN_MAX: usize = 4;
/// After an error of the socket.
const RETRY_DELAY: Duration = Duration::from_millis(100);

#[derive(Debug)]
pub struct StunResponder {
    socket: UdpSocket,
    /// Reads and sets the server's own address of each datagram.
    state: UdpSocketState,
    /// Keyed by a hash of the address, so that forged addresses cannot fill the memory.
    per_address: RateLimiter<u16, DashMapStateStore<u16>, Clock, NoOpMiddleware<Duration>>,
    total: RateLimiter<NotKeyed, InMemoryState, Clock, NoOpMiddleware<Duration>>,
    hasher: RandomState,
    answered: AtomicU64,
    ignored: AtomicU64,
}

impl StunResponder {
    /// # Errors
    ///
    /// The system does not tell to which address a datagram was sent.
    pub fn new(socket: std::net::UdpSocket, clock: Clock) -> std::io::Result<Self> {
        // Also makes the socket non-blocking.
        let state = UdpSocketState::new((&socket).into())?;
        Ok(Self {
            socket: UdpSocket::from_std(socket)?,
            state,
            per_address: RateLimiter::new(
                Quota::per_second(RATE_PER_ADDRESS).allow_burst(BURST_PER_ADDRESS),
                DashMapStateStore::default(),
                clock,
            ),
            total: RateLimiter::direct_with_clock(Quota::per_second(RATE_TOTAL), clock),
            hasher: RandomState::new(),
            answered: AtomicU64::new(0),
            ignored: AtomicU64::new(0),
        })
    }

    /// The address, with the real port.
    pub fn addr(&self) -> std::io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Requests answered, and datagrams ignored: not STUN, or over the rate.
    pub fn counts(&self) -> (u64, u64) {
        (self.answered.load(Relaxed), self.ignored.load(Relaxed))
    }

    pub async fn run(&self) {
        let mut buffer = vec![0; COALESCED_MAX];
        loop {
            match self.receive(&mut buffer).await {
                Ok(meta) => {
                    let datagrams = buffer.get(..meta.len).unwrap_or_default().chunks(meta.stride.max(1));
                    datagrams.for_each(|request| self.handle(request, meta.addr, meta.dst_ip));
                }
                Err(error) => {
                    tracing::debug!(%error, "STUN");
                    tokio::time::sleep(RETRY_DELAY).await;
                }
            }
        }
    }

    /// The next datagram, or several of the same length from the same sender.
    async fn receive(&self, buffer: &mut [u8]) -> std::io::Result<RecvMeta> {
        let mut meta = [RecvMeta::default()];
        let receive = || self.state.recv((&self.socket).into(), &mut [IoSliceMut::new(buffer)], &mut meta);
        self.socket.async_io(Interest::READABLE, receive).await?;
        Ok(meta[0])
    }

    fn handle(&self, request: &[u8], from: SocketAddr, src_ip: Option<IpAddr>) {
        let response = self.is_within_rate(from.ip()).then(|| respond(request, from)).flatten();
        let count = if response.is_some() { &self.answered } else { &self.ignored };
        count.fetch_add(1, Relaxed);
        let Some(contents) = &response else { return };
        let transmit = Transmit { destination: from, ecn: None, contents, segment_size: None, src_ip };
        // If the socket's buffer is full the response is dropped: clients retransmit (RFC 8489 section 6.2.1).
        let _ = self.socket.try_io(Interest::WRITABLE, || self.state.try_send((&self.socket).into(), &transmit));
    }

    fn is_within_rate(&self, ip: IpAddr) -> bool {
        let slot = (self.hasher.hash_one(AddressKey::from(ip)) % (1 << 16)) as u16;
        self.per_address.check_key(&slot).is_ok() && self.total.check().is_ok()
    }
}

/// The response to a Binding request, or nothing if it is not one.
fn respond(datagram: &[u8], from: SocketAddr) -> Option<Vec<u8>> {
    if datagram.len() > REQUEST_MAX {
        return None;
    }
    let request = Message::from_bytes(datagram).ok()?;
    if !request.has_class(MessageClass::Request) || !request.has_method(BINDING) {
        return None;
    }
    let unknown: Vec<AttributeType> = request
        .iter_attributes()
        .map(|(_, attribute)| attribute.get_type())
        .filter(|attribute| attribute.comprehension_required())
        .take(UNKNOWN_MAX)
        .collect();
    let mut reply = if unknown.is_empty() {
        let mut reply = Message::builder_success(&request, MessageWriteVec::new());
        let seen = SocketAddr::new(from.ip().to_canonical(), from.port());
        reply.add_attribute(&XorMappedAddress::new(seen, request.transaction_id())).ok()?;
        reply
    } else {
        let mut reply = Message::builder_error(&request, MessageWriteVec::new());
        reply.add_attribute(&ErrorCode::new(420, "").ok()?).ok()?;
        reply.add_attribute(&UnknownAttributes::new(&unknown)).ok()?;
        reply
    };
    if request.has_attribute(Fingerprint::TYPE) {
        reply.add_fingerprint().ok()?;
    }
    Some(reply.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The transaction of RFC 5769, sections 2.1 to 2.3.
    const TRANSACTION: [u8; 12] = [0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86, 0xfa, 0x87, 0xdf, 0xae];
    const COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];

    fn message(kind: u16, attributes: &[u8]) -> Vec<u8> {
        let length = u16::try_from(attributes.len()).unwrap();
        [&kind.to_be_bytes()[..], &length.to_be_bytes(), &COOKIE, &TRANSACTION, attributes].concat()
    }

    #[test]
    fn mapped_addresses_match_the_test_vectors_of_rfc_5769() {
        let v4 = respond(&message(0x0001, &[]), "192.0.2.1:32853".parse().unwrap()).unwrap();
        let mapped = [0x00, 0x20, 0x00, 0x08, 0x00, 0x01, 0xa1, 0x47, 0xe1, 0x12, 0xa6, 0x43];
        assert_eq!(v4, message(0x0101, &mapped));

        let v6 =
            respond(&message(0x0001, &[]), "[2001:db8:1234:5678:11:2233:4455:6677]:32853".parse().unwrap()).unwrap();
        let mapped = [
            0x00, 0x20, 0x00, 0x14, 0x00, 0x02, 0xa1, 0x47, 0x01, 0x13, 0xa9, 0xfa, 0xa5, 0xd3, 0xf1, 0x79, 0xbc, 0x25,
            0xf4, 0xb5, 0xbe, 0xd2, 0xb9, 0xd9,
        ];
        assert_eq!(v6, message(0x0101, &mapped));
    }

    #[test]
    fn an_ipv4_address_on_an_ipv6_socket_is_reported_as_ipv4() {
        let request = message(0x0001, &[]);
        let plain = respond(&request, "192.0.2.1:32853".parse().unwrap());
        assert_eq!(respond(&request, "[::ffff:192.0.2.1]:32853".parse().unwrap()), plain);
    }

    #[test]
    fn only_binding_requests_are_answered() {
        let from = "192.0.2.1:1".parse().unwrap();
        let request = message(0x0001, &[]);
        assert_eq!(respond(&[], from), None);
        assert_eq!(respond(b"GET / HTTP/1.1\r\n\r\n__", from), None);
        for length in 0..request.len() {
            assert_eq!(respond(&request[..length], from), None);
        }
        // A success and an error (answering those could loop for ever), an indication, TURN's Allocate, RFC 3489.
        for kind in [0x0101, 0x0111, 0x0011, 0x0003] {
            assert_eq!(respond(&message(kind, &[]), from), None);
        }
        let mut classic = request.clone();
        classic[4] = 0;
        assert_eq!(respond(&classic, from), None);
        let long = message(0x0001, &[&[0x80, 0x22, 0x02, 0x10][..], &[b'x'; 528]].concat());
        assert_eq!(respond(&long, from), None, "{} bytes", long.len());
    }

    #[test]
    fn unknown_comprehension_required_attributes_are_an_error_and_others_are_ignored() {
        let from = "192.0.2.1:1".parse().unwrap();
        // CHANGE-REQUEST of RFC 5780; SOFTWARE.
        let change = respond(&message(0x0001, &[0x00, 0x03, 0x00, 0x04, 0, 0, 0, 6]), from).unwrap();
        let reply = Message::from_bytes(&change).unwrap();
        assert!(reply.has_class(MessageClass::Error));
        assert_eq!(reply.attribute::<ErrorCode>().unwrap().code(), 420);
        assert!(reply.attribute::<UnknownAttributes>().unwrap().has_attribute(AttributeType::new(3)));
        assert!(change.len() <= 40, "{} bytes", change.len());
        let named = respond(&message(0x0001, &[0x80, 0x22, 0x00, 0x04, b't', b'e', b's', b't']), from).unwrap();
        assert!(Message::from_bytes(&named).unwrap().has_class(MessageClass::Success));
    }
}

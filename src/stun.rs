//! A STUN Binding responder (RFC 8489): tells whoever asks by UDP from which address the question came, which is what a
//! peer behind address translation has to know of itself.
//!
//! An answer must come from the address that was asked (RFC 8489 section 6.3.1.2): a client whose socket is connected never sees
//! any other. On a wildcard address the kernel would choose the source by its routes, so each answer names it (IP_PKTINFO).
//!
//! Anybody may ask, and anybody may claim to be somebody else. So an answer has nothing but that address (32 bytes, or 44
//! over IPv6, to a question of at least 20), each address is answered only so often, all together only so often, and what
//! is remembered for that has a fixed size.

use std::{
    hash::{BuildHasher, RandomState},
    io::IoSliceMut,
    net::{IpAddr, Ipv6Addr, SocketAddr},
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

use crate::clock::Clock;

/// Answers per second to one address; ten seconds' worth may come at once. A browser that gathers candidates asks a few times.
const EACH: NonZeroU32 = NonZeroU32::new(50).unwrap();
const EACH_BURST: NonZeroU32 = NonZeroU32::new(500).unwrap();
/// Answers per second to everybody.
const ALL: NonZeroU32 = NonZeroU32::new(20_000).unwrap();
/// No question that deserves an answer is longer.
const LONGEST: usize = 548;
/// The kernel joins small datagrams of one sender up to this length (UDP_GRO).
const JOINED: usize = 64 * 1024;
/// As many unknown attributes are named in an error as keep it short.
const NAMED: usize = 4;
/// Before listening again after the system refused.
const PAUSE: Duration = Duration::from_millis(100);

#[derive(Debug)]
pub struct StunResponder {
    socket: UdpSocket,
    /// Reads and sets the server's own address of each datagram.
    state: UdpSocketState,
    /// By a hash of the address, so that forged addresses cannot fill the memory.
    each: RateLimiter<u16, DashMapStateStore<u16>, Clock, NoOpMiddleware<Duration>>,
    all: RateLimiter<NotKeyed, InMemoryState, Clock, NoOpMiddleware<Duration>>,
    hasher: RandomState,
    answered: AtomicU64,
    ignored: AtomicU64,
}

impl StunResponder {
    /// # Errors
    ///
    /// The system does not tell to which address a datagram came.
    pub fn new(socket: std::net::UdpSocket, clock: Clock) -> std::io::Result<Self> {
        // This makes it non-blocking, too.
        let state = UdpSocketState::new((&socket).into())?;
        Ok(Self {
            socket: UdpSocket::from_std(socket)?,
            state,
            each: RateLimiter::new(
                Quota::per_second(EACH).allow_burst(EACH_BURST),
                DashMapStateStore::default(),
                clock,
            ),
            all: RateLimiter::direct_with_clock(Quota::per_second(ALL), clock),
            hasher: RandomState::new(),
            answered: AtomicU64::new(0),
            ignored: AtomicU64::new(0),
        })
    }

    /// The address, with the real port.
    pub fn addr(&self) -> std::io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Questions answered, and those ignored: not STUN, or too many.
    pub fn counts(&self) -> (u64, u64) {
        (self.answered.load(Relaxed), self.ignored.load(Relaxed))
    }

    pub async fn run(&self) {
        let mut joined = vec![0; JOINED];
        loop {
            match self.receive(&mut joined).await {
                Ok(meta) => {
                    let datagrams = joined.get(..meta.len).unwrap_or_default().chunks(meta.stride.max(1));
                    datagrams.for_each(|question| self.take(question, meta.addr, meta.dst_ip));
                }
                Err(error) => {
                    tracing::debug!(%error, "STUN");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    /// The next datagram, or several of the same length from the same sender.
    async fn receive(&self, joined: &mut [u8]) -> std::io::Result<RecvMeta> {
        let mut meta = [RecvMeta::default()];
        let receive = || self.state.recv((&self.socket).into(), &mut [IoSliceMut::new(joined)], &mut meta);
        self.socket.async_io(Interest::READABLE, receive).await?;
        Ok(meta[0])
    }

    fn take(&self, question: &[u8], from: SocketAddr, asked: Option<IpAddr>) {
        let answer = self.may_ask(from.ip()).then(|| answer(question, from)).flatten();
        let count = if answer.is_some() { &self.answered } else { &self.ignored };
        count.fetch_add(1, Relaxed);
        let Some(contents) = &answer else { return };
        let transmit = Transmit { destination: from, ecn: None, contents, segment_size: None, src_ip: asked };
        // Answers are not kept for a full socket: whoever misses one asks again (RFC 8489 section 6.2.1).
        let _ = self.socket.try_io(Interest::WRITABLE, || self.state.try_send((&self.socket).into(), &transmit));
    }

    fn may_ask(&self, ip: IpAddr) -> bool {
        let network = match ip.to_canonical() {
            IpAddr::V4(v4) => v4.to_ipv6_mapped(),
            IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64),
        };
        let slot = (self.hasher.hash_one(network) % (1 << 16)) as u16;
        self.each.check_key(&slot).is_ok() && self.all.check().is_ok()
    }
}

/// What a question deserves: the address it came from, an error, or nothing if it is not a Binding request.
fn answer(question: &[u8], from: SocketAddr) -> Option<Vec<u8>> {
    if question.len() > LONGEST {
        return None;
    }
    let request = Message::from_bytes(question).ok()?;
    if !request.has_class(MessageClass::Request) || !request.has_method(BINDING) {
        return None;
    }
    let unknown: Vec<AttributeType> = request
        .iter_attributes()
        .map(|(_, attribute)| attribute.get_type())
        .filter(|attribute| attribute.comprehension_required())
        .take(NAMED)
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
    fn addresses_are_those_of_the_rfcs_test_vectors() {
        let v4 = answer(&message(0x0001, &[]), "192.0.2.1:32853".parse().unwrap()).unwrap();
        let mapped = [0x00, 0x20, 0x00, 0x08, 0x00, 0x01, 0xa1, 0x47, 0xe1, 0x12, 0xa6, 0x43];
        assert_eq!(v4, message(0x0101, &mapped));

        let v6 =
            answer(&message(0x0001, &[]), "[2001:db8:1234:5678:11:2233:4455:6677]:32853".parse().unwrap()).unwrap();
        let mapped = [
            0x00, 0x20, 0x00, 0x14, 0x00, 0x02, 0xa1, 0x47, 0x01, 0x13, 0xa9, 0xfa, 0xa5, 0xd3, 0xf1, 0x79, 0xbc, 0x25,
            0xf4, 0xb5, 0xbe, 0xd2, 0xb9, 0xd9,
        ];
        assert_eq!(v6, message(0x0101, &mapped));
    }

    #[test]
    fn an_ipv4_address_on_an_ipv6_socket_is_told_as_what_it_is() {
        let question = message(0x0001, &[]);
        let plain = answer(&question, "192.0.2.1:32853".parse().unwrap());
        assert_eq!(answer(&question, "[::ffff:192.0.2.1]:32853".parse().unwrap()), plain);
    }

    #[test]
    fn what_is_not_a_binding_request_is_not_answered() {
        let from = "192.0.2.1:1".parse().unwrap();
        let request = message(0x0001, &[]);
        assert_eq!(answer(&[], from), None);
        assert_eq!(answer(b"GET / HTTP/1.1\r\n\r\n__", from), None);
        for length in 0..request.len() {
            assert_eq!(answer(&request[..length], from), None);
        }
        // A success and an error (answers to answers would go round for ever), an indication, TURN's Allocate, RFC 3489.
        for kind in [0x0101, 0x0111, 0x0011, 0x0003] {
            assert_eq!(answer(&message(kind, &[]), from), None);
        }
        let mut classic = request.clone();
        classic[4] = 0;
        assert_eq!(answer(&classic, from), None);
        let long = message(0x0001, &[&[0x80, 0x22, 0x02, 0x10][..], &[b'x'; 528]].concat());
        assert_eq!(answer(&long, from), None, "{} bytes", long.len());
    }

    #[test]
    fn unknown_attributes_that_must_be_understood_are_named_and_others_ignored() {
        let from = "192.0.2.1:1".parse().unwrap();
        // CHANGE-REQUEST of RFC 5780; SOFTWARE.
        let change = answer(&message(0x0001, &[0x00, 0x03, 0x00, 0x04, 0, 0, 0, 6]), from).unwrap();
        let reply = Message::from_bytes(&change).unwrap();
        assert!(reply.has_class(MessageClass::Error));
        assert_eq!(reply.attribute::<ErrorCode>().unwrap().code(), 420);
        assert!(reply.attribute::<UnknownAttributes>().unwrap().has_attribute(AttributeType::new(3)));
        assert!(change.len() <= 40, "{} bytes", change.len());
        let named = answer(&message(0x0001, &[0x80, 0x22, 0x00, 0x04, b't', b'e', b's', b't']), from).unwrap();
        assert!(Message::from_bytes(&named).unwrap().has_class(MessageClass::Success));
    }
}

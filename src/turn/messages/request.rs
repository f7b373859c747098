//! What clients ask for: checks each request in the order of RFC 8656, and answers it.
//!
//! | Code | Here |
//! | --- | --- |
//! | 400 | an attribute is missing or malformed, a channel number out of range or bound otherwise |
//! | 401, 438 | no credentials or wrong ones; an old nonce: both with a nonce to ask again |
//! | 403 | the peer is no allocation of this relay, or of a network that an open one refuses; the member has left its room |
//! | 420 | an attribute that must be understood and is not: DONT-FRAGMENT, too |
//! | 437 | there is no allocation, or there is one already |
//! | 440, 443 | no addresses of this family are relayed: a closed relay has only IPv4; another family than the allocation's |
//! | 441 | another user name than that of the allocation |
//! | 442 | only UDP is relayed |
//! | 486, 508 | the member or its address has enough allocations; there are no more, or too many permissions |

use std::{hash::Hash, net::SocketAddr, time::Duration};

use stun_types::{
    attribute::{AttributeStaticType, AttributeType, MessageIntegrity, MessageIntegritySha256, Nonce, Realm, Username},
    message::{IntegrityKey, Message, Method},
};
use turn_types::{
    AddressFamily,
    attribute::{
        ChannelNumber, EvenPort, Lifetime, RequestedAddressFamily, RequestedTransport, ReservationToken, XorPeerAddress,
    },
    message::{ALLOCATE, CHANNEL_BIND, CREATE_PERMISSION, REFRESH},
};

use crate::{
    domain::Timestamp,
    turn::{
        allocation::{self, Allocation, BindError},
        allocations::Allocations,
        limits::{LIFETIME, LIFETIME_MAX, PEERS_PER_REQUEST},
        messages::credentials::{Credentials, Member, REALM},
        messages::response,
        peers::Refusal,
    },
};

/// The attributes of requests that are understood, if they must be.
const KNOWN: [AttributeType; 12] = [
    Username::TYPE,
    MessageIntegrity::TYPE,
    MessageIntegritySha256::TYPE,
    Realm::TYPE,
    Nonce::TYPE,
    ChannelNumber::TYPE,
    Lifetime::TYPE,
    XorPeerAddress::TYPE,
    RequestedAddressFamily::TYPE,
    EvenPort::TYPE,
    RequestedTransport::TYPE,
    ReservationToken::TYPE,
];
/// RFC 8656 section 12 ends them at 0x4fff, but clients of RFC 5766, such as libwebrtc and coturn's, use all of these.
const CHANNELS: std::ops::RangeInclusive<u16> = 0x4000..=0x7fff;
/// The protocol number of UDP.
const UDP: u8 = 17;

/// A client, as this request shows it.
#[derive(Clone, Debug)]
pub struct Client<C, H> {
    pub id: C,
    pub handle: H,
    pub addr: SocketAddr,
}

/// What has become of a request.
pub enum Outcome<H> {
    Answer(Option<Vec<u8>>),
    /// Everything is right, if the member still has its seat: see [`allocate`].
    Allocate(Box<Pending<H>>),
}

/// An Allocate request that has been checked.
pub struct Pending<H> {
    pub request: allocation::Request<H>,
    pub family: AddressFamily,
    key: IntegrityKey,
    seconds: u32,
}

/// Who asks, as proved by the request's signature.
pub struct User {
    username: Box<str>,
    key: IntegrityKey,
    member: Member,
}

#[cfg(any(test, fuzzing))]
impl User {
    pub fn for_tests(credentials: &Credentials, member: Member) -> Self {
        Self { username: "member".into(), key: credentials.integrity_key("member"), member }
    }
}

/// An error code.
struct Refused(u16);

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Family => Self(443),
            Refusal::Forbidden => Self(403),
        }
    }
}

/// Whether it is a request that [`Exchange`] takes.
pub fn is_turn(method: Method) -> bool {
    [ALLOCATE, REFRESH, CREATE_PERMISSION, CHANNEL_BIND].contains(&method)
}

/// Checks the credentials of a request for which [`is_turn`] holds; otherwise the answer (RFC 8489 section 9.2.4, and RFC 8656
/// section 5 for the user name, which must be that of the client's allocation, if there is one).
pub fn authenticate(
    credentials: &Credentials,
    own_username: Option<&str>,
    from: SocketAddr,
    message: &Message<'_>,
    unix_seconds: u64,
) -> Result<User, Option<Vec<u8>>> {
    let challenge = |code| response::challenge(message, code, &credentials.nonce(from, unix_seconds));
    if !message.has_attribute(MessageIntegrity::TYPE) {
        return Err(challenge(401));
    }
    let (Ok(username), Ok(realm), Ok(nonce)) =
        (message.attribute::<Username>(), message.attribute::<Realm>(), message.attribute::<Nonce>())
    else {
        return Err(response::error(message, None, 400));
    };
    if !credentials.is_fresh(nonce.nonce(), from, unix_seconds) {
        return Err(challenge(438));
    }
    let username = username.username();
    // An allocation outlives the credentials that it was made with.
    let continues = own_username == Some(username);
    let claim = credentials.open(username).filter(|claim| continues || claim.expires_unix > unix_seconds);
    let Some(claim) = claim.filter(|_| realm.realm() == REALM) else { return Err(challenge(401)) };
    let key = credentials.integrity_key(username);
    if message.validate_integrity_with_key(&key).is_err() {
        return Err(challenge(401));
    }
    if own_username.is_some() && !continues && message.method() != ALLOCATE {
        return Err(response::error(message, Some(&key), 441));
    }
    Ok(User { username: username.into(), key, member: claim.member })
}

/// An authenticated request, and what answers it.
pub struct Exchange<'a, C, H> {
    pub allocations: &'a mut Allocations<C, H>,
    pub client: &'a Client<C, H>,
    pub message: &'a Message<'a>,
    pub user: &'a User,
    pub now: Timestamp,
}

impl<C: Clone + Eq + Hash, H: Clone> Exchange<'_, C, H> {
    /// Does what the request asks for.
    pub fn perform(mut self) -> Outcome<H> {
        let unknown = response::unknown(self.message, &KNOWN);
        if !unknown.is_empty() {
            return Outcome::Answer(response::unknown_attributes(self.message, Some(&self.user.key), &unknown));
        }
        let outcome = match self.message.method() {
            ALLOCATE => self.allocate(),
            REFRESH => self.refresh(),
            CREATE_PERMISSION => self.permit(),
            _ => self.bind(),
        };
        let refuse = |Refused(code)| Outcome::Answer(response::error(self.message, Some(&self.user.key), code));
        outcome.unwrap_or_else(refuse)
    }

    fn own(&mut self) -> Result<&mut Allocation<H>, Refused> {
        self.allocations.of(&self.client.id, self.now).ok_or(Refused(437))
    }

    /// Section 7.2 of RFC 8656. The allocation is made later, by [`allocate`].
    fn allocate(&mut self) -> Result<Outcome<H>, Refused> {
        let (message, user, now) = (self.message, self.user, self.now);
        if let Ok(own) = self.own() {
            if own.made_by != message.transaction_id() || own.username != user.username {
                return Err(Refused(437));
            }
            // The request was retransmitted, because its response was lost.
            let (relayed, seconds) = (own.relayed, seconds(now.until(own.expires)));
            return Ok(Outcome::Answer(response::allocated(message, &user.key, relayed, self.client.addr, seconds)));
        }
        let (even_port, family) = check_allocate(message)?;
        if !self.allocations.peers.has_family(family) {
            return Err(Refused(440));
        }
        let lifetime = asked_lifetime(message)?.max(LIFETIME);
        let request = allocation::Request {
            handle: self.client.handle.clone(),
            member: user.member.clone(),
            username: user.username.clone(),
            transaction: message.transaction_id(),
            expires: now + lifetime,
            even_port,
            relayed: None,
        };
        Ok(Outcome::Allocate(Box::new(Pending { request, family, key: user.key.clone(), seconds: seconds(lifetime) })))
    }

    /// Section 8.
    fn refresh(&mut self) -> Result<Outcome<H>, Refused> {
        let (message, now) = (self.message, self.now);
        let own = self.own()?;
        let family = if own.relayed.is_ipv4() { AddressFamily::IPV4 } else { AddressFamily::IPV6 };
        if optional::<RequestedAddressFamily>(message)?.is_some_and(|asked| asked.family() != family) {
            return Err(Refused(443));
        }
        let asked = asked_lifetime(message)?;
        let lifetime = if asked.is_zero() { asked } else { asked.max(LIFETIME) };
        own.expires = now + lifetime;
        if lifetime.is_zero() {
            self.allocations.remove(&self.client.id, now);
        }
        Ok(Outcome::Answer(response::refreshed(message, &self.user.key, seconds(lifetime))))
    }

    /// Section 10.
    fn permit(&mut self) -> Result<Outcome<H>, Refused> {
        let (message, now) = (self.message, self.now);
        let relayed = self.own()?.relayed;
        let mut peers = Vec::new();
        while let Some(raw) = message.nth_raw_attribute(XorPeerAddress::TYPE, peers.len()) {
            let peer = XorPeerAddress::try_from(&raw).map_err(|_| Refused(400))?.addr(message.transaction_id());
            self.allocations.peers.check(relayed, peer)?;
            peers.push(peer.ip());
            if peers.len() > PEERS_PER_REQUEST {
                return Err(Refused(508));
            }
        }
        if peers.is_empty() {
            return Err(Refused(400));
        }
        if !self.own()?.permit(&peers, now) {
            return Err(Refused(508));
        }
        Ok(Outcome::Answer(response::done(message, &self.user.key)))
    }

    /// Section 12.
    fn bind(&mut self) -> Result<Outcome<H>, Refused> {
        let (message, now) = (self.message, self.now);
        let relayed = self.own()?.relayed;
        let number = message.attribute::<ChannelNumber>().map_err(|_| Refused(400))?.channel();
        let peer = message.attribute::<XorPeerAddress>().map_err(|_| Refused(400))?.addr(message.transaction_id());
        if !CHANNELS.contains(&number) {
            return Err(Refused(400));
        }
        self.allocations.peers.check(relayed, peer)?;
        self.own()?.bind(number, peer, now).map_err(|error| match error {
            BindError::Conflict => Refused(400),
            BindError::TooMany => Refused(508),
        })?;
        Ok(Outcome::Answer(response::done(message, &self.user.key)))
    }
}

/// Whether the attributes of an Allocate request ask for what there may be; if so, whether its port must be even, and its family.
fn check_allocate(message: &Message<'_>) -> Result<(bool, AddressFamily), Refused> {
    let transport = message.attribute::<RequestedTransport>().map_err(|_| Refused(400))?;
    if transport.protocol() != UDP {
        return Err(Refused(442));
    }
    let even_port = optional::<EvenPort>(message)?;
    let family = optional::<RequestedAddressFamily>(message)?;
    let has_token = message.has_attribute(ReservationToken::TYPE);
    if has_token && (even_port.is_some() || family.is_some()) {
        return Err(Refused(400));
    }
    // No port is ever reserved.
    if has_token || even_port.as_ref().is_some_and(EvenPort::requested) {
        return Err(Refused(508));
    }
    Ok((even_port.is_some(), family.map_or(AddressFamily::IPV4, |asked| asked.family())))
}

/// Makes the allocation, unless it is refused with a code, such as 403 for a member that has left.
pub fn allocate<C: Clone + Eq + Hash, H: Clone>(
    allocations: &mut Allocations<C, H>,
    client: Client<C, H>,
    message: &Message<'_>,
    pending: Pending<H>,
    allowed: Result<(), u16>,
    now: Timestamp,
) -> Option<Vec<u8>> {
    let Pending { request, key, seconds, .. } = pending;
    if let Err(code) = allowed {
        return response::error(message, Some(&key), code);
    }
    // Two requests may have been checked at the same time.
    if let Some(own) = allocations.of(&client.id, now) {
        let is_same = own.made_by == request.transaction && own.username == request.username;
        let relayed = own.relayed;
        return match is_same {
            true => response::allocated(message, &key, relayed, client.addr, seconds),
            false => response::error(message, Some(&key), 437),
        };
    }
    match allocations.allocate(client.id, request, now) {
        Ok(made) => response::allocated(message, &key, made.relayed, client.addr, seconds),
        Err(error) => response::error(message, Some(&key), error.code()),
    }
}

/// Zero, or at most the longest.
fn asked_lifetime(message: &Message<'_>) -> Result<Duration, Refused> {
    let asked = optional::<Lifetime>(message)?.map(|lifetime| Duration::from_secs(lifetime.seconds().into()));
    Ok(asked.unwrap_or(LIFETIME).min(LIFETIME_MAX))
}

fn seconds(lifetime: Duration) -> u32 {
    u32::try_from(lifetime.as_secs()).unwrap_or(u32::MAX)
}

/// An attribute that may be missing, but not malformed.
fn optional<'a, A>(message: &'a Message<'a>) -> Result<Option<A>, Refused>
where
    A: AttributeStaticType + stun_types::attribute::AttributeFromRaw<'a>,
{
    if !message.has_attribute(A::TYPE) {
        return Ok(None);
    }
    message.attribute::<A>().map(Some).map_err(|_| Refused(400))
}

//! One allocation (RFC 8656 section 3.2): with whom it may exchange packets, and until when.

use std::net::{IpAddr, SocketAddr};

use smallvec::SmallVec;
use stun_types::message::TransactionId;

use crate::{
    domain::Timestamp,
    turn::{
        limits::{CHANNEL_LIFETIME, PERMISSION_LIFETIME, PERMISSIONS_MAX},
        messages::credentials::Member,
        rate::Meter,
    },
};

#[derive(Debug)]
pub struct Allocation<H> {
    /// How its client is reached.
    pub handle: H,
    pub member: Member,
    /// All requests of the client must have the same (section 5).
    pub username: Box<str>,
    /// The address that peers see.
    pub relayed: SocketAddr,
    /// The request that made it, to recognize a retransmission (section 7.2).
    pub made_by: TransactionId,
    pub since: Timestamp,
    pub expires: Timestamp,
    pub sent: Meter,
    /// From peers outside. What other allocations send counts for them.
    pub received: Meter,
    pub requests: Meter,
    /// The place of its room in the table of rooms.
    pub room: usize,
    permissions: SmallVec<[(IpAddr, Timestamp); 1]>,
    channels: SmallVec<[Channel; 1]>,
}

#[derive(Clone, Copy, Debug)]
struct Channel {
    number: u16,
    peer: SocketAddr,
    expires: Timestamp,
}

/// What a new allocation is made from.
#[derive(Clone, Debug)]
pub struct Request<H> {
    pub handle: H,
    pub member: Member,
    pub username: Box<str>,
    pub transaction: TransactionId,
    pub expires: Timestamp,
    /// Its port must be even (EVEN-PORT without a reservation, section 18.5).
    pub even_port: bool,
    /// The address of its socket, in an open relay. In a closed one an address is made up.
    pub relayed: Option<SocketAddr>,
}

impl<H> Allocation<H> {
    pub fn new(request: Request<H>, relayed: SocketAddr, room: usize, now: Timestamp) -> Self {
        let Request { handle, member, username, transaction: made_by, expires, .. } = request;
        Self {
            handle,
            member,
            username,
            relayed,
            made_by,
            since: now,
            expires,
            sent: Meter::default(),
            received: Meter::default(),
            requests: Meter::default(),
            room,
            permissions: SmallVec::new(),
            channels: SmallVec::new(),
        }
    }

    pub fn is_alive(&self, now: Timestamp) -> bool {
        now < self.expires
    }

    /// Installs or refreshes permissions; false, and no change, if there would be too many.
    pub fn permit(&mut self, peers: &[IpAddr], now: Timestamp) -> bool {
        self.permissions.retain(|(_, expires)| now < *expires);
        let mut permissions = self.permissions.clone();
        for peer in peers {
            let expires = now + PERMISSION_LIFETIME;
            match permissions.iter_mut().find(|(ip, _)| ip == peer) {
                Some(permission) => permission.1 = expires,
                None => permissions.push((*peer, expires)),
            }
        }
        let fits = permissions.len() <= PERMISSIONS_MAX;
        if fits {
            self.permissions = permissions;
        }
        fits
    }

    pub fn permits(&self, peer: IpAddr, now: Timestamp) -> bool {
        self.permissions.iter().any(|(ip, expires)| *ip == peer && now < *expires)
    }

    /// Binds or refreshes a channel, and the permission for its peer (section 12).
    pub fn bind(&mut self, number: u16, peer: SocketAddr, now: Timestamp) -> Result<(), BindError> {
        self.channels.retain(|channel| now < channel.expires);
        let expires = now + CHANNEL_LIFETIME;
        let taken = |channel: &&Channel| channel.number == number || channel.peer == peer;
        match self.channels.iter().find(taken) {
            Some(channel) if channel.number != number || channel.peer != peer => return Err(BindError::Conflict),
            None if self.channels.len() >= PERMISSIONS_MAX => return Err(BindError::TooMany),
            _ => {}
        }
        if !self.permit(&[peer.ip()], now) {
            return Err(BindError::TooMany);
        }
        match self.channels.iter_mut().find(|channel| channel.number == number) {
            Some(channel) => channel.expires = expires,
            None => self.channels.push(Channel { number, peer, expires }),
        }
        Ok(())
    }

    /// The peer of a channel.
    pub fn peer_of(&self, number: u16, now: Timestamp) -> Option<SocketAddr> {
        let channel = self.channels.iter().find(|channel| channel.number == number)?;
        (now < channel.expires).then_some(channel.peer)
    }

    /// How much it has to remember.
    #[cfg(any(test, fuzzing))]
    pub fn entries(&self) -> usize {
        self.permissions.len() + self.channels.len()
    }

    /// The channel of a peer.
    pub fn channel_of(&self, peer: SocketAddr, now: Timestamp) -> Option<u16> {
        let channel = self.channels.iter().find(|channel| channel.peer == peer)?;
        (now < channel.expires).then_some(channel.number)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BindError {
    /// The number or the peer is bound to another.
    Conflict,
    TooMany,
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::{PeerId, RoomName};

    fn allocation() -> Allocation<()> {
        let member = Member {
            room: RoomName::parse("tea").unwrap(),
            peer: PeerId::from_bytes([1; 16]),
            address: "192.0.2.1".parse::<IpAddr>().unwrap().into(),
        };
        let request = Request {
            handle: (),
            member,
            username: "x".into(),
            transaction: 1.into(),
            expires: Timestamp::NEVER,
            even_port: false,
            relayed: None,
        };
        Allocation::new(request, peer(1), 0, START)
    }

    const START: Timestamp = Timestamp::from_millis(5000);

    fn peer(last: u16) -> SocketAddr {
        SocketAddr::new([198, 51, 100, last as u8].into(), 50_000 + last)
    }

    #[test]
    fn permissions_are_for_an_address_and_end_after_five_minutes() {
        let mut allocation = allocation();
        assert!(allocation.permit(&[peer(1).ip(), peer(2).ip()], START));
        let almost = START + Duration::from_millis(299_999);
        assert!(allocation.permits(peer(1).ip(), almost) && !allocation.permits(peer(3).ip(), almost));
        assert!(allocation.permit(&[peer(2).ip()], almost), "refreshed");
        let later = START + PERMISSION_LIFETIME;
        assert!(!allocation.permits(peer(1).ip(), later) && allocation.permits(peer(2).ip(), later));
    }

    #[test]
    fn too_many_permissions_change_nothing() {
        let mut allocation = allocation();
        let all: Vec<IpAddr> = (0..64).map(|last| peer(last).ip()).collect();
        assert!(allocation.permit(&all, START));
        assert!(!allocation.permit(&[peer(0).ip(), peer(64).ip()], START + Duration::from_secs(1)));
        assert!(!allocation.permits(peer(0).ip(), START + PERMISSION_LIFETIME), "not refreshed either");
        assert_eq!(allocation.bind(0x4000, peer(65), START), Err(BindError::TooMany));
        assert_eq!(allocation.peer_of(0x4000, START), None);
        assert!(allocation.permit(&[peer(64).ip()], START + PERMISSION_LIFETIME), "the old ones have expired");
    }

    #[test]
    fn a_channel_has_one_peer_and_a_peer_one_channel() {
        let mut allocation = allocation();
        assert_eq!(allocation.bind(0x4000, peer(1), START), Ok(()));
        assert_eq!(allocation.bind(0x4000, peer(2), START), Err(BindError::Conflict));
        assert_eq!(allocation.bind(0x4001, peer(1), START), Err(BindError::Conflict));
        assert_eq!(allocation.bind(0x4000, peer(1), START), Ok(()), "refreshed");
        assert!(allocation.permits(peer(1).ip(), START) && !allocation.permits(peer(2).ip(), START));
        assert_eq!(
            (allocation.peer_of(0x4000, START), allocation.channel_of(peer(1), START)),
            (Some(peer(1)), Some(0x4000))
        );
        let later = START + CHANNEL_LIFETIME;
        assert_eq!((allocation.peer_of(0x4000, later), allocation.channel_of(peer(1), later)), (None, None));
        assert_eq!(allocation.bind(0x4000, peer(2), later), Ok(()), "the number is free again");
    }
}

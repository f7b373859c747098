//! With which addresses an allocation may exchange packets.

use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;
use turn_types::AddressFamily;

use crate::turn::relayed_address::RelayedAddresses;

#[derive(Debug)]
pub enum PeerPolicy {
    /// Only with other allocations.
    Closed,
    /// With any address of the internet, too.
    Open(OpenNetworks),
}

#[derive(Debug)]
pub struct OpenNetworks {
    /// The families in which this server has an address for peers.
    pub ipv4: bool,
    pub ipv6: bool,
    /// This server's own addresses. Nothing but allocations can be reached there.
    pub own: Vec<IpAddr>,
    /// Networks that are allowed although they are not of the internet.
    pub allowed: Vec<IpNet>,
    /// Whether packets to this address stay on this machine. Its services trust its own addresses, so only one that is allowed by
    /// itself, and not as part of a network, is a peer.
    pub is_local: fn(IpAddr) -> bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    Family,
    Forbidden,
}

impl PeerPolicy {
    pub fn has_family(&self, family: AddressFamily) -> bool {
        match self {
            Self::Closed => family == AddressFamily::IPV4,
            Self::Open(networks) if family == AddressFamily::IPV4 => networks.ipv4,
            Self::Open(networks) => networks.ipv6,
        }
    }

    /// Whether an allocation with this relayed address may permit a peer.
    pub fn check(&self, relayed: SocketAddr, peer: SocketAddr) -> Result<(), Refusal> {
        if relayed.is_ipv4() != peer.is_ipv4() {
            return Err(Refusal::Family);
        }
        let is_allowed = match self {
            Self::Closed => RelayedAddresses::contains(peer.ip()),
            Self::Open(networks) => networks.own.contains(&peer.ip()) || networks.admits(peer.ip()),
        };
        if is_allowed { Ok(()) } else { Err(Refusal::Forbidden) }
    }

    /// Whether packets are exchanged by sockets with an address that was permitted and no allocation has.
    pub fn is_outside(&self, relayed: SocketAddr, peer: SocketAddr) -> bool {
        let Self::Open(networks) = self else { return false };
        let fits = relayed.is_ipv4() == peer.is_ipv4() && peer.port() != 0;
        fits && !networks.own.contains(&peer.ip()) && networks.allows(peer.ip())
    }
}

impl OpenNetworks {
    fn admits(&self, ip: IpAddr) -> bool {
        let by_itself = self.allowed.contains(&IpNet::from(ip));
        self.allows(ip) && (by_itself || !(self.is_local)(ip))
    }

    fn allows(&self, ip: IpAddr) -> bool {
        let is_mapped = ip.to_canonical() != ip;
        let never = is_mapped || ip.is_multicast() || ip.is_unspecified() || ip == IpAddr::from([255; 4]);
        !never && (is_global(ip) || self.allowed.iter().any(|network| network.contains(&ip)))
    }
}

/// Whether it is an address of the internet, and not of a private network or special (RFC 6890 and its registries).
fn is_global(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => !matches!(
            ip.octets(),
            [0 | 10 | 127, ..]
                | [100, 64..=127, ..]
                | [168, 63, 129, 16] // Azure's own services
                | [169, 254, ..]
                | [172, 16..=31, ..]
                | [192, 0, 0 | 2, _]
                | [192, 88, 99, _]
                | [192, 168, ..]
                | [198, 18 | 19, ..]
                | [198, 51, 100, _]
                | [203, 0, 113, _]
                | [224..=255, ..]
        ),
        // Global unicast (2000::/3), without Teredo and other protocols' (2001::/23), documentation, and 6to4, which leads to
        // IPv4 addresses. The rest includes those of IPv4 and NAT64 (::ffff:0:0/96, 64:ff9b::/96).
        IpAddr::V6(ip) => {
            let special =
                matches!(ip.segments(), [0x2001, 0..=0x1ff | 0xdb8, ..] | [0x2002, ..] | [0x3fff, 0..=0xfff, ..]);
            matches!(ip.segments(), [0x2000..=0x3fff, ..]) && !special
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addr(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    fn open() -> PeerPolicy {
        let own = ["192.0.2.9", "2001:db8::9"].map(|ip| ip.parse().unwrap()).to_vec();
        let allowed = ["10.1.0.0/16", "fd00::/8"].map(|net| net.parse().unwrap());
        PeerPolicy::Open(OpenNetworks { ipv4: true, ipv6: true, own, allowed: allowed.to_vec(), is_local: |_| false })
    }

    fn nothing() -> OpenNetworks {
        OpenNetworks { ipv4: false, ipv6: false, own: Vec::new(), allowed: Vec::new(), is_local: |_| false }
    }

    const V4: &str = "192.0.2.9:50000";
    const V6: &str = "[2001:db8::9]:50000";

    #[test]
    fn private_and_special_networks_are_refused() {
        for ip in [
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.0.1",
            "198.18.0.1",
            "198.19.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.1.2.3",
            "240.0.0.1",
            "255.255.255.255",
            "0.0.0.0",
        ] {
            let peer = SocketAddr::new(ip.parse().unwrap(), 80);
            assert_eq!(open().check(addr(V4), peer), Err(Refusal::Forbidden), "{ip}");
            assert!(!open().is_outside(addr(V4), peer), "{ip}");
        }
        for ip in [
            "::",
            "::1",
            "::7f00:1",
            "::ffff:127.0.0.1",
            "::ffff:8.8.8.8",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:1ff::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "3fff::1",
            "3fff:fff::1",
            "5f00::1",
            "fc00::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "4000::1",
        ] {
            let peer = SocketAddr::new(ip.parse().unwrap(), 80);
            assert_eq!(open().check(addr(V6), peer), Err(Refusal::Forbidden), "{ip}");
            assert!(!open().is_outside(addr(V6), peer), "{ip}");
        }
    }

    #[test]
    fn the_internet_and_what_the_operator_allows_are_peers() {
        for peer in [
            "8.8.8.8:1",
            "100.63.0.1:1",
            "100.128.0.1:1",
            "172.15.0.1:1",
            "172.32.0.1:1",
            "192.167.0.1:1",
            "198.20.0.1:1",
            "223.255.255.255:1",
            "10.1.2.3:1",
        ] {
            assert!(open().check(addr(V4), addr(peer)) == Ok(()) && open().is_outside(addr(V4), addr(peer)), "{peer}");
        }
        for peer in ["[2606:4700::1]:1", "[2001:200::1]:1", "[2400::1]:1", "[3ffe::1]:1", "[fd12::1]:1"] {
            assert!(open().check(addr(V6), addr(peer)) == Ok(()) && open().is_outside(addr(V6), addr(peer)), "{peer}");
        }
        assert!(!open().is_outside(addr(V4), addr("8.8.8.8:0")));
    }

    /// Two members whose candidates are both of this relay must be able to permit each other (coturn#584).
    #[test]
    fn own_addresses_are_permitted_for_other_allocations_and_nothing_else() {
        for (relayed, peer) in [(V4, "192.0.2.9:53"), (V6, "[2001:db8::9]:53")] {
            assert_eq!(open().check(addr(relayed), addr(peer)), Ok(()));
            assert!(!open().is_outside(addr(relayed), addr(peer)));
        }
    }

    #[test]
    fn families_do_not_mix() {
        for (relayed, peer) in [(V4, "[2606:4700::1]:1"), (V6, "8.8.8.8:1")] {
            assert_eq!(open().check(addr(relayed), addr(peer)), Err(Refusal::Family));
            assert!(!open().is_outside(addr(relayed), addr(peer)));
        }
        let families =
            |policy: &PeerPolicy| [AddressFamily::IPV4, AddressFamily::IPV6].map(|family| policy.has_family(family));
        assert_eq!(families(&PeerPolicy::Closed), [true, false]);
        assert_eq!(families(&PeerPolicy::Open(OpenNetworks { ipv6: true, ..nothing() })), [false, true]);
    }

    #[test]
    fn nothing_leaves_a_closed_relay() {
        let closed = PeerPolicy::Closed;
        assert_eq!(closed.check(addr("198.51.100.1:50000"), addr("8.8.8.8:1")), Err(Refusal::Forbidden));
        assert_eq!(closed.check(addr("198.51.100.1:50000"), addr("198.51.100.2:50000")), Ok(()));
        assert!(!closed.is_outside(addr("198.51.100.1:50000"), addr("8.8.8.8:1")));
    }

    #[test]
    fn multicast_and_broadcast_are_never_allowed() {
        let networks =
            OpenNetworks { allowed: vec!["0.0.0.0/0".parse().unwrap(), "::/0".parse().unwrap()], ..nothing() };
        let allows = |ip: &str| networks.allows(ip.parse().unwrap());
        assert!(allows("127.0.0.1") && allows("::1"));
        let never = ["224.0.0.1", "255.255.255.255", "0.0.0.0", "::", "ff02::1", "::ffff:127.0.0.1", "::ffff:8.8.8.8"];
        assert!(!never.into_iter().any(allows));
    }

    /// Packets to them pass firewalls that trust the machine itself, and have a source that its services trust.
    #[test]
    fn other_addresses_of_the_machine_are_peers_only_by_themselves() {
        let is_local = |ip: IpAddr| ["10.0.0.5", "10.0.0.6", "9.9.9.9"].map(|ip| ip.parse().unwrap()).contains(&ip);
        let allowed = ["10.0.0.0/8", "10.0.0.6/32"].map(|net| net.parse().unwrap()).to_vec();
        let policy = PeerPolicy::Open(OpenNetworks { ipv4: true, allowed, is_local, ..nothing() });
        for (peer, expected) in [
            ("10.0.0.4:53", Ok(())),
            ("10.0.0.5:53", Err(Refusal::Forbidden)),
            ("10.0.0.6:53", Ok(())),
            ("9.9.9.9:53", Err(Refusal::Forbidden)),
        ] {
            assert_eq!(policy.check(addr(V4), addr(peer)), expected, "{peer}");
        }
    }
}

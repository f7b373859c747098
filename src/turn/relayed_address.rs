//! The addresses of allocations, as peers see them.
//!
//! A closed relay has no sockets for its allocations, so these addresses only tell them apart. They are from a block that is
//! never routed (TEST-NET-2, RFC 5737): a packet that a peer sends there directly reaches nobody.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    ops::RangeInclusive,
};

/// The host parts of TEST-NET-2, 198.51.100.0/24.
const HOSTS: RangeInclusive<u8> = 1..=254;
/// RFC 8656 section 7.2 recommends the range of dynamic ports.
const PORTS: RangeInclusive<u16> = 49_152..=65_535;

/// Gives addresses in order, so that one is not used again soon.
#[derive(Debug)]
pub struct RelayedAddresses {
    next: u32,
}

impl RelayedAddresses {
    /// Begins at a random place.
    pub fn beginning_at(place: u32) -> Self {
        Self { next: place }
    }

    /// The next address that is free.
    pub fn next(&mut self, even_port: bool, is_free: impl Fn(&SocketAddr) -> bool) -> Option<SocketAddr> {
        let ports = u32::from(*PORTS.end() - *PORTS.start()) + 1;
        let hosts = u32::from(*HOSTS.end() - *HOSTS.start()) + 1;
        (0..hosts * ports).find_map(|_| {
            let place = self.next % (hosts * ports);
            self.next = self.next.wrapping_add(1);
            let host = *HOSTS.start() + u8::try_from(place / ports).unwrap_or_default();
            let port = *PORTS.start() + u16::try_from(place % ports).unwrap_or_default();
            let address = SocketAddr::new(Ipv4Addr::new(198, 51, 100, host).into(), port);
            ((!even_port || port.is_multiple_of(2)) && is_free(&address)).then_some(address)
        })
    }

    /// Whether it is the address of an allocation, or could be.
    pub fn contains(ip: IpAddr) -> bool {
        matches!(ip, IpAddr::V4(ip) if matches!(ip.octets(), [198, 51, 100, host] if HOSTS.contains(&host)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_given_in_order_and_not_twice() {
        let mut addresses = RelayedAddresses::beginning_at(u32::MAX);
        let given: Vec<_> = (0..20_000).filter_map(|_| addresses.next(false, |_| true)).collect();
        let distinct: std::collections::HashSet<_> = given.iter().collect();
        assert_eq!(distinct.len(), 20_000);
        assert!(given.iter().all(|address| RelayedAddresses::contains(address.ip()) && address.port() >= 49_152));
    }

    #[test]
    fn a_port_can_be_even_and_none_that_is_taken_is_given() {
        let mut addresses = RelayedAddresses::beginning_at(0);
        let even = addresses.next(true, |address| address.port() > 49_152).unwrap();
        assert_eq!(even.port(), 49_154);
        assert_eq!(addresses.next(false, |_| false), None);
    }

    #[test]
    fn other_addresses_are_not_of_allocations() {
        for ip in ["198.51.100.0", "198.51.100.255", "198.51.101.1", "127.0.0.1", "::1", "::ffff:198.51.100.1"] {
            assert!(!RelayedAddresses::contains(ip.parse().unwrap()), "{ip}");
        }
    }
}

//! What each client address, and each network, holds of something that all clients share.

use std::collections::HashMap;

use crate::transport::client_address::{AddressKey, NetworkKey};

/// Only holders that have anything are in it.
#[derive(Debug, Default)]
pub struct Shares(HashMap<NetworkKey, Holdings>);

#[derive(Debug, Default)]
struct Holdings {
    total: usize,
    by_address: HashMap<AddressKey, usize>,
}

/// The most that one address and its network may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    address: usize,
    network: usize,
}

/// How many times what is left an address and all addresses of a network together may hold (dynamic thresholds, Choudhury and
/// Hahne 1998).
#[derive(Clone, Copy, Debug)]
pub struct Factors {
    pub address: usize,
    pub network: usize,
}

/// How many times what one of its addresses may hold, where that is a fixed number.
const ADDRESSES_IN_A_NETWORK: usize = 4;

impl Bounds {
    pub const NONE: Bounds = Bounds { address: usize::MAX, network: usize::MAX };

    /// Shares of what is left, but at least `always`.
    pub fn of_left(left: usize, factors: Factors, always: usize) -> Self {
        let share = |factor: usize| left.saturating_mul(factor).max(always);
        Self { address: share(factors.address), network: share(factors.network) }
    }

    pub fn fixed(address: usize) -> Self {
        Self { address, network: address.saturating_mul(ADDRESSES_IN_A_NETWORK) }
    }
}

impl Shares {
    /// Adds to what the address holds, unless that would exceed the bounds.
    #[must_use]
    pub fn take(&mut self, address: AddressKey, more: usize, bounds: Bounds) -> bool {
        let network = self.0.get(&address.network());
        let total = network.map_or(0, |holdings| holdings.total);
        let held = network.and_then(|holdings| holdings.by_address.get(&address)).copied().unwrap_or_default();
        let fits = held.saturating_add(more) <= bounds.address && total.saturating_add(more) <= bounds.network;
        if fits {
            let holdings = self.0.entry(address.network()).or_default();
            holdings.total += more;
            *holdings.by_address.entry(address).or_default() += more;
        }
        fits
    }

    pub fn give_back(&mut self, address: AddressKey, less: usize) {
        let Some(holdings) = self.0.get_mut(&address.network()) else { return };
        holdings.total -= less;
        if let Some(held) = holdings.by_address.get_mut(&address) {
            *held -= less;
            if *held == 0 {
                holdings.by_address.remove(&address);
            }
        }
        if holdings.total == 0 {
            self.0.remove(&address.network());
        }
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::IpAddr;

    const HALF: Factors = Factors { address: 1, network: 2 };

    fn address(text: &str) -> AddressKey {
        text.parse::<IpAddr>().unwrap().into()
    }

    /// Takes one after the other until it is refused, as one of `total`; the number taken.
    fn fill(shares: &mut Shares, total: usize, taken: &mut usize, addresses: &[AddressKey]) -> usize {
        let before = *taken;
        for address in addresses {
            while shares.take(*address, 1, Bounds::of_left(total - *taken, HALF, 0)) {
                *taken += 1;
            }
        }
        *taken - before
    }

    #[test]
    fn one_address_takes_half_and_its_network_two_thirds() {
        for addresses in [
            (0..64).map(|number| address(&format!("2001:db8:7:{number:x}::1"))).collect::<Vec<_>>(),
            (0..64).map(|number| address(&format!("198.51.100.{number}"))).collect(),
        ] {
            let (mut shares, mut taken) = (Shares::default(), 0);
            assert_eq!(fill(&mut shares, 3000, &mut taken, &addresses[..1]), 1500);
            fill(&mut shares, 3000, &mut taken, &addresses);
            assert_eq!(taken, 2000);
            // A stranger still gets half of the rest.
            assert_eq!(fill(&mut shares, 3000, &mut taken, &[address("203.0.113.1")]), 500);
        }
    }

    #[test]
    fn nothing_is_left_of_holders_that_have_given_everything_back() {
        let mut shares = Shares::default();
        let [one, two] = ["2001:db8::1", "2001:db8:0:1::1"].map(address);
        assert!(shares.take(one, 5, Bounds::fixed(5)) && !shares.take(one, 1, Bounds::fixed(5)));
        assert!(shares.take(two, 3, Bounds::NONE));
        shares.give_back(one, 5);
        assert!(!shares.is_empty());
        shares.give_back(two, 1);
        shares.give_back(two, 2);
        assert!(shares.is_empty());
    }

    #[test]
    fn a_fixed_bound_is_for_each_address_and_four_times_for_its_network() {
        let mut shares = Shares::default();
        let taken = (1..=9).filter(|number| shares.take(address(&format!("192.0.2.{number}")), 1, Bounds::fixed(1)));
        assert_eq!(taken.count(), 4);
    }
}

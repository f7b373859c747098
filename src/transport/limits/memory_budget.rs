//! Memory for request bodies, responses, and requests beyond the first on a connection.

use std::{
    hash::{BuildHasher, RandomState},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use parking_lot::Mutex;

use crate::transport::{
    client_address::AddressKey,
    limits::shares::{Bounds, Factors, Shares},
};

/// A reservation may grow to this fraction of what is free, so large ones are refused before small ones. The page's own
/// scripts must fit.
const PART: usize = 4;
/// Reservations up to this size are not counted by address, which would cost more than most requests: how many there are is
/// bounded by the connections of an address, and by the larger reservations of further requests on them.
const SMALL: usize = 4 * 1024;
/// Of an address half of everything, if it is alone, and of a network two thirds. The domain has the same for rooms;
/// docs/decisions/shares.md says why.
const FACTORS: Factors = Factors { address: 1, network: 2 };
/// Locks, so that workers rarely wait for each other.
const LOCKS: usize = 16;

#[derive(Debug)]
pub struct MemoryBudget {
    limit: usize,
    used: AtomicUsize,
    /// What addresses hold, by a hash of their network.
    shares: [Mutex<Shares>; LOCKS],
    hasher: RandomState,
}

/// Memory taken from the budget until dropped.
#[derive(Debug)]
pub struct Reservation {
    budget: Arc<MemoryBudget>,
    bytes: usize,
    /// For whom it is taken, if that is limited.
    holder: Option<AddressKey>,
    /// How much of it is counted as the holder's.
    held: usize,
}

impl MemoryBudget {
    pub fn new(limit: usize) -> Arc<Self> {
        let shares = std::array::from_fn(|_| Mutex::default());
        Arc::new(Self { limit, used: AtomicUsize::new(0), shares, hasher: RandomState::new() })
    }

    pub fn used(&self) -> usize {
        self.used.load(Relaxed)
    }

    /// An empty reservation.
    pub fn reservation(self: &Arc<Self>, holder: Option<AddressKey>) -> Reservation {
        Reservation { budget: self.clone(), bytes: 0, holder, held: 0 }
    }

    fn shares(&self, holder: AddressKey) -> &Mutex<Shares> {
        &self.shares[self.hasher.hash_one(holder.network()) as usize % LOCKS]
    }
}

impl Reservation {
    /// Takes `more` bytes, unless that would make the reservation, or all of its holder's, too large. Concurrent calls may each
    /// see the same free bytes: the limit is exceeded by one reservation for each worker at most.
    #[must_use]
    pub fn grow(&mut self, more: usize) -> bool {
        let free = self.budget.limit.saturating_sub(self.budget.used());
        let total = self.bytes + more;
        let fits = total <= free / PART && self.hold(total, free);
        if fits {
            self.budget.used.fetch_add(more, Relaxed);
            self.bytes = total;
        }
        fits
    }

    fn hold(&mut self, total: usize, free: usize) -> bool {
        let Some(holder) = self.holder.filter(|_| total > SMALL) else { return true };
        let fits = self.budget.shares(holder).lock().take(holder, total - self.held, Bounds::of_left(free, FACTORS, 0));
        if fits {
            self.held = total;
        }
        fits
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.budget.used.fetch_sub(self.bytes, Relaxed);
        if let Some(holder) = self.holder
            && self.held > 0
        {
            self.budget.shares(holder).lock().give_back(holder, self.held);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::IpAddr;

    fn address(text: &str) -> Option<AddressKey> {
        Some(text.parse::<IpAddr>().unwrap().into())
    }

    fn filled(budget: &Arc<MemoryBudget>, holder: Option<AddressKey>, each: usize) -> Vec<Reservation> {
        let next = || {
            let mut reservation = budget.reservation(holder);
            reservation.grow(each).then_some(reservation)
        };
        std::iter::from_fn(next).collect()
    }

    #[test]
    fn large_reservations_are_refused_before_small_ones() {
        let budget = MemoryBudget::new(10_000);
        let large = filled(&budget, None, 500);
        assert_eq!(budget.used(), 8500);
        let mut small = budget.reservation(None);
        assert!(small.grow(200) && !small.grow(200));
        drop((large, small));
        assert_eq!(budget.used(), 0);
    }

    #[test]
    fn an_address_holds_half_and_a_network_two_thirds() {
        let budget = MemoryBudget::new(6_000_000);
        let one = filled(&budget, address("2001:db8::1"), 10_000);
        assert_eq!(budget.used(), 3_000_000);
        let others: Vec<_> =
            (1..64).map(|number| filled(&budget, address(&format!("2001:db8:0:{number:x}::1")), 10_000)).collect();
        assert_eq!(budget.used(), 4_000_000);
        let mut stranger = budget.reservation(address("2001:db8:1::1"));
        assert!(stranger.grow(10_000) && stranger.grow(90_000));
        drop((one, others, stranger));
        assert_eq!(budget.used(), 0);
        assert!(budget.shares.iter().all(|shares| shares.lock().is_empty()));
    }

    /// Also that which was taken while the reservation was still small.
    #[test]
    fn a_reservation_that_grows_is_counted_whole() {
        let budget = MemoryBudget::new(100 * SMALL);
        let mut reservation = budget.reservation(address("192.0.2.1"));
        assert!(reservation.grow(SMALL));
        assert!(budget.shares.iter().all(|shares| shares.lock().is_empty()));
        assert!(reservation.grow(1));
        assert_eq!(reservation.held, SMALL + 1);
    }
}

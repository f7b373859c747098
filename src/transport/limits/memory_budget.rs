//! Memory for request bodies, responses, and requests beyond the first on a connection.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

/// A reservation may grow to this fraction of what is free, so large ones are refused before small ones. The page's own
/// scripts must fit.
const PART: usize = 4;

#[derive(Debug)]
pub struct MemoryBudget {
    limit: usize,
    used: AtomicUsize,
}

/// Memory taken from the budget until dropped.
#[derive(Debug)]
pub struct Reservation {
    budget: Arc<MemoryBudget>,
    bytes: usize,
}

impl MemoryBudget {
    pub fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { limit, used: AtomicUsize::new(0) })
    }

    pub fn used(&self) -> usize {
        self.used.load(Relaxed)
    }

    /// An empty reservation.
    pub fn reservation(self: &Arc<Self>) -> Reservation {
        Reservation { budget: self.clone(), bytes: 0 }
    }
}

impl Reservation {
    /// Takes `more` bytes, unless that would make the reservation too large. Concurrent calls may each see the same free
    /// bytes: the limit is exceeded by one reservation for each worker at most.
    #[must_use]
    pub fn grow(&mut self, more: usize) -> bool {
        let free = self.budget.limit.saturating_sub(self.budget.used());
        let fits = self.bytes + more <= free / PART;
        if fits {
            self.budget.used.fetch_add(more, Relaxed);
            self.bytes += more;
        }
        fits
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.budget.used.fetch_sub(self.bytes, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_reservations_are_refused_before_small_ones() {
        let budget = MemoryBudget::new(10_000);
        let large: Vec<Reservation> = std::iter::from_fn(|| {
            let mut reservation = budget.reservation();
            reservation.grow(500).then_some(reservation)
        })
        .collect();
        assert_eq!(budget.used(), 8500);
        let mut small = budget.reservation();
        assert!(small.grow(200) && !small.grow(200));
        drop((large, small));
        assert_eq!(budget.used(), 0);
    }
}

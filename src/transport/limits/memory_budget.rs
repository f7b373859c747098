//! Memory for what is on its way: bodies that are being received, answers that are being sent, and requests beyond the
//! first on a connection.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

/// One may take this part of what is left, and no more: so whoever takes much is refused before those who take little. It is
/// larger than that of a room, because the page's own scripts must fit.
const PART: usize = 4;

#[derive(Debug)]
pub struct MemoryBudget {
    limit: usize,
    used: AtomicUsize,
}

/// A part of it, given back when dropped.
#[derive(Debug)]
pub struct Reservation {
    memory: Arc<MemoryBudget>,
    bytes: usize,
}

impl MemoryBudget {
    pub fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { limit, used: AtomicUsize::new(0) })
    }

    pub fn used(&self) -> usize {
        self.used.load(Relaxed)
    }

    /// Nothing yet.
    pub fn reservation(self: &Arc<Self>) -> Reservation {
        Reservation { memory: self.clone(), bytes: 0 }
    }
}

impl Reservation {
    /// Takes so much more, if the whole is not more than its part of what is left.
    #[must_use]
    pub fn grow(&mut self, more: usize) -> bool {
        let left = self.memory.limit.saturating_sub(self.memory.used.load(Relaxed));
        let fits = self.bytes + more <= left / PART;
        if fits {
            self.memory.used.fetch_add(more, Relaxed);
            self.bytes += more;
        }
        fits
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.memory.used.fetch_sub(self.bytes, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_takes_much_is_refused_before_those_who_take_little() {
        let memory = MemoryBudget::new(10_000);
        let mut greedy: Vec<Reservation> = Vec::new();
        loop {
            let mut reservation = memory.reservation();
            if !reservation.grow(500) {
                break;
            }
            greedy.push(share);
        }
        assert_eq!(memory.used(), 8500);
        let mut modest = memory.reservation();
        assert!(modest.grow(200) && !modest.grow(200));
        drop((greedy, modest));
        assert_eq!(memory.used(), 0);
    }
}

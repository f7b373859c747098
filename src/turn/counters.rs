//! What the relay has done, for metrics.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::turn::allocations::Drop;

/// How a client reaches the relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    Udp,
    Tcp,
    Tls,
}

pub const WAYS: [(Way, &str); 3] = [(Way::Udp, "udp"), (Way::Tcp, "tcp"), (Way::Tls, "tls")];

pub const DROPS: [(Drop, &str); 7] = [
    (Drop::Malformed, "malformed"),
    (Drop::Unknown, "no-allocation"),
    (Drop::NotPermitted, "no-permission"),
    (Drop::NoPeer, "no-peer"),
    (Drop::OverRate, "rate"),
    (Drop::QueueFull, "slow-receiver"),
    (Drop::OverRequestRate, "request-rate"),
];

#[derive(Debug, Default)]
pub struct Counters {
    packets: [AtomicU64; WAYS.len()],
    bytes: [AtomicU64; WAYS.len()],
    drops: [AtomicU64; DROPS.len()],
    requests: AtomicU64,
    bindings: AtomicU64,
}

/// The counters at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Packets and bytes relayed, by how their sender reaches the relay.
    pub relayed: [(u64, u64); WAYS.len()],
    pub drops: [u64; DROPS.len()],
    /// TURN requests answered, with success or error.
    pub requests: u64,
    /// STUN Binding requests answered.
    pub bindings: u64,
}

impl Counters {
    pub fn relayed(&self, way: Way, bytes: usize) {
        self.packets[way as usize].fetch_add(1, Relaxed);
        self.bytes[way as usize].fetch_add(bytes as u64, Relaxed);
    }

    pub fn dropped(&self, why: Drop) {
        self.drops[why as usize].fetch_add(1, Relaxed);
    }

    pub fn answered(&self, is_binding: bool) {
        let count = if is_binding { &self.bindings } else { &self.requests };
        count.fetch_add(1, Relaxed);
    }

    pub fn snapshot(&self) -> Counts {
        let load = |count: &AtomicU64| count.load(Relaxed);
        Counts {
            relayed: std::array::from_fn(|way| (load(&self.packets[way]), load(&self.bytes[way]))),
            drops: std::array::from_fn(|why| load(&self.drops[why])),
            requests: load(&self.requests),
            bindings: load(&self.bindings),
        }
    }
}

impl Counts {
    /// What no client could have meant, or asked too often.
    pub fn ignored(&self) -> u64 {
        self.drops[Drop::Malformed as usize] + self.drops[Drop::OverRequestRate as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_at_the_places_of_their_counters() {
        assert!(WAYS.iter().enumerate().all(|(place, (way, _))| *way as usize == place));
        assert!(DROPS.iter().enumerate().all(|(place, (why, _))| *why as usize == place));
    }
}

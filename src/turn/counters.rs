//! What the relay has done, for metrics.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::turn::allocations::DropReason;

/// How a client reaches the relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    Udp,
    Tcp,
    Tls,
}

pub const TRANSPORTS: [(Transport, &str); 3] =
    [(Transport::Udp, "udp"), (Transport::Tcp, "tcp"), (Transport::Tls, "tls")];

pub const DROPS: [(DropReason, &str); 8] = [
    (DropReason::Malformed, "malformed"),
    (DropReason::Unknown, "no-allocation"),
    (DropReason::NotPermitted, "no-permission"),
    (DropReason::NoPeer, "no-peer"),
    (DropReason::OverRate, "rate"),
    (DropReason::QueueFull, "slow-receiver"),
    (DropReason::SendFailed, "send-failed"),
    (DropReason::OverRequestRate, "request-rate"),
];

#[derive(Debug, Default)]
pub struct Counters {
    packets: [AtomicU64; TRANSPORTS.len()],
    bytes: [AtomicU64; TRANSPORTS.len()],
    drops: [AtomicU64; DROPS.len()],
    requests: AtomicU64,
    bindings: AtomicU64,
}

/// The counters at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Packets and bytes relayed, by how their sender reaches the relay.
    pub relayed: [(u64, u64); TRANSPORTS.len()],
    pub drops: [u64; DROPS.len()],
    /// TURN requests answered, with success or error.
    pub requests: u64,
    /// STUN Binding requests answered.
    pub bindings: u64,
}

impl Counters {
    pub fn relayed(&self, transport: Transport, bytes: usize) {
        self.packets[transport as usize].fetch_add(1, Relaxed);
        self.bytes[transport as usize].fetch_add(bytes as u64, Relaxed);
    }

    pub fn dropped(&self, why: DropReason) {
        self.drops[why as usize].fetch_add(1, Relaxed);
    }

    pub fn answered(&self, is_binding: bool) {
        let count = if is_binding { &self.bindings } else { &self.requests };
        count.fetch_add(1, Relaxed);
    }

    pub fn snapshot(&self) -> Counts {
        let load = |count: &AtomicU64| count.load(Relaxed);
        Counts {
            relayed: std::array::from_fn(|transport| (load(&self.packets[transport]), load(&self.bytes[transport]))),
            drops: std::array::from_fn(|why| load(&self.drops[why])),
            requests: load(&self.requests),
            bindings: load(&self.bindings),
        }
    }
}

impl Counts {
    /// Malformed messages, and requests over the rate.
    pub fn ignored(&self) -> u64 {
        self.drops[DropReason::Malformed as usize] + self.drops[DropReason::OverRequestRate as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_at_the_places_of_their_counters() {
        assert!(TRANSPORTS.iter().enumerate().all(|(place, (transport, _))| *transport as usize == place));
        assert!(DROPS.iter().enumerate().all(|(place, (why, _))| *why as usize == place));
    }
}

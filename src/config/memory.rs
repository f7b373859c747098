//! How the memory that the server may take is shared out.

use std::time::Duration;

use sysinfo::{MemoryRefreshKind, RefreshKind, System};

use crate::{
    config::{BATCH_BODIES, Config},
    transport::limits::registry::ConnectionLimits,
};

/// File descriptors that are not for connections: the listener, timers, files, and some to spare.
const DESCRIPTORS_KEPT: usize = 256;
/// Many people may share an address; a few such addresses must not take all connections.
const PER_ADDRESS: usize = 2048;
/// So few from one address are no abuse.
const FEW: usize = 64;
/// The least that can be shared out.
pub const LEAST: u64 = 64 * 1024 * 1024;

/// What a connection takes at worst, besides what its requests take: buffers, half a request head, and over TLS what is
/// encrypted and not yet taken. SECURITY.md has what was measured.
const CONNECTION_BYTES: usize = 64 * 1024;
const TLS_CONNECTION_BYTES: usize = 128 * 1024;

/// The parts; a quarter of the whole is for the program itself and for what the allocator cannot use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shares {
    /// Three eighths: rooms, peers and what is in mailboxes, in bytes.
    pub rooms: usize,
    /// An eighth: requests and answers on their way, in bytes.
    pub transit: usize,
    /// A quarter: so many connections.
    pub connections: usize,
}

impl Shares {
    pub fn of(whole: u64, tls: bool) -> Self {
        let eighth = usize::try_from(whole / 8).unwrap_or(usize::MAX / 8);
        let connection = if tls { TLS_CONNECTION_BYTES } else { CONNECTION_BYTES };
        Self { rooms: eighth * 3, transit: eighth, connections: eighth * 2 / connection }
    }
}

impl Config {
    pub(crate) fn shares(&self) -> Shares {
        Shares::of(self.memory_bytes.unwrap_or_else(half_of_the_machine), self.is_encrypted())
    }

    /// What this process can hold with so many file descriptors.
    pub fn connections(&self, descriptors: u64) -> ConnectionLimits {
        let spare = usize::try_from(descriptors).unwrap_or(usize::MAX).saturating_sub(DESCRIPTORS_KEPT).max(16);
        let shares = self.shares();
        let total = self.connections_max.unwrap_or(shares.connections).min(spare);
        ConnectionLimits {
            total,
            per_address: self.connections_per_address.unwrap_or_else(|| PER_ADDRESS.min(total / 4).max(FEW)),
            transit_bytes: shares.transit,
            body_bytes: self.body_bytes.saturating_mul(BATCH_BODIES),
            idle: Duration::from_millis(self.keep_alive_ms),
        }
    }
}

/// Half of what the machine has, or the container.
fn half_of_the_machine() -> u64 {
    let system =
        System::new_with_specifics(RefreshKind::nothing().with_memory(MemoryRefreshKind::nothing().with_ram()));
    let container = system.cgroup_limits().map_or(u64::MAX, |limits| limits.total_memory);
    (system.total_memory().min(container) / 2).max(LEAST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_leave_a_quarter_of_the_whole() {
        let shares = Shares::of(LEAST, false);
        assert_eq!(shares, Shares { rooms: 24 << 20, transit: 8 << 20, connections: 256 });
        assert_eq!(Shares::of(LEAST, true).connections, 128);
    }

    #[test]
    fn a_machine_has_some_memory() {
        assert!(half_of_the_machine() >= LEAST);
    }
}

//! How the memory that clients may use is divided.

use std::time::Duration;

use sysinfo::{MemoryRefreshKind, RefreshKind, System};

use crate::{config::Config, transport::limits::registry::ConnectionLimits};

/// File descriptors that are not for connections: listeners, timers, files, and a reserve.
const DESCRIPTORS_KEPT: usize = 256;
/// Many clients may share an address, but a few such addresses must not take all connections.
const PER_ADDRESS_MAX: usize = 2048;
const PER_ADDRESS_MIN: usize = 64;
/// Connections of monitoring, which are not clients', and memory for their responses.
const METRICS_CONNECTIONS: usize = 64;
const METRICS_BYTES: usize = 1024 * 1024;
/// The smallest value of `--memory-bytes`.
pub const MEMORY_BYTES_MIN: u64 = 64 * 1024 * 1024;

/// The most memory a connection takes besides its requests: buffers, a partial request head, and with TLS the encrypted
/// output that has not been read. SECURITY.md has measurements.
const CONNECTION_BYTES: usize = 64 * 1024;
const TLS_CONNECTION_BYTES: usize = 128 * 1024;

/// The parts. The remaining quarter is for the program itself and for what the allocator cannot use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shares {
    /// Three eighths: rooms, peers and mailboxes, in bytes.
    pub rooms: usize,
    /// An eighth: bodies and responses, in bytes.
    pub transit: usize,
    /// A quarter, as a number of connections.
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

    /// The limits of the public listener, for a process with so many file descriptors.
    pub fn connections(&self, descriptors: u64) -> ConnectionLimits {
        let available = usize::try_from(descriptors).unwrap_or(usize::MAX).saturating_sub(DESCRIPTORS_KEPT).max(16);
        let shares = self.shares();
        let total = self.connections_max.unwrap_or(shares.connections).min(available);
        let per_address = PER_ADDRESS_MAX.min(total / 4).max(PER_ADDRESS_MIN);
        ConnectionLimits {
            total,
            per_address: self.connections_per_address.unwrap_or(per_address),
            memory_bytes: shares.transit,
            body_bytes: self.limits().batch_bytes,
            idle: Duration::from_millis(self.keep_alive_ms),
        }
    }

    /// The limits of `--metrics-listen`.
    pub fn metrics_connections(&self) -> ConnectionLimits {
        let (total, per_address) = (METRICS_CONNECTIONS, METRICS_CONNECTIONS);
        let idle = Duration::from_millis(self.keep_alive_ms);
        ConnectionLimits { total, per_address, memory_bytes: METRICS_BYTES, body_bytes: 0, idle }
    }
}

/// Half the memory of the machine or container.
fn half_of_the_machine() -> u64 {
    let system =
        System::new_with_specifics(RefreshKind::nothing().with_memory(MemoryRefreshKind::nothing().with_ram()));
    let container = system.cgroup_limits().map_or(u64::MAX, |limits| limits.total_memory);
    (system.total_memory().min(container) / 2).max(MEMORY_BYTES_MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_leave_a_quarter_of_the_whole() {
        let shares = Shares::of(MEMORY_BYTES_MIN, false);
        assert_eq!(shares, Shares { rooms: 24 << 20, transit: 8 << 20, connections: 256 });
        assert_eq!(Shares::of(MEMORY_BYTES_MIN, true).connections, 128);
    }

    #[test]
    fn half_of_the_machine_is_at_least_the_minimum() {
        assert!(half_of_the_machine() >= MEMORY_BYTES_MIN);
    }
}

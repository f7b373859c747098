//! How the memory that clients may use is divided.

use sysinfo::{MemoryRefreshKind, RefreshKind, System};

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
    /// By default, of half the memory of the machine.
    pub fn of(whole: Option<u64>, tls: bool) -> Self {
        let eighth = usize::try_from(whole.unwrap_or_else(half_of_the_machine) / 8).unwrap_or(usize::MAX / 8);
        let connection = if tls { TLS_CONNECTION_BYTES } else { CONNECTION_BYTES };
        Self { rooms: eighth * 3, transit: eighth, connections: eighth * 2 / connection }
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
        let shares = Shares::of(Some(MEMORY_BYTES_MIN), false);
        assert_eq!(shares, Shares { rooms: 24 << 20, transit: 8 << 20, connections: 256 });
        assert_eq!(Shares::of(Some(MEMORY_BYTES_MIN), true).connections, 128);
    }

    #[test]
    fn half_of_the_machine_is_at_least_the_minimum() {
        assert!(half_of_the_machine() >= MEMORY_BYTES_MIN);
    }
}

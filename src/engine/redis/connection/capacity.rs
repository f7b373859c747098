//! How much memory a Redis server has left for rooms.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use crate::{domain::Limits, engine::redis::connection::server_info::MemoryInfo};

/// Of a server that reports neither `maxmemory` nor the memory of its machine.
const UNKNOWN_MACHINE: u64 = 2 << 30;

/// From the last health check, less what this node has added since.
#[derive(Debug, Default)]
pub struct Capacity {
    limit: AtomicU64,
    left: AtomicU64,
    warned: AtomicBool,
}

/// Bytes that are left, as arguments of scripts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Left {
    /// For anything.
    pub bytes: u64,
    /// Beyond these, for small posts alone.
    pub reserve: u64,
}

impl Capacity {
    /// Stores what a server has reported.
    pub fn update(&self, info: &MemoryInfo, host: &impl std::fmt::Display) {
        let limit = limit(info);
        self.limit.store(limit, Relaxed);
        self.left.store(limit.saturating_sub(info.used), Relaxed);
        let is_unbounded = info.maxmemory == 0;
        if is_unbounded && !self.warned.swap(true, Relaxed) {
            let mib = limit >> 20;
            tracing::warn!(
                "Redis at {host} has no maxmemory, so other programs may fill the machine's memory through it: set maxmemory in \
                 redis.conf (redis-cli CONFIG SET maxmemory 1gb). Until then rooms are refused when it uses {mib} MiB, half \
                 of the machine's memory"
            );
        }
        self.warned.store(is_unbounded, Relaxed);
    }

    /// A call will add about so much.
    pub fn take(&self, bytes: u64) {
        let _ = self.left.fetch_update(Relaxed, Relaxed, |left| Some(left.saturating_sub(bytes)));
    }

    pub fn left(&self) -> Left {
        let reserve = self.limit.load(Relaxed) / Limits::RESERVE_DIVISOR as u64;
        let left = self.left.load(Relaxed);
        Left { bytes: left.saturating_sub(reserve), reserve: reserve.min(left) }
    }
}

/// Without `maxmemory`, half of the machine's memory.
fn limit(info: &MemoryInfo) -> u64 {
    match (info.maxmemory, info.machine) {
        (0, 0) => UNKNOWN_MACHINE / 2,
        (0, machine) => machine / 2,
        (limit, _) => limit,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(maxmemory: u64, machine: u64, used: u64) -> Left {
        let capacity = Capacity::default();
        capacity.update(&MemoryInfo { used, maxmemory, machine, eviction: String::new() }, &"here");
        capacity.left()
    }

    #[test]
    fn a_sixteenth_of_maxmemory_is_the_reserve() {
        assert_eq!(left(16_000, 0, 1_000), Left { bytes: 14_000, reserve: 1_000 });
        assert_eq!(left(16_000, 0, 15_500), Left { bytes: 0, reserve: 500 });
        assert_eq!(left(16_000, 0, 17_000), Left { bytes: 0, reserve: 0 });
    }

    #[test]
    fn without_maxmemory_the_limit_is_half_of_the_machines_memory() {
        assert_eq!(left(0, 32_000, 1_000), Left { bytes: 14_000, reserve: 1_000 });
        assert_eq!(left(0, 0, 0).reserve, (1 << 30) / 16);
    }

    #[test]
    fn what_was_added_since_the_last_check_is_not_left() {
        let capacity = Capacity::default();
        capacity.update(&MemoryInfo { used: 0, maxmemory: 16_000, machine: 0, eviction: String::new() }, &"here");
        capacity.take(15_500);
        assert_eq!(capacity.left(), Left { bytes: 0, reserve: 500 });
        capacity.take(1_000);
        assert_eq!(capacity.left(), Left::default());
    }
}

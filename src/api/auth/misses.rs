//! Slows down who tries names of rooms: each name that an address asks for in vain counts as a failed attempt.

use std::{
    hash::{BuildHasher, RandomState},
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use crate::{api::auth::lockout::Lockout, domain::Timestamp, transport::client_address::AddressKey};

/// Names without a wait: a whole office may wait for rooms that do not exist yet.
const FREE_NAMES: u32 = 100;
/// Names remembered, of all addresses; half a megabyte.
const REMEMBERED: usize = 65_536;

#[derive(Debug)]
pub struct Misses {
    lockout: Lockout<AddressKey>,
    /// Which names were asked for last, as hashes: a page that polls a room until it exists tries one name, however often.
    names: Box<[AtomicU64]>,
    hasher: RandomState,
}

impl Default for Misses {
    fn default() -> Self {
        let names = std::iter::repeat_with(AtomicU64::default).take(REMEMBERED).collect();
        Self { lockout: Lockout::new(FREE_NAMES, Duration::from_secs(60)), names, hasher: RandomState::new() }
    }
}

impl Misses {
    pub fn wait(&self, address: AddressKey, now: Timestamp) -> Option<Duration> {
        self.lockout.wait(&address, now)
    }

    pub fn record(&self, address: AddressKey, name: &str, now: Timestamp) {
        // Never 0, which stands for none.
        let hash = self.hasher.hash_one((address, name)) | 1;
        let slot = self.names.get((hash >> 1) as usize % REMEMBERED);
        if slot.is_none_or(|slot| slot.swap(hash, Relaxed) != hash) {
            self.lockout.record(address, now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{IpAddr, Ipv4Addr};

    #[test]
    fn new_names_count_and_the_same_name_does_not() {
        let misses = Misses::default();
        let now = Timestamp::from_millis(5000);
        let [patient, curious] = [1, 2].map(|number| AddressKey::from(IpAddr::from(Ipv4Addr::from_bits(number))));
        for number in 0..1000 {
            misses.record(patient, ["tea", "coffee"][number % 2], now);
        }
        assert_eq!(misses.wait(patient, now), None);
        for number in 0..FREE_NAMES + 20 {
            misses.record(curious, &format!("room-{number}"), now);
        }
        assert_eq!(misses.wait(curious, now), Some(Duration::from_secs(60)));
        assert_eq!(misses.wait(patient, now), None);
    }
}

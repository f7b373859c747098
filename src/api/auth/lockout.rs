//! Locks out addresses after failed attempts: from the tenth (or another number), each failure doubles the wait.

use std::{collections::HashMap, time::Duration};

use parking_lot::Mutex;

use crate::{domain::Timestamp, transport::client_address::AddressKey};

#[derive(Debug)]
pub struct Lockout {
    /// Failures without a wait.
    free: u32,
    /// One lock is enough: only attempts with a secret or ticket take it.
    by_address: Mutex<HashMap<AddressKey, Record>>,
}

#[derive(Clone, Copy, Debug)]
struct Record {
    count: u32,
    blocked_until: Timestamp,
    last: Timestamp,
}

/// For people who mistype a secret.
const FREE_FAILURES: u32 = 10;
const WAIT_MAX: Duration = Duration::from_secs(60);
/// The count restarts after this long without a failure.
const RESET_AFTER: Duration = Duration::from_secs(600);
/// About 6 MB. Beyond it, the oldest are evicted.
const ADDRESSES_MAX: usize = 65_536;

impl Default for Lockout {
    fn default() -> Self {
        Self::after(FREE_FAILURES)
    }
}

impl Lockout {
    pub fn after(free: u32) -> Self {
        Self { free, by_address: Mutex::default() }
    }

    /// How long this address must wait before its next attempt, if at all.
    pub fn wait(&self, address: AddressKey, now: Timestamp) -> Option<Duration> {
        let records = self.by_address.lock();
        let record = records.get(&address)?;
        (record.blocked_until > now).then(|| now.until(record.blocked_until))
    }

    /// Records a failed attempt.
    pub fn record(&self, address: AddressKey, now: Timestamp) {
        let mut records = self.by_address.lock();
        if records.len() >= ADDRESSES_MAX && !records.contains_key(&address) {
            Self::evict(&mut records, now);
        }
        let fresh = Record { count: 0, blocked_until: now, last: now };
        let record = records.entry(address).or_insert(fresh);
        if record.last + RESET_AFTER <= now {
            *record = fresh;
        }
        record.count = record.count.saturating_add(1);
        record.last = now;
        if let Some(beyond) = record.count.checked_sub(self.free) {
            let wait = Duration::from_secs(1_u64 << beyond.min(10)).min(WAIT_MAX);
            record.blocked_until = now + wait;
        }
    }

    fn evict(records: &mut HashMap<AddressKey, Record>, now: Timestamp) {
        records.retain(|_, record| record.last + RESET_AFTER > now);
        if records.len() < ADDRESSES_MAX {
            return;
        }
        // Still too many: the older half goes.
        let mut lasts: Vec<Timestamp> = records.values().map(|record| record.last).collect();
        let middle = lasts.len() / 2;
        let median = *lasts.select_nth_unstable(middle).1;
        records.retain(|_, record| record.last > median);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{IpAddr, Ipv4Addr};

    fn address(number: u32) -> AddressKey {
        IpAddr::from(Ipv4Addr::from_bits(number)).into()
    }

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    #[test]
    fn from_the_tenth_failure_the_wait_doubles_up_to_a_minute() {
        let failures = Lockout::default();
        let mut waits = Vec::new();
        for _ in 0..18 {
            failures.record(address(1), at(5));
            waits.push(failures.wait(address(1), at(5)).map_or(0, |wait| wait.as_secs()));
        }
        assert_eq!(waits, [0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60]);
        assert_eq!(failures.wait(address(2), at(5)), None);
        assert_eq!(failures.wait(address(1), at(65)), None);
    }

    #[test]
    fn the_count_restarts_after_ten_minutes() {
        let failures = Lockout::default();
        (0..12).for_each(|_| failures.record(address(1), at(0)));
        failures.record(address(1), at(700));
        assert_eq!(failures.wait(address(1), at(700)), None);
    }

    #[test]
    fn the_number_of_addresses_is_bounded() {
        let failures = Lockout::default();
        (0..70_000).for_each(|number| failures.record(address(number), at(u64::from(number / 1000))));
        let remembered = failures.by_address.lock().len();
        assert!(remembered <= ADDRESSES_MAX && remembered > ADDRESSES_MAX / 4, "{remembered}");
        assert!(failures.by_address.lock().contains_key(&address(69_999)));
    }
}

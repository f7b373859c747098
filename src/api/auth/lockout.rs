//! Failed attempts to get in, by address: after a few, each must wait longer than the one before.

use std::{collections::HashMap, time::Duration};

use parking_lot::Mutex;

use crate::{domain::Timestamp, transport::client_address::AddressKey};

/// What is known of the addresses that failed of late.
#[derive(Debug, Default)]
pub struct Lockout {
    /// One lock: only failures take it, and they are rare or rightly slow.
    by_address: Mutex<HashMap<AddressKey, Record>>,
}

#[derive(Clone, Copy, Debug)]
struct Record {
    count: u32,
    blocked_until: Timestamp,
    last: Timestamp,
}

/// Mistakes are human: somebody who mistypes a secret this often is not made to wait.
const FREE: u32 = 10;
const LONGEST: Duration = Duration::from_secs(60);
/// Without a failure for this long, an address is as good as new.
const FORGOTTEN: Duration = Duration::from_secs(600);
/// Addresses remembered: about 6 MB. Beyond them the oldest is forgotten first.
const REMEMBERED: usize = 65_536;

impl Lockout {
    /// How long this address must wait before it may try again, if it must.
    pub fn wait(&self, address: AddressKey, now: Timestamp) -> Option<Duration> {
        let records = self.by_address.lock();
        let record = records.get(&address)?;
        (record.blocked_until > now).then(|| now.until(record.blocked_until))
    }

    /// An attempt from this address failed. The wait doubles with each.
    pub fn record(&self, address: AddressKey, now: Timestamp) {
        let mut records = self.by_address.lock();
        if records.len() >= REMEMBERED && !records.contains_key(&address) {
            Self::forget(&mut records, now);
        }
        let fresh = Record { count: 0, blocked_until: now, last: now };
        let record = records.entry(address).or_insert(fresh);
        if record.last + FORGOTTEN <= now {
            *record = fresh;
        }
        record.count = record.count.saturating_add(1);
        record.last = now;
        if let Some(beyond) = record.count.checked_sub(FREE) {
            let wait = Duration::from_secs(1_u64 << beyond.min(10)).min(LONGEST);
            record.blocked_until = now + wait;
        }
    }

    fn forget(records: &mut HashMap<AddressKey, Record>, now: Timestamp) {
        records.retain(|_, record| record.last + FORGOTTEN > now);
        if records.len() < REMEMBERED {
            return;
        }
        // Still too many: half of them go, the oldest.
        let mut lasts: Vec<Timestamp> = records.values().map(|record| record.last).collect();
        let middle = lasts.len() / 2;
        let (_, median, _) = lasts.select_nth_unstable(middle);
        let median = *median;
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
    fn ten_failures_are_free_and_then_the_wait_doubles_to_a_minute() {
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
    fn after_ten_quiet_minutes_an_address_is_as_good_as_new() {
        let failures = Lockout::default();
        for _ in 0..12 {
            failures.record(address(1), at(0));
        }
        failures.record(address(1), at(700));
        assert_eq!(failures.wait(address(1), at(700)), None);
    }

    #[test]
    fn only_so_many_addresses_are_remembered() {
        let failures = Lockout::default();
        for number in 0..70_000 {
            failures.record(address(number), at(u64::from(number / 1000)));
        }
        let remembered = failures.by_address.lock().len();
        assert!(remembered <= REMEMBERED && remembered > REMEMBERED / 4, "{remembered}");
        assert!(failures.by_address.lock().contains_key(&address(69_999)));
    }
}

//! Delays further attempts after too many failures: each one beyond a free allowance doubles the wait.

use std::{collections::HashMap, hash::Hash, time::Duration};

use parking_lot::Mutex;

use crate::domain::Timestamp;

#[derive(Debug)]
pub struct Lockout<K> {
    /// Failures without a wait, for people who mistype a secret.
    free: u32,
    wait_max: Duration,
    /// One lock is enough: only attempts with a secret or ticket take it.
    records: Mutex<HashMap<K, Record>>,
}

#[derive(Clone, Copy, Debug)]
struct Record {
    count: u32,
    blocked_until: Timestamp,
    last: Timestamp,
}

/// The count restarts after this long without a failure.
const RESET_AFTER: Duration = Duration::from_secs(600);
/// About 6 MB. Beyond it, the oldest are evicted.
const RECORDS_MAX: usize = 65_536;

impl<K: Eq + Hash> Lockout<K> {
    pub fn new(free: u32, wait_max: Duration) -> Self {
        Self { free, wait_max, records: Mutex::default() }
    }

    /// How long to wait before the next attempt, if at all.
    pub fn wait(&self, key: &K, now: Timestamp) -> Option<Duration> {
        let records = self.records.lock();
        let record = records.get(key)?;
        (record.blocked_until > now).then(|| now.until(record.blocked_until))
    }

    /// Records a failed attempt.
    pub fn record(&self, key: K, now: Timestamp) {
        self.count(&mut self.records.lock(), key, now);
    }

    /// Counts an attempt before its outcome is known, so that no number of attempts at once exceeds the limit; or says how
    /// long to wait.
    pub fn begin(&self, key: K, now: Timestamp) -> Result<(), Duration> {
        let mut records = self.records.lock();
        match records.get(&key) {
            Some(record) if record.blocked_until > now => Err(now.until(record.blocked_until)),
            _ => {
                self.count(&mut records, key, now);
                Ok(())
            }
        }
    }

    /// The attempt did not fail.
    pub fn forgive(&self, key: &K, now: Timestamp) {
        if let Some(record) = self.records.lock().get_mut(key) {
            record.count = record.count.saturating_sub(1);
            record.blocked_until = now;
        }
    }

    fn count(&self, records: &mut HashMap<K, Record>, key: K, now: Timestamp) {
        if records.len() >= RECORDS_MAX && !records.contains_key(&key) {
            self.evict(records, now);
        }
        let fresh = Record { count: 0, blocked_until: now, last: now };
        let record = records.entry(key).or_insert(fresh);
        if record.last + RESET_AFTER <= now {
            *record = fresh;
        }
        record.count = record.count.saturating_add(1);
        record.last = now;
        if let Some(beyond) = record.count.checked_sub(self.free) {
            let wait = Duration::from_secs(1_u64 << beyond.min(10)).min(self.wait_max);
            record.blocked_until = now + wait;
        }
    }

    fn evict(&self, records: &mut HashMap<K, Record>, now: Timestamp) {
        records.retain(|_, record| record.count > 0 && record.last + RESET_AFTER > now);
        if records.len() < RECORDS_MAX {
            return;
        }
        // Still too many: the older half goes, of those without a wait if they are most. They are cheap to make, and must not
        // displace the others.
        let is_cheap = |record: &Record| record.count < self.free;
        let mut lasts: Vec<Timestamp> =
            records.values().filter(|record| is_cheap(record)).map(|record| record.last).collect();
        let only_cheap = lasts.len() >= RECORDS_MAX / 2;
        if !only_cheap {
            lasts = records.values().map(|record| record.last).collect();
        }
        let middle = lasts.len() / 2;
        let median = *lasts.select_nth_unstable(middle).1;
        records.retain(|_, record| record.last > median || (only_cheap && !is_cheap(record)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by_number() -> Lockout<u32> {
        Lockout::new(10, Duration::from_secs(60))
    }

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    #[test]
    fn from_the_tenth_failure_the_wait_doubles_up_to_a_minute() {
        let failures = by_number();
        let mut waits = Vec::new();
        for _ in 0..18 {
            failures.record(1, at(5));
            waits.push(failures.wait(&1, at(5)).map_or(0, |wait| wait.as_secs()));
        }
        assert_eq!(waits, [0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60]);
        assert_eq!(failures.wait(&2, at(5)), None);
        assert_eq!(failures.wait(&1, at(65)), None);
    }

    #[test]
    fn the_count_restarts_after_ten_minutes() {
        let failures = by_number();
        (0..12).for_each(|_| failures.record(1, at(0)));
        failures.record(1, at(700));
        assert_eq!(failures.wait(&1, at(700)), None);
    }

    #[test]
    fn the_number_of_records_is_bounded() {
        let failures = by_number();
        (0..70_000).for_each(|number| failures.record(number, at(u64::from(number / 1000))));
        let remembered = failures.records.lock().len();
        assert!(remembered <= RECORDS_MAX && remembered > RECORDS_MAX / 4, "{remembered}");
        assert!(failures.records.lock().contains_key(&69_999));
    }

    #[test]
    fn attempts_at_once_count_before_any_has_failed() {
        let attempts = by_number();
        let begun = (0..100).filter(|_| attempts.begin(1, at(5)).is_ok()).count();
        assert_eq!(begun, 10);
        assert_eq!(attempts.begin(1, at(5)), Err(Duration::from_secs(1)));
        assert_eq!(attempts.begin(1, at(6)), Ok(()));
        assert_eq!(attempts.begin(1, at(7)), Err(Duration::from_secs(1)));
        attempts.forgive(&1, at(7));
        assert_eq!(attempts.begin(1, at(7)), Ok(()));
    }

    #[test]
    fn many_first_failures_do_not_end_a_wait() {
        let failures = by_number();
        (0..12).for_each(|_| failures.record(u32::MAX, at(0)));
        (0..200_000).for_each(|number| failures.record(number, at(1)));
        assert!(failures.wait(&u32::MAX, at(1)).is_some());
    }
}

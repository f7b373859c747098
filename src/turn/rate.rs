//! Rates of bytes: of one allocation, and of all, shared fairly among rooms.

use crate::{domain::Timestamp, turn::limits::BURST};

/// A rate limit by the generic cell rate algorithm: the moment when all bytes so far would have been sent at the rate.
#[derive(Clone, Copy, Debug, Default)]
pub struct Meter {
    paid_until_nanos: u64,
}

const NANOS_PER_SECOND: u128 = 1_000_000_000;

impl Meter {
    pub fn has_room(self, now: Timestamp) -> bool {
        self.paid_until_nanos < nanos(now + BURST)
    }

    pub fn add(&mut self, now: Timestamp, bytes: usize, bytes_per_second: u64) {
        let cost = bytes as u128 * NANOS_PER_SECOND / u128::from(bytes_per_second.max(1));
        let cost = u64::try_from(cost).unwrap_or(u64::MAX);
        // A room within its share may push the total past its burst; that excess is not carried over.
        self.paid_until_nanos = self.paid_until_nanos.max(nanos(now)).min(nanos(now + BURST)).saturating_add(cost);
    }

    /// Whether it has been used since this moment.
    pub fn is_used_since(self, moment: Timestamp) -> bool {
        self.paid_until_nanos > nanos(moment)
    }

    /// Whether the bytes are within the rate. If so, they count.
    pub fn take(&mut self, now: Timestamp, bytes: usize, bytes_per_second: u64) -> bool {
        let fits = self.has_room(now);
        if fits {
            self.add(now, bytes, bytes_per_second);
        }
        fits
    }
}

fn nanos(moment: Timestamp) -> u64 {
    moment.micros().saturating_mul(1000)
}

/// The rate of all rooms together.
#[derive(Debug)]
pub struct SharedRate {
    bytes_per_second: u64,
    total: Meter,
}

impl SharedRate {
    pub fn new(bytes_per_second: u64) -> Self {
        Self { bytes_per_second, total: Meter::default() }
    }

    /// Whether a room may send `bytes`. While the total rate is not used up every room may; afterwards those that have
    /// used less than an equal share.
    pub fn take(&mut self, now: Timestamp, room: &mut Meter, rooms: usize, bytes: usize) -> bool {
        let fits = self.total.has_room(now) || room.has_room(now);
        if fits {
            let share = self.bytes_per_second / (rooms.max(1) as u64);
            room.add(now, bytes, share);
            self.total.add(now, bytes, self.bytes_per_second);
        }
        fits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_millis(1_000_000 + millis)
    }

    #[test]
    fn a_burst_of_a_second_passes_and_then_the_rate() {
        let mut meter = Meter::default();
        let mut passed = |millis| (0..5000).filter(|_| meter.take(at(millis), 100, 100_000)).count();
        assert_eq!(passed(0), 1000);
        assert_eq!(passed(0), 0);
        assert_eq!(passed(500), 500);
        assert_eq!(passed(60_000), 1000);
    }

    /// One room sends as fast as it can, the other less than its half.
    #[test]
    fn a_room_that_floods_takes_nothing_from_others() {
        let mut rate = SharedRate::new(100_000);
        let (mut greedy, mut modest) = (Meter::default(), Meter::default());
        let (mut of_greedy, mut of_modest) = (0, 0);
        for millis in 0..20_000 {
            of_greedy += (0..10).filter(|_| rate.take(at(millis), &mut greedy, 2, 100)).count();
            if millis % 3 == 0 {
                of_modest += usize::from(rate.take(at(millis), &mut modest, 2, 100));
            }
        }
        assert_eq!(of_modest, 6667, "33,333 bytes per second are less than half of the rate");
        let total = (of_greedy + of_modest) * 100;
        assert!((2_000_000..2_300_000).contains(&total), "{total} bytes in 20 s at 100,000 per second");
    }

    #[test]
    fn a_lone_room_may_use_the_whole_rate() {
        let mut rate = SharedRate::new(100_000);
        let mut room = Meter::default();
        let passed = (0..10_000).flat_map(|millis| [millis; 10]);
        let passed = passed.filter(|millis| rate.take(at(*millis), &mut room, 8, 100)).count();
        assert!((10_000..=11_001).contains(&passed), "{passed}");
    }
}

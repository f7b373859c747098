//! Counters of what an engine has done.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

use crate::domain::{Accepted, Batch, Change, LeaveReason, LifecycleEvent, Timestamp};

/// Upper bounds of the histogram of how long messages wait: some hundred microseconds for a parked poll to wake, seconds for a
/// quiet reader.
pub const BUCKETS_MICROS: [u64; 12] =
    [100, 250, 500, 1_000, 2_500, 5_000, 10_000, 50_000, 250_000, 1_000_000, 5_000_000, 30_000_000];

#[derive(Debug, Default)]
pub struct Counters {
    accepted: AtomicU64,
    accepted_bytes: AtomicU64,
    delivered: AtomicU64,
    delivered_bytes: AtomicU64,
    expired: AtomicU64,
    fullest: AtomicUsize,
    /// How long messages waited between post and delivery; the last bucket has no upper bound.
    waited: [AtomicU64; BUCKETS_MICROS.len() + 1],
    waited_micros: AtomicU64,
}

/// A snapshot of `Counters`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub accepted: u64,
    pub accepted_bytes: u64,
    pub delivered: u64,
    pub delivered_bytes: u64,
    pub expired: u64,
    pub fullest: usize,
    pub waited: Vec<u64>,
    pub waited_micros: u64,
}

impl Counters {
    pub fn accepted(&self, accepted: &Accepted) {
        if accepted.repeated {
            return;
        }
        self.accepted.fetch_add(accepted.positions.len() as u64, Relaxed);
        self.accepted_bytes.fetch_add(accepted.bytes as u64, Relaxed);
        // The maximum rarely rises, so mostly this is only a load.
        if accepted.fullest > self.fullest.load(Relaxed) {
            self.fullest.fetch_max(accepted.fullest, Relaxed);
        }
    }

    /// A message that is read again, because a response was lost, is not counted again.
    pub fn delivered(&self, batch: &Batch, now: Timestamp) {
        let fresh = &batch.messages[batch.messages.len() - batch.fresh..];
        if fresh.is_empty() {
            return;
        }
        let mut bytes = 0;
        for message in fresh {
            bytes += message.content.bytes() as u64;
            let micros = u64::try_from(message.since.until(now).as_micros()).unwrap_or(u64::MAX);
            self.waited[BUCKETS_MICROS.partition_point(|bound| *bound < micros)].fetch_add(1, Relaxed);
            self.waited_micros.fetch_add(micros, Relaxed);
        }
        self.delivered.fetch_add(fresh.len() as u64, Relaxed);
        self.delivered_bytes.fetch_add(bytes, Relaxed);
    }

    pub fn expired(&self, lifecycle: &[LifecycleEvent]) {
        let expired = |event: &&LifecycleEvent| matches!(event.change, Change::PeerLeft(_, LeaveReason::Expired));
        self.expired.fetch_add(lifecycle.iter().filter(expired).count() as u64, Relaxed);
    }

    pub fn snapshot(&self) -> Counts {
        Counts {
            accepted: self.accepted.load(Relaxed),
            accepted_bytes: self.accepted_bytes.load(Relaxed),
            delivered: self.delivered.load(Relaxed),
            delivered_bytes: self.delivered_bytes.load(Relaxed),
            expired: self.expired.load(Relaxed),
            fullest: self.fullest.load(Relaxed),
            waited: self.waited.iter().map(|count| count.load(Relaxed)).collect(),
            waited_micros: self.waited_micros.load(Relaxed),
        }
    }
}

//! How many rooms there are, as far as this node knows.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use crate::{
    domain::{Lifecycle, Turn},
    engine::redis::keys::{BUCKETS, Bucket},
};

/// As of the last sweep of each bucket and what this node has done since. Other nodes' rooms are known at the next sweep.
#[derive(Debug)]
pub struct Census(Box<[Count]>);

#[derive(Debug, Default)]
struct Count {
    rooms: AtomicUsize,
    /// How often this node has changed it.
    changes: AtomicUsize,
}

impl Census {
    pub fn new() -> Self {
        Self(std::iter::repeat_with(Count::default).take(BUCKETS).collect())
    }

    pub fn rooms(&self) -> usize {
        self.0.iter().map(|count| count.rooms.load(SeqCst)).sum()
    }

    pub fn note(&self, bucket: Bucket, lifecycle: &[Lifecycle]) {
        let number = |turn| lifecycle.iter().filter(|note| note.turn == turn).count();
        let (made, gone) = (number(Turn::RoomMade), number(Turn::RoomGone));
        if made + gone > 0 {
            let count = &self.0[bucket.index()];
            count.changes.fetch_add(1, SeqCst);
            let _ = count.rooms.fetch_update(SeqCst, SeqCst, |rooms| Some((rooms + made).saturating_sub(gone)));
        }
    }

    pub fn changes(&self, bucket: Bucket) -> usize {
        self.0[bucket.index()].changes.load(SeqCst)
    }

    /// What a sweep has found that began when there were so many changes. If there was one meanwhile, nobody knows which came
    /// first, and the next sweep will tell.
    pub fn found(&self, bucket: Bucket, rooms: usize, changes: usize) {
        let count = &self.0[bucket.index()];
        if count.changes.load(SeqCst) == changes {
            count.rooms.store(rooms, SeqCst);
        }
    }
}

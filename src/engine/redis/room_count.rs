//! The number of rooms, as far as this node knows it.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use crate::{
    domain::{Change, LifecycleEvent},
    engine::redis::keys::{BUCKETS, Bucket},
};

/// From the last sweep of each bucket, and what this node has done since. Rooms of other nodes are known at the next sweep.
#[derive(Debug)]
pub struct RoomCount(Box<[Count]>);

#[derive(Debug, Default)]
struct Count {
    rooms: AtomicUsize,
    /// How often this node has changed it.
    changes: AtomicUsize,
}

impl RoomCount {
    pub fn new() -> Self {
        Self(std::iter::repeat_with(Count::default).take(BUCKETS).collect())
    }

    pub fn rooms(&self) -> usize {
        self.0.iter().map(|count| count.rooms.load(SeqCst)).sum()
    }

    pub fn update(&self, bucket: Bucket, lifecycle: &[LifecycleEvent]) {
        let number = |change| lifecycle.iter().filter(|event| event.change == change).count();
        let (made, gone) = (number(Change::RoomMade), number(Change::RoomGone));
        if made + gone > 0 {
            let count = &self.0[bucket.index()];
            count.changes.fetch_add(1, SeqCst);
            let _ = count.rooms.fetch_update(SeqCst, SeqCst, |rooms| Some((rooms + made).saturating_sub(gone)));
        }
    }

    pub fn changes(&self, bucket: Bucket) -> usize {
        self.0[bucket.index()].changes.load(SeqCst)
    }

    /// The result of a sweep that began after `changes` changes. If there was another meanwhile, the order of the two is unknown,
    /// and the result is ignored until the next sweep.
    pub fn set(&self, bucket: Bucket, rooms: usize, changes: usize) {
        let count = &self.0[bucket.index()];
        if count.changes.load(SeqCst) == changes {
            count.rooms.store(rooms, SeqCst);
        }
    }
}

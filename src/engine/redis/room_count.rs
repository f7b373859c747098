//! The number of rooms and who has created them, as far as this node knows it.

use std::collections::HashMap;

use parking_lot::Mutex;

use crate::{
    domain::{Limits, Source},
    engine::redis::keys::{BUCKETS, Bucket},
};

/// From the last sweep of each bucket, and what this node has done since. Rooms of other nodes are known at the next sweep. One lock
/// is enough: creations, ends of rooms, and sweeps take it.
#[derive(Debug)]
pub struct RoomCount(Mutex<Counts>);

#[derive(Debug)]
struct Counts {
    buckets: Vec<Count>,
    rooms: usize,
    /// Of all buckets.
    holders: HashMap<Holder, Held>,
}

#[derive(Debug, Default)]
struct Count {
    rooms: usize,
    holders: HashMap<Holder, Held>,
    /// How often this node has changed it.
    changes: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Holder {
    Address(u64),
    Network(u64),
}

/// What a holder has caused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    pub rooms: usize,
    pub bytes: u64,
}

/// Whether a room was created or has ended, and by whom it was created, if that is known.
#[derive(Clone, Copy, Debug)]
pub struct RoomChange {
    pub created: bool,
    pub source: Option<Source>,
}

/// Why an address may not create a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exhausted {
    Rooms,
    Memory,
}

impl RoomCount {
    pub fn new() -> Self {
        let buckets = std::iter::repeat_with(Count::default).take(BUCKETS).collect();
        Self(Mutex::new(Counts { buckets, rooms: 0, holders: HashMap::new() }))
    }

    /// May this source create a room, if all servers together have `bytes_left`? As in `Account::may_add_room` and
    /// `Account::may_add_bytes`.
    pub fn check(&self, source: Source, limits: &Limits, bytes_left: u64) -> Result<(), Exhausted> {
        let counts = self.0.lock();
        let left = limits.rooms.saturating_sub(counts.rooms);
        if left == 0 {
            return Err(Exhausted::Rooms);
        }
        let shares = [Limits::ADDRESS_SHARE, Limits::NETWORK_SHARE];
        for (holder, share) in holders(source).into_iter().zip(shares) {
            let held = counts.holders.get(&holder).copied().unwrap_or_default();
            if held.rooms >= Limits::ROOMS_ALWAYS && held.rooms + 1 > left.saturating_mul(share) {
                return Err(Exhausted::Rooms);
            }
            if held.bytes > bytes_left.saturating_mul(share as u64) {
                return Err(Exhausted::Memory);
            }
        }
        Ok(())
    }

    pub fn update(&self, bucket: Bucket, changes: &[RoomChange]) {
        if changes.is_empty() {
            return;
        }
        let mut counts = self.0.lock();
        let counts = &mut *counts;
        let count = &mut counts.buckets[bucket.index()];
        count.changes += 1;
        for change in changes {
            let step = |rooms: usize| if change.created { rooms + 1 } else { rooms.saturating_sub(1) };
            let before = count.rooms;
            count.rooms = step(before);
            counts.rooms = counts.rooms + count.rooms - before;
            for holder in change.source.into_iter().flat_map(holders) {
                let held = count.holders.get(&holder).copied().unwrap_or_default();
                let now = Held { rooms: step(held.rooms), ..held };
                replace(&mut counts.holders, holder, held, now);
                store(&mut count.holders, holder, now);
            }
        }
    }

    pub fn changes(&self, bucket: Bucket) -> usize {
        self.0.lock().buckets[bucket.index()].changes
    }

    /// The result of a sweep that began after `changes` changes. If there was another meanwhile, the order of the two is unknown,
    /// and the result is ignored until the next sweep.
    pub fn set(&self, bucket: Bucket, rooms: usize, holders: Vec<(Holder, Held)>, changes: usize) {
        let mut counts = self.0.lock();
        let counts = &mut *counts;
        let count = &mut counts.buckets[bucket.index()];
        if count.changes != changes {
            return;
        }
        counts.rooms = counts.rooms + rooms - count.rooms;
        count.rooms = rooms;
        for (holder, held) in std::mem::take(&mut count.holders) {
            replace(&mut counts.holders, holder, held, Held::default());
        }
        for (holder, held) in holders {
            replace(&mut counts.holders, holder, Held::default(), held);
            store(&mut count.holders, holder, held);
        }
    }
}

fn holders(source: Source) -> [Holder; 2] {
    [Holder::Address(source.address), Holder::Network(source.network)]
}

fn store(holders: &mut HashMap<Holder, Held>, holder: Holder, held: Held) {
    if held == Held::default() {
        holders.remove(&holder);
    } else {
        holders.insert(holder, held);
    }
}

/// Changes a sum.
fn replace(sums: &mut HashMap<Holder, Held>, holder: Holder, before: Held, after: Held) {
    let sum = sums.get(&holder).copied().unwrap_or_default();
    let rooms = (sum.rooms + after.rooms).saturating_sub(before.rooms);
    let bytes = (sum.bytes + after.bytes).saturating_sub(before.bytes);
    store(sums, holder, Held { rooms, bytes });
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANN: Source = Source { address: 1, network: 10 };
    const EVE: Source = Source { address: 2, network: 20 };

    fn created(source: Source) -> RoomChange {
        RoomChange { created: true, source: Some(source) }
    }

    fn limits(rooms: usize) -> Limits {
        Limits { rooms, ..Limits::default() }
    }

    fn bucket(index: usize) -> Bucket {
        Bucket::all().nth(index).unwrap()
    }

    #[test]
    fn an_address_creates_half_of_all_rooms() {
        let (count, limits) = (RoomCount::new(), limits(10));
        let mut rooms = 0;
        while count.check(EVE, &limits, u64::MAX).is_ok() {
            count.update(bucket(rooms), &[created(EVE)]);
            rooms += 1;
        }
        assert_eq!((rooms, count.check(ANN, &limits, u64::MAX)), (5, Ok(())));
        count.update(bucket(0), &[RoomChange { created: false, source: Some(EVE) }]);
        assert_eq!(count.check(EVE, &limits, u64::MAX), Ok(()));
    }

    #[test]
    fn a_sweep_tells_what_other_nodes_have_done() {
        let (count, limits) = (RoomCount::new(), limits(10));
        let held = |rooms, bytes| {
            vec![(Holder::Address(2), Held { rooms, bytes }), (Holder::Network(20), Held { rooms, bytes })]
        };
        count.set(bucket(1), 5, held(5, 700), count.changes(bucket(1)));
        count.set(bucket(2), 0, held(0, 300), count.changes(bucket(2)));
        assert_eq!(count.check(EVE, &limits, u64::MAX), Err(Exhausted::Rooms));
        count.set(bucket(1), 1, held(1, 700), count.changes(bucket(1)));
        assert_eq!(count.check(EVE, &limits, 1000), Ok(()));
        assert_eq!(count.check(EVE, &limits, 999), Err(Exhausted::Memory));
        // A sweep that does not know of the latest change.
        let before = count.changes(bucket(1));
        count.update(bucket(1), &[created(ANN)]);
        count.set(bucket(1), 0, Vec::new(), before);
        assert_eq!(count.0.lock().rooms, 2);
        for number in [1, 2] {
            count.set(bucket(number), 0, Vec::new(), count.changes(bucket(number)));
        }
        assert!(count.0.lock().holders.is_empty());
    }
}

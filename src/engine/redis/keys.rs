//! Keys, and their slots in a cluster.

use std::sync::LazyLock;

use crate::domain::RoomName;

/// The version of the stored data. Nodes of different versions may share a Redis, but do not see each other's rooms. A field at
/// the end of a record, or a changed script, needs no new version.
const VERSION: u32 = 2;

/// Each bucket of rooms has its own index of deadlines, in the same slot of a cluster as its rooms. Enough to spread evenly over
/// dozens of masters, few enough to sweep them all.
pub const BUCKETS: usize = 256;

const SLOTS: u16 = 16384;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Bucket(u16);

impl Bucket {
    pub fn all() -> impl Iterator<Item = Bucket> {
        (0..BUCKETS as u16).map(Bucket)
    }

    pub fn of(room: &RoomName) -> Self {
        Self(crc16(room.as_bytes()) % BUCKETS as u16)
    }

    /// For what concerns no room.
    pub fn of_nodes() -> Self {
        Self(0)
    }

    pub fn index(self) -> usize {
        usize::from(self.0)
    }

    /// The slot of all its keys.
    pub fn slot(self) -> u16 {
        slot(&TAGS[self.index()])
    }
}

/// The hash tag of each bucket, chosen so that the slots of all are evenly spread, which those of plain numbers would not be.
static TAGS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let of_bucket = |bucket: usize| {
        let mut tags = (0_u32..).map(|number| format!("{bucket}.{number}"));
        tags.find(|tag| usize::from(slot(tag)) / (usize::from(SLOTS) / BUCKETS) == bucket)
    };
    (0..BUCKETS).filter_map(of_bucket).collect()
});

fn slot(tag: &str) -> u16 {
    crc16(tag.as_bytes()) % SLOTS
}

/// The start of every key, before the colon.
pub fn prefix(name: &str) -> String {
    format!("{name}{VERSION}")
}

/// The key of each bucket's index of deadlines.
#[derive(Debug)]
pub struct Keys(Vec<String>);

impl Keys {
    pub fn new(prefix: &str) -> Self {
        let prefix = self::prefix(prefix);
        Self(TAGS.iter().map(|tag| format!("{prefix}:{{{tag}}}:d")).collect())
    }

    /// Scripts derive the bucket's other keys from it.
    pub fn deadlines(&self, bucket: Bucket) -> &str {
        &self.0[bucket.index()]
    }

    /// The channel of a node's wake-ups from a bucket.
    pub fn channel(&self, bucket: Bucket, node: &str) -> String {
        let key = self.deadlines(bucket);
        format!("{}w:{node}", &key[..key.len() - 1])
    }
}

/// CRC-16/XMODEM, which gives the slot of a key.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(
            crc ^ (u16::from(*byte) << 8),
            |crc, _| if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x1021 },
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_the_cluster_specification() {
        // The example in the cluster specification.
        assert_eq!(crc16(b"123456789"), 0x31C3);
    }

    #[test]
    fn buckets_are_spread_over_the_slots() {
        for masters in [3, 6, 16] {
            let mut share = vec![0; masters];
            for bucket in Bucket::all() {
                share[usize::from(bucket.slot()) * masters / usize::from(SLOTS)] += 1;
            }
            let even = BUCKETS / masters;
            assert!(share.iter().all(|count| (even..=even + 1).contains(count)), "{share:?}");
        }
    }

    #[test]
    fn rooms_are_spread_over_the_buckets() {
        let mut share = [0; BUCKETS];
        for number in 0..100_000 {
            share[Bucket::of(&RoomName::parse(&format!("room-{number}")).unwrap()).index()] += 1;
        }
        let even = 100_000 / BUCKETS;
        assert!(share.iter().all(|count| (even / 2..even * 2).contains(count)), "{share:?}");
    }
}

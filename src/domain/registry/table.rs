//! Rooms by name.

use hashbrown::HashTable;

use crate::domain::{RoomName, deadlines::Deadline, room::Room};

/// A room's name with its hash, which the caller has computed to choose a shard. The hash must be unpredictable (keyed),
/// or clients could choose names that collide.
#[derive(Clone, Copy, Debug)]
pub struct RoomKey<'a> {
    pub name: &'a RoomName,
    pub hash: u64,
}

/// With very many rooms, cache misses dominate. So the table is small, and a room is one allocation with its name and its
/// first two peers. The hash is stored, so that growing the table visits no room.
#[derive(Clone, Debug, Default)]
pub struct Table(HashTable<(u64, Box<Entry>)>);

#[derive(Clone, Debug)]
pub struct Entry {
    pub name: RoomName,
    pub room: Room,
}

impl Table {
    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn get(&self, key: RoomKey<'_>) -> Option<&Room> {
        self.0.find(key.hash, key.matches()).map(|(_, entry)| &entry.room)
    }

    pub fn get_mut(&mut self, key: RoomKey<'_>) -> Option<&mut Room> {
        self.0.find_mut(key.hash, key.matches()).map(|(_, entry)| &mut entry.room)
    }

    /// The room whose name has this hash and that has this deadline.
    pub fn with_deadline(&mut self, hash: u64, deadline: Deadline) -> Option<&mut Entry> {
        let entry = self.0.find_mut(hash, |(of, entry)| *of == hash && entry.room.deadline == Some(deadline));
        entry.map(|(_, entry)| &mut **entry)
    }

    /// Loads a room into the cache. The result only keeps the load from being optimised away.
    pub fn prefetch(&self, hash: u64) -> usize {
        self.0.find(hash, |(of, _)| *of == hash).map_or(0, |(_, entry)| entry.room.peers.len())
    }

    /// The room must not exist yet.
    pub fn insert(&mut self, key: RoomKey<'_>, room: Room) {
        let entry = Box::new(Entry { name: key.name.clone(), room });
        self.0.insert_unique(key.hash, (key.hash, entry), |(hash, _)| *hash);
    }

    pub fn remove(&mut self, key: RoomKey<'_>) -> Option<Room> {
        let ((_, entry), _) = self.0.find_entry(key.hash, key.matches()).ok()?.remove();
        Some(entry.room)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Room> {
        self.0.iter().map(|(_, entry)| &entry.room)
    }
}

impl RoomKey<'_> {
    fn matches(&self) -> impl Fn(&(u64, Box<Entry>)) -> bool {
        |(hash, entry)| *hash == self.hash && entry.name == *self.name
    }
}

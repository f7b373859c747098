//! Rooms by name.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
};

use crate::domain::{RoomName, deadlines::Place, room::Room};

/// The name of a room with its hash. Whoever spreads rooms over shards has reckoned it anyhow; it must not be foreseeable,
/// or names could be chosen that make the table slow.
#[derive(Clone, Copy, Debug)]
pub struct RoomKey<'a> {
    pub name: &'a RoomName,
    pub hash: u64,
}

/// With very many rooms, looking for things in memory is what takes time. So the table itself is small, and a room, with
/// its name and its first seats, lies in one piece.
#[derive(Clone, Debug, Default)]
pub struct Table {
    rooms: HashMap<u64, Box<Entry>, BuildHasherDefault<HashedAlready>>,
    len: usize,
}

#[derive(Clone, Debug)]
pub struct Entry {
    pub name: RoomName,
    pub room: Room,
    /// Another room whose name has the same hash: hardly ever there is one.
    next: Option<Box<Entry>>,
}

#[derive(Clone, Debug, Default)]
struct HashedAlready(u64);

impl Hasher for HashedAlready {
    /// Nothing but hashes is asked for, which are written as numbers.
    fn write(&mut self, _: &[u8]) {}

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

impl Table {
    pub fn len(&self) -> usize {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub fn get(&self, key: RoomKey<'_>) -> Option<&Room> {
        let mut entry = self.rooms.get(&key.hash)?;
        while entry.name != *key.name {
            entry = entry.next.as_ref()?;
        }
        Some(&entry.room)
    }

    pub fn get_mut(&mut self, key: RoomKey<'_>) -> Option<&mut Room> {
        self.find_mut(key.hash, |entry| entry.name == *key.name).map(|entry| &mut entry.room)
    }

    /// The room whose name has this hash and that has this place in the index of deadlines.
    pub fn at_place(&mut self, hash: u64, place: Place) -> Option<&mut Entry> {
        self.find_mut(hash, |entry| entry.room.place == Some(place))
    }

    fn find_mut(&mut self, hash: u64, is_it: impl Fn(&Entry) -> bool) -> Option<&mut Entry> {
        let mut entry = self.rooms.get_mut(&hash)?;
        while !is_it(entry) {
            entry = entry.next.as_mut()?;
        }
        Some(entry)
    }

    /// Has the memory of a room on its way to the processor.
    pub fn touch(&self, hash: u64) -> usize {
        self.rooms.get(&hash).map_or(0, |entry| entry.room.peers.len())
    }

    /// Adds one that is not there.
    pub fn insert(&mut self, key: RoomKey<'_>, room: Room) {
        let next = self.rooms.remove(&key.hash);
        self.rooms.insert(key.hash, Box::new(Entry { name: key.name.clone(), room, next }));
        self.len += 1;
    }

    pub fn remove(&mut self, key: RoomKey<'_>) -> Option<Room> {
        let first = self.rooms.remove(&key.hash)?;
        let (found, rest) = first.without(key.name);
        if let Some(rest) = rest {
            self.rooms.insert(key.hash, rest);
        }
        self.len -= usize::from(found.is_some());
        found
    }

    pub fn iter(&self) -> impl Iterator<Item = &Room> {
        let chain = |first| std::iter::successors(Some(first), |entry: &&Entry| entry.next.as_deref());
        self.rooms.values().map(Box::as_ref).flat_map(chain).map(|entry| &entry.room)
    }
}

impl Entry {
    /// The room of this name, and what is left of the chain without it.
    fn without(mut self: Box<Self>, name: &RoomName) -> (Option<Room>, Option<Box<Self>>) {
        if self.name == *name {
            let Entry { room, next, .. } = *self;
            return (Some(room), next);
        }
        let (found, rest) = self.next.take().map_or((None, None), |next| next.without(name));
        self.next = rest;
        (found, Some(self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Limits, RoomPlan};

    #[test]
    fn rooms_whose_names_have_the_same_hash_are_kept_apart() {
        let names: Vec<RoomName> = ["a", "b", "c", "d"].into_iter().filter_map(RoomName::parse).collect();
        let key = |index: usize| RoomKey { name: &names[index], hash: 7 };
        for gone in 0..names.len() {
            let mut table = Table::default();
            for index in 0..3 {
                let plan = RoomPlan { capacity: Some(index + 1), ..RoomPlan::default() };
                table.insert(key(index), Room::new(plan, &Limits::default()).unwrap());
            }
            let was_there = gone < 3;
            assert_eq!(table.remove(key(gone)).map(|room| room.capacity), was_there.then_some(gone + 1));
            assert_eq!((table.len(), table.iter().count()), (3 - usize::from(was_there), table.len()));
            for index in (0..names.len()).filter(|index| *index != gone) {
                let expected = (index < 3).then_some(index + 1);
                assert_eq!(table.get(key(index)).map(|room| room.capacity), expected);
                assert_eq!(table.get_mut(key(index)).map(|room| room.capacity), expected);
            }
        }
    }
}

//! The expected behavior, as simply as possible: a room is a list, and a mailbox keeps everything it ever got.

use std::collections::{BTreeMap, VecDeque};

use signalpost::domain::{Limits, PeerId};

/// One entry of a mailbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Thing {
    Text { from: PeerId, number: u64 },
    Joined(PeerId),
    Left(PeerId),
    Closed,
}

#[derive(Clone, Debug)]
pub struct Member {
    pub id: PeerId,
    /// Who was present when it arrived.
    pub found: Vec<PeerId>,
    pub log: Vec<Thing>,
    pub sizes: Vec<usize>,
    pub start: u64,
    pub acknowledged: u64,
    pub ends: u64,
    pub leaving: bool,
    pub came_back: Option<u64>,
    pub sent: VecDeque<u128>,
}

impl Member {
    pub fn new(id: PeerId, found: Vec<PeerId>, start: u64, ends: u64) -> Self {
        let (log, sizes, sent) = (Vec::new(), Vec::new(), VecDeque::new());
        Self { id, found, log, sizes, start, acknowledged: start, ends, leaving: false, came_back: None, sent }
    }

    pub fn newest(&self) -> u64 {
        self.start + self.log.len() as u64
    }

    pub fn unread(&self) -> &[Thing] {
        &self.log[self.read()..]
    }

    /// Who was present as of the cursor: the roster it got, updated by the events it has read.
    pub fn known(&self) -> Vec<PeerId> {
        let mut known = self.found.clone();
        for thing in &self.log[..self.read()] {
            match thing {
                Thing::Joined(id) => known.push(*id),
                Thing::Left(id) => known.retain(|other| other != id),
                Thing::Text { .. } | Thing::Closed => {}
            }
        }
        known
    }

    pub fn unread_bytes(&self) -> usize {
        self.sizes[self.read()..].iter().sum()
    }

    fn read(&self) -> usize {
        usize::try_from(self.acknowledged - self.start).unwrap()
    }

    pub fn put(&mut self, thing: Thing, size: usize) -> u64 {
        self.log.push(thing);
        self.sizes.push(size);
        self.newest()
    }
}

#[derive(Clone, Debug, Default)]
pub struct ModelRoom {
    pub members: Vec<Member>,
    pub capacity: usize,
    pub locked: bool,
    pub closed: bool,
    pub kicked: Vec<PeerId>,
    /// When a room created ahead of time ends while empty.
    pub kept: bool,
    pub kept_until: u64,
}

pub const EVENT: usize = 128;

impl ModelRoom {
    pub fn member(&mut self, id: PeerId) -> Option<&mut Member> {
        self.members.iter_mut().find(|member| member.id == id)
    }

    pub fn get(&self, id: PeerId) -> Option<&Member> {
        self.members.iter().find(|member| member.id == id)
    }

    pub fn has(&self, id: PeerId) -> bool {
        self.get(id).is_some()
    }

    /// Rejoined with its token after losing its seat.
    pub fn is_from_restart(&self, id: PeerId) -> bool {
        self.get(id).is_some_and(|member| member.start > 0)
    }

    pub fn tell(&mut self, thing: &Thing, size: usize) {
        for member in &mut self.members {
            member.put(thing.clone(), size);
        }
    }

    pub fn remove(&mut self, id: PeerId) -> bool {
        let before = self.members.len();
        self.members.retain(|member| member.id != id);
        let removed = self.members.len() < before;
        if removed && !self.closed {
            self.tell(&Thing::Left(id), EVENT);
        }
        removed
    }
}

#[derive(Debug, Default)]
pub struct Model {
    pub rooms: BTreeMap<u8, ModelRoom>,
}

impl Model {
    /// Expires leases, the earliest first.
    pub fn expire(&mut self, now: u64, limits: &Limits) {
        let lease = u64::try_from(limits.room_lease.as_millis()).unwrap();
        for room in self.rooms.values_mut() {
            loop {
                let over = room.members.iter().filter(|member| member.ends <= now);
                let Some(first) = over.min_by_key(|member| (member.ends, member.id)).map(|member| member.id) else {
                    break;
                };
                room.remove(first);
                if room.members.is_empty() {
                    room.kept_until = now + lease;
                }
            }
        }
        self.rooms.retain(|_, room| !room.members.is_empty() || (room.kept && !room.closed && room.kept_until > now));
    }

    /// A room whose last member left.
    pub fn settle(&mut self, number: u8, now: u64, limits: &Limits) {
        let lease = u64::try_from(limits.room_lease.as_millis()).unwrap();
        let Some(room) = self.rooms.get_mut(&number) else { return };
        if room.members.is_empty() {
            room.kept_until = now + lease;
            if !room.kept || room.closed {
                self.rooms.remove(&number);
            }
        }
    }
}

//! Steps that take seats, keep them and give them up.

use signalpost::domain::{
    Identity, KeyedRequest, Limits, Metadata, Name, PeerId, Refusal, Rights, RoomPlan, Seq, Source, Timestamp, Visitor,
};

use crate::{
    model::{EVENT, Member, ModelRoom, Thing},
    world::{CREATOR, PLENTY, Person, World, millis, named},
};

/// The cost of a card with empty metadata.
const CARD: usize = 2;

fn visitor(identity: Identity, keyed: Option<KeyedRequest>) -> Visitor {
    let (name, metadata) = (Name::default(), Metadata::default());
    Visitor {
        identity,
        name,
        metadata,
        secret: None,
        capacity: None,
        creator: CREATOR,
        keyed,
        page: None,
        rights: Rights::OPEN,
        subject: None,
        source: Source::default(),
    }
}

impl World {
    pub fn join(&mut self, room: u8, keyed: bool) {
        let (id, key) = (self.fresh_id(), self.fresh_key());
        let join_key = keyed.then_some(key);
        if self.enter(room, id, visitor(Identity::New(id), join_key), Seq::START) {
            self.people.push(Person { id, room, join_key, posts: Vec::new() });
        }
    }

    /// Repeats a join: the same seat while it exists, otherwise a new peer.
    pub fn repeat_join(&mut self, person: Person) {
        let Some(keyed) = person.join_key else { return };
        let id = self.fresh_id();
        let again = visitor(Identity::New(id), Some(keyed));
        let there = self.model.rooms.get(&person.room).is_some_and(|room| room.has(person.id));
        // A seat resumed with its token was not made by that join.
        let by_token = self.model.rooms.get(&person.room).is_some_and(|room| room.is_from_restart(person.id));
        if there && !by_token {
            let joined = self.rooms.join(self.at(), named(person.room), again, &self.payer(), PLENTY).unwrap();
            assert_eq!((joined.card.id, joined.resumed), (person.id, false));
            let other = KeyedRequest { request: keyed.request + 1, ..keyed };
            let reused = self.rooms.join(
                self.at(),
                named(person.room),
                visitor(Identity::New(id), Some(other)),
                &self.payer(),
                PLENTY,
            );
            assert_eq!(reused.map(|_| ()), Err(Refusal::KeyReused));
        } else if self.enter(person.room, id, again, Seq::START) {
            // The key now belongs to the new seat.
            let before = self.people.iter_mut().find(|known| known.id == person.id).unwrap();
            before.join_key = None;
            self.people.push(Person { id, posts: Vec::new(), ..person });
        }
    }

    pub fn resume(&mut self, person: Person) {
        let restart = Seq::at_unix_millis(1_000_000_000 + self.now);
        let back = visitor(Identity::Returning { id: person.id, restart }, None);
        let (now, lease, payer) = (self.now, millis(self.limits.lease), self.payer());
        let Some(room) = self.model.rooms.get_mut(&person.room).filter(|room| room.has(person.id)) else {
            self.enter(person.room, person.id, back, restart);
            return;
        };
        let closed = room.closed;
        let member = room.member(person.id).unwrap();
        let (cursor, newest) = (member.acknowledged, member.newest());
        let answer = self.rooms.join(Timestamp::from_millis(now), named(person.room), back, &payer, PLENTY);
        if closed {
            assert_eq!(answer.map(|_| ()), Err(Refusal::RoomClosed));
            return;
        }
        member.leaving = false;
        member.came_back = Some(now);
        member.ends = now + lease;
        let joined = answer.unwrap();
        assert!(joined.resumed && !joined.created);
        assert_eq!((joined.cursor.get(), joined.newest.get()), (cursor, newest));
        let roster: Vec<PeerId> = joined.roster.iter().map(|card| card.id).collect();
        assert_eq!(roster, room.member(person.id).unwrap().known());
    }

    pub fn leave(&mut self, person: Person) {
        let answer = self.rooms.leave(self.at(), named(person.room), person.id);
        match self.absence(&person) {
            Some(refusal) => assert_eq!(answer, Err(refusal)),
            None => {
                answer.unwrap();
                self.model.rooms.get_mut(&person.room).unwrap().remove(person.id);
                self.model.settle(person.room, self.now, &self.limits);
            }
        }
    }

    pub fn goodbye(&mut self, person: Person) {
        let answer = self.rooms.say_goodbye(self.at(), named(person.room), person.id);
        let grace = millis(self.limits.leave_grace);
        match self.absence(&person) {
            Some(refusal) => assert_eq!(answer, Err(refusal)),
            None => {
                answer.unwrap();
                self.heard_of(&person, None);
                let now = self.now;
                let member = self.model.rooms.get_mut(&person.room).unwrap().member(person.id).unwrap();
                // Right after a return, a goodbye is from the earlier page.
                if member.came_back.is_none_or(|came| now >= came + grace) {
                    member.leaving = true;
                    member.ends = member.ends.min(now + grace);
                }
            }
        }
    }

    pub fn kick(&mut self, by: u8, whom: u8) {
        let (Some(by), Some(whom)) = (self.person(by), self.person(whom)) else { return };
        let answer = self.rooms.kick(self.at(), named(by.room), CREATOR, whom.id);
        let Some(room) = self.model.rooms.get_mut(&by.room).filter(|room| !room.closed) else {
            assert_eq!(answer, Err(Refusal::RoomUnknown));
            return;
        };
        if !room.remove(whom.id) {
            assert_eq!(answer, Err(Refusal::PeerUnknown { peer: whom.id }));
            return;
        }
        answer.unwrap();
        room.kicked.push(whom.id);
        self.model.settle(by.room, self.now, &self.limits);
    }

    pub fn lock(&mut self, number: u8, locked: bool) {
        let answer = self.rooms.lock(named(number), CREATOR, locked).map(|view| view.locked);
        match self.model.rooms.get_mut(&number).filter(|room| !room.closed) {
            None => assert_eq!(answer, Err(Refusal::RoomUnknown)),
            Some(room) => {
                room.locked = locked;
                assert_eq!(answer, Ok(locked));
            }
        }
    }

    pub fn create(&mut self, number: u8) {
        let answer = self
            .rooms
            .create(self.at(), named(number), RoomPlan::default(), CREATOR, &self.payer(), PLENTY)
            .map(|_| ());
        match self.model.rooms.get(&number) {
            Some(room) if room.closed => assert_eq!(answer, Err(Refusal::RoomClosed)),
            Some(_) => assert_eq!(answer, Err(Refusal::RoomExists)),
            None => {
                answer.unwrap();
                let kept_until = self.now + millis(self.limits.room_lease);
                let capacity = self.limits.room_capacity;
                self.model.rooms.insert(number, ModelRoom { capacity, kept: true, kept_until, ..ModelRoom::default() });
            }
        }
    }

    pub fn close(&mut self, number: u8) {
        let answer = self.rooms.close(self.at(), named(number), CREATOR).map(|_| ());
        match self.model.rooms.get_mut(&number).filter(|room| !room.closed) {
            None => assert_eq!(answer, Err(Refusal::RoomUnknown)),
            Some(room) => {
                answer.unwrap();
                room.tell(&Thing::Closed, EVENT);
                room.closed = true;
                self.model.settle(number, self.now, &self.limits);
            }
        }
    }

    /// A new join in both; returns whether it succeeded.
    fn enter(&mut self, number: u8, id: PeerId, visitor: Visitor, start: Seq) -> bool {
        let answer = self.rooms.join(self.at(), named(number), visitor, &self.payer(), PLENTY);
        let expected = self.model.rooms.get(&number).and_then(|room| self.door(room, id));
        let joined = match (answer, expected) {
            (Ok(joined), None) => joined,
            (Err(Refusal::RoomFull { seats, .. }), Some(Refusal::RoomFull { capacity, .. })) => {
                assert_eq!(seats.len(), capacity);
                return false;
            }
            (answer, expected) => {
                assert_eq!(answer.map(|_| ()).err(), expected);
                return false;
            }
        };
        let ends = self.now + millis(self.limits.lease);
        let capacity = self.limits.room_capacity;
        let room = self.model.rooms.entry(number).or_insert(ModelRoom { capacity, ..ModelRoom::default() });
        let roster: Vec<PeerId> = room.members.iter().map(|member| member.id).collect();
        assert_eq!(joined.roster.iter().map(|card| card.id).collect::<Vec<_>>(), roster);
        assert_eq!((joined.cursor, joined.newest, joined.resumed), (start, start, false));
        room.tell(&Thing::Joined(id), EVENT + CARD);
        room.members.push(Member::new(id, roster, start.get(), ends));
        true
    }

    /// Why a new peer is refused.
    fn door(&self, room: &ModelRoom, id: PeerId) -> Option<Refusal> {
        // The join, a leave for each member, and the end of the room.
        let events = room.members.len() + 1 + 2;
        let stuffed = |member: &&Member| {
            let messages = member.unread().len() + events;
            let bytes = member.unread_bytes() + events * EVENT + CARD;
            messages > self.limits.mailbox_messages + Limits::EVENT_HEADROOM
                || bytes > self.limits.mailbox_bytes + Limits::EVENT_HEADROOM_BYTES
        };
        if room.closed {
            Some(Refusal::RoomClosed)
        } else if room.kicked.contains(&id) {
            Some(Refusal::Kicked)
        } else if room.locked {
            Some(Refusal::RoomLocked)
        } else if room.members.len() >= room.capacity {
            Some(Refusal::RoomFull { capacity: room.capacity, seats: Vec::new() })
        } else {
            room.members.iter().find(stuffed).map(|member| Refusal::MailboxFull { peer: member.id })
        }
    }
}

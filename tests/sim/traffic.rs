//! Steps that post and poll, and the check after every step.

use std::time::Duration;

use signalpost::domain::{
    Batch, Content, KeyedRequest, Limits, Message, Payload, PeerId, Post, Read, Refusal, Seq, Target, Timestamp,
};

use crate::{
    model::{Member, Thing},
    world::{PLENTY, Person, World, millis, named},
};

fn is_for(to: Option<PeerId>, from: PeerId, member: PeerId) -> bool {
    to.map_or(member != from, |to| to == member)
}

/// A payload with its number, of this length.
fn payload(number: u64, bytes: usize) -> Payload {
    Payload::new(format!("{number:0bytes$}"))
}

fn thing(message: &Message) -> Thing {
    match &message.content {
        Content::Relayed { from, payload } => Thing::Text { from: *from, number: payload.as_str().parse().unwrap() },
        Content::PeerJoined(card) => Thing::Joined(card.id),
        Content::PeerLeft { peer, .. } => Thing::Left(peer.id),
        Content::RoomClosed => Thing::Closed,
    }
}

/// The messages of a batch, which follow `after` without gaps.
fn things(batch: &Batch, after: u64) -> Vec<Thing> {
    for (index, message) in batch.messages.iter().enumerate() {
        assert_eq!(message.seq.get(), after + 1 + index as u64, "a hole in seq");
    }
    batch.messages.iter().map(thing).collect()
}

impl World {
    /// Why a peer is refused in its room, if it is.
    pub fn absence(&self, person: &Person) -> Option<Refusal> {
        let Some(room) = self.model.rooms.get(&person.room) else { return Some(Refusal::PeerGone) };
        if room.has(person.id) {
            return None;
        }
        Some(if room.kicked.contains(&person.id) { Refusal::Kicked } else { Refusal::PeerGone })
    }

    /// A member's request arrived; a parked poll extends the lease to the end of its hold.
    pub fn heard_of(&mut self, person: &Person, held_until: Option<u64>) {
        let (now, lease) = (self.now, millis(self.limits.lease));
        let room = self.model.rooms.get_mut(&person.room).unwrap();
        if room.closed {
            return;
        }
        let member = room.member(person.id).unwrap();
        if !member.leaving {
            let stretched = held_until.map_or(0, |until| until + lease / 3);
            member.ends = member.ends.max(now + lease).max(stretched);
        }
    }

    pub fn send(&mut self, from: u8, entries: &[(Option<u8>, usize)], keyed: bool) {
        let Some(person) = self.person(from) else { return };
        let key = self.fresh_key();
        let targets = entries.iter().map(|(to, bytes)| {
            let to = to.and_then(|to| self.person(to)).map(|person| person.id);
            (to, self.fresh(), *bytes)
        });
        let targets: Vec<(Option<PeerId>, u64, usize)> = targets.collect();
        let post = Post {
            targets: targets
                .iter()
                .map(|(to, number, bytes)| Target { to: *to, payload: payload(*number, *bytes) })
                .collect(),
            keyed: keyed.then_some(key),
        };
        let answer = self.rooms.post(self.at(), named(person.room), person.id, post.clone(), PLENTY);
        if let Some(refusal) = self.absence(&person) {
            assert_eq!(answer.unwrap_err(), refusal);
            return;
        }
        self.heard_of(&person, None);
        if let Some(refusal) = self.refused(&person, &targets) {
            assert_eq!(answer.unwrap_err(), refusal);
            return;
        }
        let mut places = Vec::new();
        for (to, number, bytes) in &targets {
            for member in &mut self.model.rooms.get_mut(&person.room).unwrap().members {
                if is_for(*to, person.id, member.id) {
                    let size = payload(*number, *bytes).len();
                    let seq = member.put(Thing::Text { from: person.id, number: *number }, size);
                    places.push((member.id, Seq::new(seq).unwrap()));
                }
            }
        }
        assert_eq!(answer.unwrap().positions, places);
        if keyed {
            let remembered = self.limits.idempotency_keys;
            let sent = &mut self.model.rooms.get_mut(&person.room).unwrap().member(person.id).unwrap().sent;
            sent.push_back(key.key);
            while sent.len() > remembered {
                sent.pop_front();
            }
            let of = self.people.iter_mut().find(|known| known.id == person.id).unwrap();
            of.posts.push((post, places));
        }
    }

    fn refused(&self, person: &Person, targets: &[(Option<PeerId>, u64, usize)]) -> Option<Refusal> {
        let room = &self.model.rooms[&person.room];
        if room.closed {
            return Some(Refusal::RoomClosed);
        }
        if let Some(peer) = targets.iter().filter_map(|(to, ..)| *to).find(|to| !room.has(*to)) {
            return Some(Refusal::PeerUnknown { peer });
        }
        let full = |member: &&Member| {
            let share: Vec<usize> = targets
                .iter()
                .filter(|(to, ..)| is_for(*to, person.id, member.id))
                .map(|(_, number, bytes)| payload(*number, *bytes).len())
                .collect();
            !share.is_empty()
                && (member.unread().len() + share.len() > self.limits.mailbox_messages
                    || member.unread_bytes() + share.iter().sum::<usize>() > self.limits.mailbox_bytes)
        };
        room.members.iter().find(full).map(|member| Refusal::MailboxFull { peer: member.id })
    }

    /// Repeats a recent keyed post, and sends a different request under its key.
    pub fn repeat_send(&mut self, peer: u8, back: usize) {
        let Some(person) = self.person(peer) else { return };
        let Some((post, places)) = person.posts.iter().rev().nth(back).cloned() else { return };
        if self.absence(&person).is_some() {
            return;
        }
        let keyed = post.keyed.unwrap();
        let member = self.model.rooms.get_mut(&person.room).unwrap().member(person.id).unwrap();
        if !member.sent.contains(&keyed.key) {
            return;
        }
        self.heard_of(&person, None);
        let again = self.rooms.post(self.at(), named(person.room), person.id, post.clone(), PLENTY).unwrap();
        assert!(again.repeated);
        assert_eq!(again.positions, places);
        let other = Post { keyed: Some(KeyedRequest { request: keyed.request + 1, ..keyed }), ..post };
        let reused = self.rooms.post(self.at(), named(person.room), person.id, other, PLENTY);
        assert_eq!(reused.unwrap_err(), Refusal::KeyReused);
    }

    /// Acknowledges everything in the model's mailbox; a lost response is read again.
    pub fn poll(&mut self, person: &Person, lost: bool) {
        let Some(cursor) = self.cursor(person) else {
            let answer = self.rooms.read(
                self.at(),
                named(person.room),
                person.id,
                None,
                Read::NewPoll { held_until: None, page: None },
            );
            assert_eq!(answer.unwrap_err(), self.absence(person).unwrap());
            return;
        };
        for _ in 0..=usize::from(lost) {
            let answer = self.rooms.read(
                self.at(),
                named(person.room),
                person.id,
                Seq::new(cursor),
                Read::NewPoll { held_until: None, page: None },
            );
            self.heard_of(person, None);
            if self.ends_closed(person, &answer) {
                return;
            }
            let member = self.model.rooms.get_mut(&person.room).unwrap().member(person.id).unwrap();
            let batch = answer.unwrap();
            assert_eq!(things(&batch, cursor), member.unread());
            assert_eq!(batch.cursor.get(), member.newest());
        }
        let newest = self.model.rooms[&person.room].get(person.id).unwrap().newest();
        let answer = self.rooms.read(
            self.at(),
            named(person.room),
            person.id,
            Seq::new(newest),
            Read::NewPoll { held_until: None, page: None },
        );
        self.model.rooms.get_mut(&person.room).unwrap().member(person.id).unwrap().acknowledged = newest;
        if !self.ends_closed(person, &answer) {
            assert!(answer.unwrap().messages.is_empty());
        }
    }

    /// An invalid cursor acknowledges nothing.
    pub fn wild_poll(&mut self, person: &Person, off: i64) {
        let Some(acknowledged) = self.cursor(person) else { return };
        let Some(cursor) = acknowledged.checked_add_signed(off) else { return };
        let newest = self.model.rooms[&person.room].get(person.id).unwrap().newest();
        let inside = acknowledged <= cursor && cursor <= newest;
        if inside {
            return;
        }
        let answer = self.rooms.read(
            self.at(),
            named(person.room),
            person.id,
            Seq::new(cursor),
            Read::NewPoll { held_until: None, page: None },
        );
        self.heard_of(person, None);
        let expected = matches!(
            (&answer, cursor > newest),
            (Err(Refusal::CursorAhead { .. }), true) | (Err(Refusal::CursorGone { .. }), false)
        );
        assert!(expected, "{answer:?} for {cursor}, {acknowledged} to {newest}");
    }

    /// A poll that finds nothing and is held for the maximum wait.
    pub fn hold(&mut self, person: Person) {
        if self.cursor(&person).is_none() {
            return;
        }
        let until = self.now + millis(self.limits.wait_max);
        let held = Some(Timestamp::from_millis(until));
        let answer = self.rooms.read(
            self.at(),
            named(person.room),
            person.id,
            None,
            Read::NewPoll { held_until: held, page: None },
        );
        self.heard_of(&person, None);
        if self.ends_closed(&person, &answer) {
            return;
        }
        if answer.unwrap().messages.is_empty() {
            self.heard_of(&person, Some(until));
        }
    }

    fn cursor(&self, person: &Person) -> Option<u64> {
        let room = self.model.rooms.get(&person.room)?;
        room.get(person.id).map(|member| member.acknowledged)
    }

    /// A peer that has read that the room was closed is out of it.
    fn ends_closed(&mut self, person: &Person, answer: &Result<Batch, Refusal>) -> bool {
        let room = self.model.rooms.get_mut(&person.room).unwrap();
        let over = room.closed && room.member(person.id).unwrap().unread().is_empty();
        if over {
            assert_eq!(*answer, Err(Refusal::RoomClosed));
            room.remove(person.id);
            self.model.settle(person.room, self.now, &self.limits);
        }
        over
    }

    /// Reads every mailbox of a copy and compares it with the model.
    pub fn check(&self) {
        let mut rooms = self.rooms.clone();
        let at = Timestamp::from_millis(self.now);
        let mut model = crate::model::Model { rooms: self.model.rooms.clone() };
        rooms.expire(at);
        model.expire(self.now, &self.limits);
        assert_eq!(rooms.len(), model.rooms.len());
        for (number, room) in &model.rooms {
            assert_eq!(rooms.view(named(*number)).unwrap().occupancy, room.members.len());
            for member in &room.members {
                let (unread, bytes) = (member.unread(), member.unread_bytes());
                assert!(unread.len() <= self.limits.mailbox_messages + Limits::EVENT_HEADROOM);
                assert!(bytes <= self.limits.mailbox_bytes + Limits::EVENT_HEADROOM_BYTES);
                if room.closed && unread.is_empty() {
                    continue;
                }
                let batch = rooms
                    .read(at, named(*number), member.id, None, Read::NewPoll { held_until: None, page: None })
                    .unwrap();
                assert_eq!(things(&batch, member.acknowledged), unread);
            }
        }
        assert_eq!(rooms.deadlines(), rooms.len(), "a deadline too many or too few");
        let next = rooms.next_deadline().map_or(Duration::MAX, |next| at.until(next));
        assert!(rooms.is_empty() || next <= self.limits.room_lease, "something would never end");
    }
}

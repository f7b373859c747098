//! Joining a room.

use std::sync::Arc;

use crate::{
    domain::{Identity, Joined, Limits, Refusal, RoomName, Seq, Visitor, roster_before},
    engine::redis::{
        Redis,
        decode::{Malformed, Reply, encode_card, micros, verdict},
        scripts::{Call, Script},
    },
};

impl Redis {
    pub async fn join(self: &Arc<Self>, name: &RoomName, visitor: Visitor) -> Result<Joined, Refusal> {
        self.refuse_when_draining()?;
        let joined = self.run(self.join_call(Script::Join, name, &visitor), read_joined).await;
        match (&joined, visitor.identity) {
            // Returning to a seat needs no memory.
            (Err(Refusal::MemoryExhausted), Identity::Returning { .. }) => {
                self.run(self.join_call(Script::Resume, name, &visitor), read_joined).await
            }
            _ => joined,
        }
    }

    fn join_call(&self, script: Script, name: &RoomName, visitor: &Visitor) -> Call {
        let mut call = self.call(script, name);
        let left = self.router.take(call.bucket, Limits::ROOM_COST + Limits::PEER_COST);
        // The checks of `Rooms::join` that do not need the room.
        let seats = visitor.rights.check_create().and_then(|()| self.limits.seats(visitor.capacity));
        let seats = seats.and_then(|seats| self.check_rooms(visitor.source).map(|()| seats));
        let (id, restart, returning) = match visitor.identity {
            Identity::New(id) => (id, Seq::START, false),
            Identity::Returning { id, restart } => (id, restart, true),
        };
        call.some(seats.as_ref().err().map(verdict)).arg(id.as_bytes()).arg(restart.get()).flag(returning);
        call.arg(seats.unwrap_or_default()).some(visitor.secret.as_ref().map(|secret| &secret.as_digest()[..]));
        call.arg(visitor.creator.as_bytes());
        call.key(visitor.keyed).page(visitor.page).flag(visitor.rights.enter).flag(visitor.rights.own);
        call.flag(visitor.rights.administer)
            .some(visitor.subject.map(|subject| [b"s", &subject.as_digest()[..]].concat()));
        let bytes = visitor.name.as_str().len() + visitor.metadata.as_str().len();
        call.arg(encode_card(id, &visitor.name, &visitor.metadata)).arg(bytes).arg(micros(self.limits.lease));
        call.arg(self.limits.mailbox_messages).arg(self.limits.mailbox_bytes);
        call.source(visitor.source).arg(left.bytes).flag(script == Script::Resume);
        call
    }
}

fn read_joined(reply: &mut Reply) -> Result<Joined, Malformed> {
    let rest = &mut reply.rest;
    let (resumed, created, administers) = (rest.next()?, rest.next()?, rest.next()?);
    let (creator, secret, subject) = (rest.creator()?, rest.secret()?, rest.subject()?);
    let (capacity, id) = (rest.next()?, rest.peer()?);
    let (cursor, newest) = (rest.seq()?, rest.seq()?);
    let (cards, unread) = (rest.cards()?, rest.unread_events()?);
    let (own, others): (Vec<_>, Vec<_>) = cards.into_iter().partition(|card| card.id == id);
    Ok(Joined {
        created,
        resumed,
        capacity,
        card: own.into_iter().next().ok_or(Malformed)?,
        cursor,
        newest,
        roster: roster_before(others, unread.iter()),
        administers,
        creator,
        secret,
        subject,
    })
}

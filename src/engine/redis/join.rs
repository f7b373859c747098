//! Taking a seat.

use std::sync::Arc;

use crate::{
    domain::{Identity, Joined, Refusal, RoomName, Seq, Visitor, roster_before},
    engine::redis::{
        Redis,
        decode::{Odd, Reply, card_of},
        keyed, micros,
        scripts::{Call, Script},
    },
};

impl Redis {
    pub async fn join(self: &Arc<Self>, name: &RoomName, visitor: Visitor) -> Result<Joined, Refusal> {
        self.refuse_when_draining()?;
        let joined = self.run(self.joining(Script::Join, name, &visitor), read_joined).await;
        match (&joined, visitor.identity) {
            // Coming back to a seat takes no memory.
            (Err(Refusal::MemoryExhausted), Identity::Returning { .. }) => {
                self.run(self.joining(Script::ComeBack, name, &visitor), read_joined).await
            }
            _ => joined,
        }
    }

    fn joining(&self, script: Script, name: &RoomName, visitor: &Visitor) -> Call {
        let mut call = self.call(script, name);
        // As in `Rooms::join`, but for the room itself.
        let seats = visitor.rights.check_making().and_then(|()| self.limits.seats(visitor.capacity));
        let seats = seats.and_then(|seats| self.check_rooms().map(|()| seats));
        let (id, restart, returning) = match visitor.identity {
            Identity::New(id) => (id, Seq::START, false),
            Identity::Returning { id, restart } => (id, restart, true),
        };
        call.some(seats.as_ref().err().map(named)).arg(id.as_bytes()).arg(restart.get()).flag(returning);
        call.arg(seats.unwrap_or_default()).some(visitor.secret.as_ref().map(|secret| &secret.as_digest()[..]));
        call.arg(visitor.creator.as_bytes());
        keyed(&mut call, visitor.keyed);
        call.page(visitor.page).flag(visitor.rights.enter).flag(visitor.rights.administer);
        let bytes = visitor.name.as_str().len() + visitor.metadata.as_str().len();
        call.arg(card_of(id, &visitor.name, &visitor.metadata)).arg(bytes).arg(micros(self.limits.lease));
        call.arg(self.limits.mailbox_messages).arg(self.limits.mailbox_bytes).flag(script == Script::ComeBack);
        call
    }
}

fn read_joined(reply: &mut Reply) -> Result<Joined, Odd> {
    let rest = &mut reply.rest;
    let (resumed, _is_new, created_room, administers) = (rest.flag()?, rest.flag()?, rest.flag()?, rest.flag()?);
    let (creator, capacity, id) = (rest.creator()?, rest.count()?, rest.peer()?);
    let (cursor, newest) = (rest.seq()?, rest.seq()?);
    let (cards, unread) = (rest.cards()?, rest.comings_and_goings()?);
    let (own, others): (Vec<_>, Vec<_>) = cards.into_iter().partition(|card| card.id == id);
    let created = created_room && !resumed;
    Ok(Joined {
        created,
        resumed,
        capacity,
        card: own.into_iter().next().ok_or(Odd)?,
        cursor,
        newest,
        roster: roster_before(others, unread.iter()),
        creator: creator.filter(|_| created || administers),
        wake: Vec::new(),
    })
}

/// As scripts call the reasons why this node makes no room.
pub(in crate::engine) fn named(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::TicketMissing => "TicketMissing",
        Refusal::MayNotCreate => "MayNotCreate",
        Refusal::CapacityInvalid { .. } => "CapacityInvalid",
        _ => "RoomsExhausted",
    }
}

//! Taking a seat, for the first time, again, or once more after the server forgot.

use std::sync::Arc;

use crate::domain::{
    Card, Content, CreatorId, Keyed, Limits, Message, Metadata, Name, PeerId, Refusal, Seat, Secret, Seq, Timestamp,
    headroom::Left,
    mailbox::Mailbox,
    room::{Room, lease::Lease, page::Page, peer::Peer},
};

/// Who is at the door.
#[derive(Clone, Debug)]
pub struct Visitor {
    pub identity: Identity,
    pub name: Name,
    pub metadata: Metadata,
    pub secret: Option<Secret>,
    /// Counts only when this join makes the room.
    pub capacity: Option<usize>,
    /// Names the creation, if this join makes the room.
    pub creator: CreatorId,
    pub keyed: Option<Keyed>,
    /// The page that will have the seat.
    pub page: Option<Page>,
    pub rights: Rights,
}

/// What a visitor may do besides coming back to its own seat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rights {
    pub enter: bool,
    /// Make the room, if there is none.
    pub create: bool,
    /// Be given the room token.
    pub administer: bool,
}

impl Rights {
    /// Everybody's, where no tickets are asked for.
    pub const OPEN: Rights = Rights { enter: true, create: true, administer: false };
    /// Those of somebody without a ticket, where one is asked for.
    pub const NONE: Rights = Rights { enter: false, create: false, administer: false };

    /// Whether a room that is not there may be made.
    pub fn check_making(self) -> Result<(), Refusal> {
        match self {
            Rights { enter: false, .. } => Err(Refusal::TicketMissing),
            Rights { create: false, .. } => Err(Refusal::MayNotCreate),
            _ => Ok(()),
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub enum Identity {
    /// Somebody new, and the id to give to them.
    New(PeerId),
    /// Somebody with a token for this room. If the seat is gone, a new mailbox starts at `restart`.
    Returning { id: PeerId, restart: Seq },
}

/// The answer to a join.
#[derive(Clone, Debug)]
pub struct Joined {
    /// This join made the room.
    pub created: bool,
    /// The seat was still there: mailbox and cursor are as they were.
    pub resumed: bool,
    pub capacity: usize,
    pub card: Arc<Card>,
    /// Where to read on from.
    pub cursor: Seq,
    /// The newest message in the mailbox now.
    pub newest: Seq,
    /// The others, as of `cursor`, in the order of joining.
    pub roster: Vec<Arc<Card>>,
    /// For whoever made the room by this join, or may administer it: what its room token names.
    pub creator: Option<CreatorId>,
    pub wake: Vec<PeerId>,
}

impl Room {
    /// Lets a visitor in, or back in. `created` says that the room was made for this visitor, and `left` what all rooms
    /// together may still cost.
    pub fn admit(
        &mut self,
        now: Timestamp,
        visitor: Visitor,
        created: bool,
        limits: &Limits,
        left: Left,
    ) -> Result<Joined, Refusal> {
        let (id, cursor) = match visitor.identity {
            Identity::New(id) => (id, Seq::START),
            Identity::Returning { id, restart } => {
                if let Some(index) = self.position(id) {
                    return self.resume(now, index, visitor.page, limits);
                }
                (id, restart)
            }
        };
        if let Some(index) = self.find_repeat(&visitor)? {
            return Ok(self.joined(index, false, Vec::new()));
        }
        self.check_door(now, id, &visitor, limits)?;
        left.check_share(self.cost(), self.cost_of_join(&visitor))?;
        if visitor.rights.administer {
            self.creator.get_or_insert(visitor.creator);
        }

        let card = Arc::new(Card { id, name: visitor.name, metadata: visitor.metadata, order: self.next_order });
        self.next_order += 1;
        let wake = self.tell_all(now, &Content::PeerJoined(card.clone()));
        let peer = Peer {
            id,
            card,
            mailbox: Mailbox::starting_at(cursor),
            lease: Lease::begin(now, limits.lease),
            polls: 0,
            page: visitor.page,
            joined_by: visitor.keyed,
            created_room: created,
            administers: visitor.rights.administer,
            answers: None,
        };
        self.kept_until = None;
        self.cost += peer.cost();
        let index = self.peers.push(peer);
        Ok(self.joined(index, false, wake))
    }

    /// Whose page comes back last has the seat. A poll of another page is woken to be told so.
    fn resume(&mut self, now: Timestamp, index: usize, page: Option<Page>, limits: &Limits) -> Result<Joined, Refusal> {
        if self.closed {
            return Err(Refusal::RoomClosed);
        }
        self.peers[index].page = page;
        let wake = vec![self.peers[index].id];
        self.peers[index].lease.come_back(now, limits.lease);
        Ok(self.joined(index, true, wake))
    }

    /// The member that this very request made before, if its answer was lost on the way.
    fn find_repeat(&self, visitor: &Visitor) -> Result<Option<usize>, Refusal> {
        let Some(keyed) = visitor.keyed else { return Ok(None) };
        for (index, peer) in self.peers.iter().enumerate() {
            if keyed.repeats(peer.joined_by)? {
                return Ok(Some(index));
            }
        }
        Ok(None)
    }

    fn check_door(&self, now: Timestamp, id: PeerId, visitor: &Visitor, limits: &Limits) -> Result<(), Refusal> {
        if self.closed {
            return Err(Refusal::RoomClosed);
        }
        if self.was_kicked(id) {
            return Err(Refusal::Kicked);
        }
        if !visitor.rights.enter {
            return Err(Refusal::TicketMissing);
        }
        if self.secret.is_some() && self.secret.as_deref() != visitor.secret.as_ref() {
            return Err(Refusal::SecretWrong);
        }
        if self.locked {
            return Err(Refusal::RoomLocked);
        }
        if self.peers.len() >= self.capacity {
            let seats = self.peers.iter().map(|peer| Seat { frees_in: peer.lease.frees_in(now) }).collect();
            return Err(Refusal::RoomFull { capacity: self.capacity, seats });
        }
        let bytes = visitor.name.as_str().len() + visitor.metadata.as_str().len();
        let members = self.peers.len() + 1;
        match self.peers.iter().find(|peer| !peer.mailbox.has_room_for_join(bytes, members, limits)) {
            Some(stuffed) => Err(Refusal::MailboxFull { peer: stuffed.id }),
            None => Ok(()),
        }
    }

    /// Each of the others is told, and will be told when this peer leaves.
    fn cost_of_join(&self, visitor: &Visitor) -> usize {
        let card = visitor.name.as_str().len() + visitor.metadata.as_str().len();
        Peer::cost_of(card) + 2 * self.peers.len() * Message::cost_of(card)
    }

    fn joined(&self, index: usize, resumed: bool, wake: Vec<PeerId>) -> Joined {
        let peer = &self.peers[index];
        Joined {
            created: peer.created_room && !resumed,
            resumed,
            capacity: self.capacity,
            card: peer.card.clone(),
            cursor: peer.mailbox.acknowledged(),
            newest: peer.mailbox.newest(),
            roster: self.others_at_cursor(index),
            creator: self.creator.filter(|_| (peer.created_room && !resumed) || peer.administers),
            wake,
        }
    }
}

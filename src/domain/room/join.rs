//! Joining a room: for the first time, again with the same seat, or after the server has lost the seat.

use std::sync::Arc;

use crate::domain::{
    Account, Card, Content, CreatorId, Headroom, KeyedRequest, Limits, Message, Metadata, Name, PeerId, Refusal, Seat,
    Secret, Seq, Source, Subject, Timestamp,
    mailbox::Mailbox,
    room::{Banned, Room, lease::Lease, page::Page, peer::Peer},
};

/// A request to join.
#[derive(Clone, Debug)]
pub struct Visitor {
    pub identity: Identity,
    pub name: Name,
    pub metadata: Metadata,
    /// The one given, or that of the room for which a returning peer's token was issued.
    pub secret: Option<Secret>,
    /// Used if this join creates the room, as is `creator`.
    pub capacity: Option<usize>,
    /// A new one, or that of the room for which a returning peer's token was issued.
    pub creator: CreatorId,
    pub keyed: Option<KeyedRequest>,
    /// The page that gets the seat.
    pub page: Option<Page>,
    pub rights: Rights,
    pub subject: Option<Subject>,
    /// Where the request comes from.
    pub source: Source,
}

/// What a visitor may do besides returning to its own seat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rights {
    pub enter: bool,
    /// Create the room if it does not exist.
    pub create: bool,
    /// Get the room token of a room that this join creates.
    pub own: bool,
    /// Get the room token of any room.
    pub administer: bool,
}

impl Rights {
    /// Without tickets, everybody has these.
    pub const OPEN: Rights = Rights { enter: true, create: true, own: true, administer: false };
    /// Where tickets are required, a visitor without one has these.
    pub const NONE: Rights = Rights { enter: false, create: false, own: false, administer: false };

    pub fn check_create(self) -> Result<(), Refusal> {
        match self {
            Rights { enter: false, .. } => Err(Refusal::TicketMissing),
            Rights { create: false, .. } => Err(Refusal::MayNotCreate),
            _ => Ok(()),
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub enum Identity {
    /// A new peer, and the id that it gets.
    New(PeerId),
    /// The holder of a token for this room. If the seat is gone, a new mailbox starts at `restart`.
    Returning { id: PeerId, restart: Seq },
}

#[derive(Clone, Debug)]
pub struct Joined {
    /// This join created the room.
    pub created: bool,
    /// The seat still existed: mailbox and cursor are unchanged.
    pub resumed: bool,
    pub capacity: usize,
    pub card: Arc<Card>,
    /// Where to continue reading.
    pub cursor: Seq,
    /// The newest message in the mailbox.
    pub newest: Seq,
    /// The other peers as of `cursor`, in the order of joining.
    pub roster: Vec<Arc<Card>>,
    /// The peer may have the room token, which names `creator`.
    pub administers: bool,
    pub creator: CreatorId,
    pub secret: Option<Secret>,
    /// Who the peer is according to the ticket with which it took its seat.
    pub subject: Option<Subject>,
}

impl Room {
    /// Admits a visitor, for which the account pays, or lets it return to its seat. `created` says that the room was created for
    /// this visitor.
    #[expect(clippy::too_many_arguments, reason = "a join needs all that an operation may need")]
    pub fn admit(
        &mut self,
        now: Timestamp,
        visitor: Visitor,
        account: &Account,
        created: bool,
        limits: &Limits,
        headroom: Headroom,
        wake: &mut Vec<PeerId>,
    ) -> Result<Joined, Refusal> {
        let (id, cursor) = match visitor.identity {
            Identity::New(id) => (id, Seq::START),
            Identity::Returning { id, restart } => {
                if let Some(index) = self.position(id) {
                    return self.resume(now, index, visitor.page, limits, wake);
                }
                (id, restart)
            }
        };
        if let Some(index) = self.find_repeat(&visitor)? {
            return Ok(self.joined(index, false));
        }
        self.check_admission(now, id, &visitor, limits)?;
        headroom.check_growth(account, self.cost(), self.cost_of_join(&visitor))?;
        let payer = self.payers.find_or_add(account);
        let card = Arc::new(Card { id, name: visitor.name, metadata: visitor.metadata, order: self.next_order });
        self.next_order += 1;
        self.broadcast(now, &Content::PeerJoined(card.clone()), payer, wake);
        let peer = Peer {
            id,
            card,
            mailbox: Mailbox::starting_at(cursor),
            lease: Lease::begin(now, limits.lease),
            polls: 0,
            page: visitor.page,
            joined_by: visitor.keyed,
            created_room: created,
            owns: created && visitor.rights.own && matches!(visitor.identity, Identity::New(_)),
            administers: visitor.rights.administer,
            subject: visitor.subject,
            accepted_posts: None,
            payer,
        };
        self.kept_until = None;
        self.cost += peer.cost();
        self.payers.owes(payer).seats += peer.cost();
        self.peers.push(peer);
        Ok(self.joined(self.peers.len() - 1, false))
    }

    /// The page that returns last has the seat. Another page's poll is woken to be told so.
    fn resume(
        &mut self,
        now: Timestamp,
        index: usize,
        page: Option<Page>,
        limits: &Limits,
        wake: &mut Vec<PeerId>,
    ) -> Result<Joined, Refusal> {
        if self.closed {
            return Err(Refusal::RoomClosed);
        }
        let peer = &mut self.peers[index];
        peer.page = page;
        peer.lease.resume(now, limits.lease);
        wake.push(peer.id);
        Ok(self.joined(index, true))
    }

    /// The peer that the same request created before, if its response was lost.
    fn find_repeat(&self, visitor: &Visitor) -> Result<Option<usize>, Refusal> {
        let Some(keyed) = visitor.keyed else { return Ok(None) };
        for (index, peer) in self.peers.iter().enumerate() {
            if keyed.repeats(peer.joined_by)? {
                return Ok(Some(index));
            }
        }
        Ok(None)
    }

    fn check_admission(&self, now: Timestamp, id: PeerId, visitor: &Visitor, limits: &Limits) -> Result<(), Refusal> {
        if self.closed {
            return Err(Refusal::RoomClosed);
        }
        if self.is_banned(Banned::Peer(id)) || visitor.subject.is_some_and(|whom| self.is_banned(Banned::Subject(whom)))
        {
            return Err(Refusal::Kicked);
        }
        if !visitor.rights.enter {
            return Err(Refusal::TicketMissing);
        }
        self.check_secret(visitor.secret.as_ref())?;
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
            Some(full) => Err(Refusal::MailboxFull { peer: full.id }),
            None => Ok(()),
        }
    }

    fn check_secret(&self, given: Option<&Secret>) -> Result<(), Refusal> {
        match (self.secret.as_deref(), given) {
            (None, None) => Ok(()),
            (None, Some(_)) => Err(Refusal::SecretUnexpected),
            (Some(_), None) => Err(Refusal::SecretMissing),
            (Some(secret), Some(given)) if secret == given => Ok(()),
            (Some(_), Some(_)) => Err(Refusal::SecretWrong),
        }
    }

    /// With the events in the other mailboxes: that it joined, and later that it left.
    fn cost_of_join(&self, visitor: &Visitor) -> usize {
        let card = visitor.name.as_str().len() + visitor.metadata.as_str().len();
        Peer::cost_of(card) + 2 * self.peers.len() * Message::cost_of(card)
    }

    fn joined(&self, index: usize, resumed: bool) -> Joined {
        let peer = &self.peers[index];
        Joined {
            created: peer.created_room && !resumed,
            resumed,
            capacity: self.capacity,
            card: peer.card.clone(),
            cursor: peer.mailbox.acknowledged(),
            newest: peer.mailbox.newest(),
            roster: self.others_at_cursor(index),
            administers: (peer.owns && !resumed) || peer.administers,
            creator: self.creator,
            secret: self.secret.as_deref().copied(),
            subject: peer.subject,
        }
    }
}

//! A member of a room, as the room stores it.

use std::sync::Arc;

use crate::domain::{
    Card, KeyedRequest, Limits, PeerId, Subject,
    mailbox::{Mailbox, idempotency::AcceptedPosts},
    payers::PayerId,
    room::{lease::Lease, page::Page},
};

#[derive(Clone, Debug)]
pub struct Peer {
    /// A copy of the card's: nearly every operation needs it, and the card is another allocation.
    pub id: PeerId,
    pub card: Arc<Card>,
    pub mailbox: Mailbox,
    pub lease: Lease,
    /// The number of polls so far, and so the number of the newest, the only one that gets messages.
    pub polls: u64,
    /// The page that has the seat, if it has named itself.
    pub page: Option<Page>,
    /// The join that created this peer, so that a repetition finds the same seat.
    pub joined_by: Option<KeyedRequest>,
    /// That join also created the room.
    pub created_room: bool,
    /// It created the room and may have the room token.
    pub owns: bool,
    /// Its ticket grants the room token.
    pub administers: bool,
    /// Who it is according to its ticket.
    pub subject: Option<Subject>,
    /// Its recent posts that had an idempotency key.
    pub accepted_posts: Option<Box<AcceptedPosts>>,
    /// Who pays for the peer and what it posts: the address that it first joined from.
    pub payer: PayerId,
}

impl Peer {
    /// Besides its mailbox and accepted posts.
    pub fn cost_of(card_bytes: usize) -> usize {
        Limits::PEER_COST + card_bytes
    }

    pub fn cost(&self) -> usize {
        let posts = self.accepted_posts.as_ref().map_or(0, |posts| posts.cost());
        Self::cost_of(self.card.bytes()) + self.mailbox.cost() + posts
    }
}

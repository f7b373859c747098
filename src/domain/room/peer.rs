//! A member of a room, as the room keeps it.

use std::sync::Arc;

use crate::domain::{
    Card, Keyed, PeerId,
    mailbox::{Mailbox, idempotency::Answers},
    room::{lease::Lease, page::Page},
};

#[derive(Clone, Debug)]
pub struct Peer {
    /// As on its card, which lies elsewhere: nearly every operation asks for it.
    pub id: PeerId,
    pub card: Arc<Card>,
    pub mailbox: Mailbox,
    pub lease: Lease,
    /// How many polls have come; the newest has this number, and it alone is answered.
    pub polls: u64,
    /// The page that has the seat, if it says which it is.
    pub page: Option<Page>,
    /// The join that made this peer, so that its repeat finds the same seat.
    pub joined_by: Option<Keyed>,
    /// That join made the room, too.
    pub created_room: bool,
    /// Its ticket said that it may have the room token.
    pub administers: bool,
    /// To its posts that have a key.
    pub answers: Option<Box<Answers>>,
}

impl Peer {
    /// What one takes in memory besides its card, its mailbox and its answers, with its place in the limits by
    /// peer.
    const COST: usize = 2048;

    /// What joining with a card of so many bytes costs.
    pub fn cost_of(card_bytes: usize) -> usize {
        Self::COST + card_bytes
    }

    pub fn cost(&self) -> usize {
        let answers = self.answers.as_ref().map_or(0, |answers| answers.cost());
        Self::cost_of(self.card.bytes()) + self.mailbox.cost() + answers
    }
}

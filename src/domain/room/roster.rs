//! Who is in a room, now and as of an earlier moment.

use std::sync::Arc;

use crate::domain::{Card, Content, Subject};

/// The peers in a room as one of them sees it.
#[derive(Clone, Debug)]
pub struct Roster {
    /// In the order of joining.
    pub peers: Vec<Arc<Card>>,
    /// Who the one that asked is, according to its ticket.
    pub subject: Option<Subject>,
}

/// The other peers as of a cursor: today's, with the joins and leaves that are still unread undone, newest first. So a
/// roster and the events that follow it are consistent.
pub fn roster_before<'a>(
    mut others: Vec<Arc<Card>>,
    unread: impl DoubleEndedIterator<Item = &'a Content>,
) -> Vec<Arc<Card>> {
    for content in unread.rev() {
        match content {
            Content::PeerJoined(card) => others.retain(|known| known.id != card.id),
            Content::PeerLeft { peer, .. } => others.push(peer.clone()),
            Content::Relayed { .. } | Content::RoomClosed => {}
        }
    }
    others.sort_by_key(|card| card.order);
    others
}

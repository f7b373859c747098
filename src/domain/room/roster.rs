//! Who is there, as of an earlier moment.

use std::sync::Arc;

use crate::domain::{Card, Content};

/// The others as they were at a peer's acknowledged cursor: today's, with the joins and leaves that the peer has yet to
/// read taken back, newest first. So a roster and the events after it tell one story.
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

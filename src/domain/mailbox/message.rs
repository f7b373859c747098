//! What lies in a mailbox.

use std::{fmt, sync::Arc};

use crate::domain::{Card, PeerId, Seq, Timestamp};

/// The inside of a relayed message, already in the form in which it will be sent: serialised once on the way in and
/// shared from there to every socket. The server never looks inside, and `Debug` shows only its length.
#[derive(Clone, PartialEq, Eq)]
pub struct Payload(Arc<str>);

impl Payload {
    pub fn new(json: impl Into<Arc<str>>) -> Self {
        Self(json.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Payload({} bytes)", self.0.len())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeaveReason {
    /// It said so.
    Left,
    /// Its lease ended.
    Expired,
    /// The holder of the room token removed it.
    Kicked,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    Relayed {
        from: PeerId,
        payload: Payload,
    },
    PeerJoined(Arc<Card>),
    /// Carries the whole card, although clients are shown only the id: so a roster can be reckoned backwards to an
    /// earlier cursor (see `Room::others_at_cursor`).
    PeerLeft {
        peer: Arc<Card>,
        reason: LeaveReason,
    },
    RoomClosed,
}

impl Content {
    /// What a server event counts in a mailbox besides its card.
    pub const EVENT_BYTES: usize = 128;

    /// What this counts against the mailbox's byte limit: its variable part, and for server events a fixed part.
    pub fn bytes(&self) -> usize {
        match self {
            Content::Relayed { payload, .. } => payload.len(),
            Content::PeerJoined(card) => Self::EVENT_BYTES + card.bytes(),
            Content::PeerLeft { .. } | Content::RoomClosed => Self::EVENT_BYTES,
        }
    }

    /// What a message with this takes in memory.
    pub fn cost(&self) -> usize {
        Message::cost_of(match self {
            Content::Relayed { payload, .. } => payload.len(),
            Content::PeerJoined(card) | Content::PeerLeft { peer: card, .. } => card.bytes(),
            Content::RoomClosed => 0,
        })
    }
}

/// One message or server event at its place in one mailbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub seq: Seq,
    /// When it was put into the mailbox.
    pub since: Timestamp,
    pub content: Content,
}

impl Message {
    /// What one takes in memory besides its payload or card: its place in the mailbox, which grows by doubling, and the
    /// overhead of an allocation.
    const COST: usize = 192;

    /// What a message with so many bytes of payload takes in memory. One that several mailboxes share counts in each.
    pub fn cost_of(payload_bytes: usize) -> usize {
        Self::COST + payload_bytes
    }

    pub fn cost(&self) -> usize {
        self.content.cost()
    }
}

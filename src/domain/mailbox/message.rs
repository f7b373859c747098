//! Messages and server events.

use std::{fmt, sync::Arc};

use crate::domain::{Card, Limits, PeerId, Seq, Timestamp};

/// A relayed message as JSON: serialized once, when it is posted, and shared by all mailboxes and responses. The server never
/// reads it, and `Debug` shows only its length.
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
    /// It left, or said goodbye and did not return.
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
    /// With the whole card, although clients only get the id: it lets `roster_before` undo the leave.
    PeerLeft {
        peer: Arc<Card>,
        reason: LeaveReason,
    },
    RoomClosed,
}

impl Content {
    /// What this counts against the mailbox's byte limit.
    pub fn bytes(&self) -> usize {
        match self {
            Content::Relayed { payload, .. } => payload.len(),
            Content::PeerJoined(card) => Limits::EVENT_BYTES + card.bytes(),
            Content::PeerLeft { .. } | Content::RoomClosed => Limits::EVENT_BYTES,
        }
    }

    /// Bytes of memory that a message with this takes, as estimated.
    pub fn cost(&self) -> usize {
        Message::cost_of(match self {
            Content::Relayed { payload, .. } => payload.len(),
            Content::PeerJoined(card) | Content::PeerLeft { peer: card, .. } => card.bytes(),
            Content::RoomClosed => 0,
        })
    }
}

/// A message or server event in a mailbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub seq: Seq,
    /// When it arrived.
    pub since: Timestamp,
    pub content: Content,
}

impl Message {
    /// A payload that several mailboxes share counts in each.
    pub fn cost_of(payload_bytes: usize) -> usize {
        Limits::MESSAGE_COST + payload_bytes
    }
}

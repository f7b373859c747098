//! What a room tells: its members, their messages, and the state of the connection with the server.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Ending, Error, Signal};

/// Something that happened in a room. See [`Events`](crate::Events).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// A message from another peer.
    Message(Message),
    /// Another peer has joined.
    PeerJoined(Arc<Peer>),
    /// Another peer is no longer in the room.
    PeerLeft {
        /// Who.
        peer: Arc<Peer>,
        /// Why.
        reason: LeaveReason,
    },
    /// The connection with the server has changed.
    State {
        /// What it is now.
        state: State,
        /// The reason, if a request was refused or not answered.
        error: Option<Error>,
    },
    /// Back in the room after the seat was lost.
    Resumed {
        /// The mailbox is new: messages in the old one may have been lost.
        lost: bool,
        /// This member has a new id, because the server did not recognise the old token.
        renamed: bool,
        /// The peers that are certainly in the room.
        roster: Vec<Arc<Peer>>,
    },
    /// The room's creator has ended it for all.
    RoomClosed,
    /// The credentials were renewed, or the seat was taken again.
    IceServers(Vec<IceServer>),
    /// A message that a sealed room did not use.
    Refused {
        /// Its number in the mailbox.
        seq: u64,
        /// The id of its sender.
        from: String,
        /// `offer`, `answer`, `candidate`, `bye` or `data`.
        kind: String,
        /// Why it was not used.
        why: Why,
    },
    /// What a peer of a sealed room lacks; `None`: nothing any more.
    Trouble {
        /// Who.
        peer: Arc<Peer>,
        /// What it lacks.
        trouble: Option<Trouble>,
    },
}

/// A message from another peer.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Message {
    /// Its number in the mailbox.
    pub seq: u64,
    /// The id of its sender.
    pub from: String,
    /// The sender. `None` if it is not in the room any more.
    pub peer: Option<Arc<Peer>>,
    /// What it says.
    pub signal: Signal,
    /// Members that this version does not know. None in a sealed room.
    pub more: Map<String, Value>,
}

/// A member of a room. Peers are numbered by `order` as they join.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Peer {
    /// Its id.
    pub id: String,
    /// What it calls itself. Show it as text: others choose it.
    #[serde(default)]
    pub name: String,
    /// Whatever it said about itself when it joined.
    #[serde(default)]
    pub metadata: Value,
    /// Increases with each join. Of two peers, the one with the larger order is the polite one.
    #[serde(default)]
    pub order: u64,
}

/// Why a peer is no longer in the room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LeaveReason {
    /// It left.
    Left,
    /// It was not heard of for the length of the lease.
    Expired,
    /// The room's creator removed it.
    Kicked,
}

/// The connection with the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum State {
    /// The mailbox is being read.
    Connected,
    /// It cannot be read at the moment.
    Reconnecting,
    /// The room has ended for this member. Final.
    Ended(Ending),
}

/// Why a sealed room did not use a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Why {
    /// Its sender has no key.
    Unsealed,
    /// Sealed with another key, changed, or meant for somebody else.
    Unreadable,
    /// Received before, or after a later one.
    Repeated,
    /// From before its sender started again.
    Outdated,
    /// Sealed by somebody with the key, in another way than it should be.
    Malformed,
}

/// What a peer of a sealed room lacks, as far as its last message or its card tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Trouble {
    /// It has no key.
    NoKey,
    /// It has another key.
    AnotherKey,
}

/// A STUN or TURN server, as `RTCIceServer` in browsers.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct IceServer {
    /// Its URLs: `turn:turn.example.org:3478?transport=udp`
    pub urls: Vec<String>,
    /// For TURN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// For TURN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<String>,
}

/// A message that the server has accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sent {
    /// Its number in the recipient's mailbox; `None` if it was for all.
    pub seq: Option<u64>,
    /// One for each recipient.
    pub receipts: Vec<Receipt>,
}

/// A message in a mailbox.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Receipt {
    /// The id of the recipient.
    pub to: String,
    /// The number of the message in that mailbox.
    pub seq: u64,
}

impl LeaveReason {
    pub(crate) fn of(text: &str) -> Self {
        match text {
            "kicked" => Self::Kicked,
            "expired" => Self::Expired,
            _ => Self::Left,
        }
    }
}

impl fmt::Display for LeaveReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Left => "left",
            Self::Expired => "expired",
            Self::Kicked => "kicked",
        })
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connected => f.write_str("connected"),
            Self::Reconnecting => f.write_str("reconnecting"),
            Self::Ended(ending) => ending.fmt(f),
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unsealed => "unsealed",
            Self::Unreadable => "unreadable",
            Self::Repeated => "repeated",
            Self::Outdated => "outdated",
            Self::Malformed => "malformed",
        })
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoKey => "no key",
            Self::AnotherKey => "another key",
        })
    }
}

impl fmt::Debug for IceServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IceServer").field("urls", &self.urls).finish_non_exhaustive()
    }
}

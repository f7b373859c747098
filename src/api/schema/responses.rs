//! The schemas of responses. Most are written by hand in [`json::write`](crate::api::json::write), so their fields are only
//! described here.

#![allow(dead_code, reason = "only described")]

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{domain, ice::IceServer};

/// A room, as anyone may see it.
#[derive(Serialize, ToSchema)]
pub struct Room {
    #[schema(example = "tea")]
    pub room: String,
    /// The number of seats.
    #[schema(example = 2)]
    pub capacity: usize,
    /// The number of seats taken.
    #[schema(example = 1)]
    pub occupancy: usize,
    /// No new peers may join.
    #[schema(example = false)]
    pub locked: bool,
    /// Joining requires the room's secret.
    #[schema(example = false)]
    pub secret: bool,
    /// The room is closed, and not all members have read so yet.
    #[schema(example = false)]
    pub closed: bool,
    /// Allows to close and lock the room and to remove peers. Only in the response to its creation.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub room_token: Option<String>,
}

impl Room {
    pub fn new(name: &domain::RoomName, view: domain::RoomView) -> Self {
        Self {
            room: name.to_string(),
            capacity: view.capacity,
            occupancy: view.occupancy,
            locked: view.locked,
            secret: view.wants_secret,
            closed: view.closed,
            room_token: None,
        }
    }
}

/// A peer, as the others in its room see it.
#[derive(ToSchema)]
pub struct Peer {
    id: Uuid,
    #[schema(example = "Ann")]
    name: String,
    /// Whatever the app sent about this peer when it joined.
    #[schema(value_type = Value)]
    metadata: serde_json::Value,
    /// Increases with each join. Of two peers, the one with the larger order is the polite one.
    #[schema(example = 1)]
    order: u64,
}

/// A seat, and everything needed to continue.
#[derive(ToSchema)]
pub struct Joined {
    #[schema(example = "tea")]
    room: String,
    /// This join created the room.
    #[schema(example = true)]
    created: bool,
    #[schema(example = 2)]
    capacity: usize,
    /// Joining requires the room's secret.
    #[schema(example = false)]
    secret: bool,
    peer: Peer,
    /// Speaks for this peer. Keep it: a reloaded page joins with it to get its seat back.
    token: String,
    /// Where to start polling.
    #[schema(example = 0)]
    cursor: u64,
    /// The newest message in the mailbox. Greater than `cursor` if a resumed seat has unread messages.
    #[schema(example = 0)]
    latest: u64,
    /// The other peers as of `cursor`, in the order in which they joined.
    peers: Vec<Peer>,
    /// The peer's role in perfect negotiation (W3C WebRTC 1.0 section 10.7): polite to peers that joined before it.
    #[schema(example = false)]
    polite: bool,
    /// For `new RTCPeerConnection({iceServers})`.
    ice_servers: Vec<IceServer>,
    /// The lifetime of the TURN credentials in `ice_servers`, in seconds; null without TURN; 0 if they are withheld, because a peer
    /// that is alone in its room gets them only with a ticket: get them once another peer has joined.
    #[schema(example = 600, required)]
    ice_ttl_s: Option<u64>,
    /// How long the seat is kept after the peer's last request, in milliseconds.
    #[schema(example = 45000)]
    lease_ms: u64,
    /// The longest `wait` of a poll, in milliseconds.
    #[schema(example = 55000)]
    wait_max_ms: u64,
    /// Allows to close and lock the room and to remove peers. Only if this join created the room, or the ticket says `admin`.
    #[schema(nullable = false)]
    room_token: Option<String>,
}

/// For `RTCPeerConnection.setConfiguration`.
#[derive(Serialize, ToSchema)]
pub struct IceServers {
    pub ice_servers: Vec<IceServer>,
    /// The lifetime of the TURN credentials, in seconds; null without TURN; 0 if they are withheld from a peer that is alone.
    #[schema(example = 600, required)]
    pub ttl_s: Option<u64>,
}

/// All peers in the room, in the order in which they joined.
#[derive(ToSchema)]
pub struct Roster {
    peers: Vec<Peer>,
}

/// The place of a message in the recipient's mailbox.
#[derive(ToSchema)]
pub struct Posted {
    /// The number of the message in that mailbox.
    #[schema(example = 7)]
    pub seq: u64,
}

/// The places of the messages of a batch, in its order; a message without `to` has an entry for each recipient.
#[derive(ToSchema)]
pub struct BatchPosted {
    accepted: Vec<Place>,
}

/// The places of the messages of a batch, and what a poll returned after it.
#[derive(ToSchema)]
pub struct BatchPostedAndReceived {
    accepted: Vec<Place>,
    messages: Vec<Message>,
    /// Send it with the next poll, as `Last-Event-ID` or `after`, to acknowledge everything up to it.
    #[schema(example = 9)]
    cursor: u64,
}

#[derive(ToSchema)]
pub struct Place {
    to: Uuid,
    #[schema(example = 7)]
    seq: u64,
}

/// The messages after the poll's cursor, in order, and the cursor for the next poll.
#[derive(ToSchema)]
pub struct Batch {
    messages: Vec<Message>,
    /// Send it with the next poll, as `Last-Event-ID` or `after`, to acknowledge everything up to it.
    #[schema(example = 9)]
    cursor: u64,
}

/// A message from another peer (with `from`) or an event from the server (without).
#[derive(ToSchema)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Message {
    /// An SDP offer.
    Offer { seq: u64, from: Uuid, sdp: String },
    /// An SDP answer.
    Answer { seq: u64, from: Uuid, sdp: String },
    /// An ICE candidate, or null for the end of candidates.
    Candidate {
        seq: u64,
        from: Uuid,
        #[schema(value_type = Option<HashMap<String, serde_json::Value>>, required)]
        candidate: Option<serde_json::Value>,
    },
    /// The peer has ended the call.
    Bye {
        seq: u64,
        from: Uuid,
        #[schema(nullable = false)]
        reason: Option<String>,
    },
    /// Data that the app defines.
    Data {
        seq: u64,
        from: Uuid,
        #[schema(value_type = Value)]
        data: serde_json::Value,
    },
    /// A peer has joined the room.
    PeerJoined { seq: u64, peer: Peer },
    /// A peer has left the room.
    PeerLeft { seq: u64, peer: Uuid, reason: Departure },
    /// The room was closed.
    RoomClosed { seq: u64 },
}

/// Why a peer left: it said so, its lease expired, or it was removed.
#[derive(ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Departure {
    Left,
    Expired,
    Kicked,
}

//! The shapes of answers.

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{domain, ice::IceServer};

/// A room, as anybody may see it.
#[derive(Serialize, ToSchema)]
pub struct Room {
    #[schema(example = "tea")]
    pub room: String,
    /// Seats.
    #[schema(example = 2)]
    pub capacity: usize,
    /// Seats that are taken.
    #[schema(example = 1)]
    pub occupancy: usize,
    /// Nobody new is let in.
    #[schema(example = false)]
    pub locked: bool,
    /// Joining needs the room's secret.
    #[schema(example = false)]
    pub secret: bool,
    /// Closed: its members are still reading that it is.
    #[schema(example = false)]
    pub closed: bool,
    /// Closes, locks and kicks. Only in the answer to the creation.
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
#[allow(dead_code, reason = "the document's view; `writing::push_peer` writes it")]
pub struct Peer {
    id: Uuid,
    #[schema(example = "Ann")]
    name: String,
    /// Whatever the app said of this peer when it joined.
    #[schema(value_type = Value)]
    metadata: serde_json::Value,
    /// Rises with each join: of two peers the one with the larger order is the polite one.
    #[schema(example = 1)]
    order: u64,
}

/// The answer to a join: a seat, and everything to go on with.
#[derive(ToSchema)]
#[allow(dead_code, reason = "the document's view; `writing::joined` writes it")]
pub struct Joined {
    #[schema(example = "tea")]
    room: String,
    /// This join made the room.
    #[schema(example = true)]
    created: bool,
    #[schema(example = 2)]
    capacity: usize,
    peer: Peer,
    /// Speaks for this peer. Keep it: a page that is loaded again joins with it and has its seat back.
    token: String,
    /// Poll on from here.
    #[schema(example = 0)]
    cursor: u64,
    /// The newest message in the mailbox now. Greater than `cursor` when a resumed seat has unread messages.
    #[schema(example = 0)]
    latest: u64,
    /// The others, as of `cursor`, in the order of joining.
    peers: Vec<Peer>,
    /// Perfect negotiation (W3C WebRTC 1.0 section 10.7): somebody came before this peer, and it is polite to them.
    #[schema(example = false)]
    polite: bool,
    /// For `new RTCPeerConnection({iceServers})`.
    ice_servers: Vec<IceServer>,
    /// How long the TURN credentials among them hold, in seconds; null if there are none.
    #[schema(example = 3600, required)]
    ice_ttl_s: Option<u64>,
    /// How long the seat is kept after the last request, in milliseconds.
    #[schema(example = 45000)]
    lease_ms: u64,
    /// The longest `wait` of a poll, in milliseconds.
    #[schema(example = 55000)]
    wait_max_ms: u64,
    /// Closes, locks and kicks. Only for the one whose join made the room, or whose ticket says `admin`.
    #[schema(nullable = false)]
    room_token: Option<String>,
}

/// Everybody in the room, in the order of joining.
#[derive(ToSchema)]
#[allow(dead_code, reason = "the document's view; `writing::roster` writes it")]
pub struct Roster {
    peers: Vec<Peer>,
}

/// Where a message went.
#[derive(ToSchema)]
#[allow(dead_code, reason = "the document's view; `writing::posted` writes it")]
pub struct Posted {
    /// The number of the message in that mailbox.
    #[schema(example = 7)]
    pub seq: u64,
}

/// Where the messages of a batch went, in its order; one without `to` has an entry for each receiver.
#[derive(ToSchema)]
#[allow(dead_code, reason = "the document's view; `writing::batch_posted` writes it")]
pub struct BatchPosted {
    accepted: Vec<Place>,
}

#[derive(ToSchema)]
#[allow(dead_code, reason = "the document's view; `writing::batch_posted` writes it")]
pub struct Place {
    to: Uuid,
    #[schema(example = 7)]
    seq: u64,
}

/// What a poll finds: the messages after its cursor, in order, and the cursor for the next poll.
#[derive(ToSchema)]
#[allow(dead_code, reason = "the document's view; `writing::batch` writes it")]
pub struct Batch {
    messages: Vec<Message>,
    /// Send it with the next poll, as `Last-Event-ID` or `after`. That acknowledges everything up to it.
    #[schema(example = 9)]
    cursor: u64,
}

/// One thing in a mailbox: what a peer sent (with `from`), or what the server says (without).
#[derive(ToSchema)]
#[serde(tag = "type", rename_all = "kebab-case")]
#[allow(dead_code, reason = "the document's view; `writing::batch` writes it")]
pub enum Message {
    Offer {
        seq: u64,
        from: Uuid,
        sdp: String,
    },
    Answer {
        seq: u64,
        from: Uuid,
        sdp: String,
    },
    Candidate {
        seq: u64,
        from: Uuid,
        #[schema(value_type = Option<HashMap<String, serde_json::Value>>, required)]
        candidate: Option<serde_json::Value>,
    },
    Bye {
        seq: u64,
        from: Uuid,
        #[schema(nullable = false)]
        reason: Option<String>,
    },
    Data {
        seq: u64,
        from: Uuid,
        #[schema(value_type = Value)]
        data: serde_json::Value,
    },
    PeerJoined {
        seq: u64,
        peer: Peer,
    },
    PeerLeft {
        seq: u64,
        peer: Uuid,
        reason: Departure,
    },
    RoomClosed {
        seq: u64,
    },
}

/// Why a peer left: it said so, its lease ended, or it was removed.
#[derive(ToSchema)]
#[serde(rename_all = "lowercase")]
#[allow(dead_code, reason = "the document's view of `LeaveReason`")]
pub enum Departure {
    Left,
    Expired,
    Kicked,
}

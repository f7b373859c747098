//! Every reason to refuse a request. `api/problem.rs` maps them to HTTP.

use std::time::Duration;

use crate::domain::{PeerId, Seq};

/// One taken seat of a full room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seat {
    /// How long until the seat is free if its peer stays quiet; `None` while the peer is active.
    pub frees_in: Option<Duration>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The room does not exist.
    RoomUnknown,
    /// A room of this name exists.
    RoomExists,
    /// Every seat is taken.
    RoomFull { capacity: usize, seats: Vec<Seat> },
    /// The holder of the room token has locked the room.
    RoomLocked,
    /// The room has a secret, and the request has none.
    SecretMissing,
    /// The room has another secret.
    SecretWrong,
    /// The request has a secret, but the room has none: somebody else may have created it.
    SecretUnexpected,
    /// Without a ticket a peer can only return to a seat that still exists.
    TicketMissing,
    /// The room does not exist, and the ticket does not allow creating it.
    MayNotCreate,
    /// The holder of the room token has closed the room.
    RoomClosed,
    /// The server has reached its limit of rooms.
    RoomsExhausted,
    /// The rooms leave too little memory for this.
    MemoryExhausted,
    /// No seats, or more than the limit.
    CapacityInvalid { max: usize },
    /// The caller is not in the room: it left, its lease ended, or the server restarted.
    PeerGone,
    /// The holder of the room token has removed the caller.
    Kicked,
    /// The addressee is not in the room.
    PeerUnknown { peer: PeerId },
    /// The room token is for an earlier room of this name.
    NotCreator,
    /// A mailbox is full until its owner reads.
    MailboxFull { peer: PeerId },
    /// The post is larger than an empty mailbox.
    NeverFits,
    /// The cursor is beyond the newest message.
    CursorAhead { cursor: Seq, newest: Seq },
    /// The cursor is before the oldest message that the mailbox still has, or from before a restart.
    CursorGone { cursor: Seq, oldest: Seq },
    /// A newer poll of the same peer has replaced this one.
    PollSuperseded,
    /// The idempotency key was used before, for a different request.
    KeyReused,
    /// The server is shutting down.
    Draining,
    /// The store cannot be reached. Nothing was done, unless `perhaps_done`.
    EngineUnavailable { perhaps_done: bool },
}

//! Every way in which a request can be refused. What that is in HTTP stands in `api/problem.rs`, in one table.

use std::time::Duration;

use crate::domain::{PeerId, Seq};

/// One taken seat of a full room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seat {
    /// When the seat frees if its peer stays quiet; `None` while the peer is heard of.
    pub frees_in: Option<Duration>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No such room.
    RoomUnknown,
    /// A room of that name exists.
    RoomExists,
    /// Every seat is taken.
    RoomFull { capacity: usize, seats: Vec<Seat> },
    /// The holder of the room token lets nobody in.
    RoomLocked,
    /// The room wants a secret, and this is not it.
    SecretWrong,
    /// Without a ticket one only comes back to a seat that is still there.
    TicketMissing,
    /// There is no such room, and the ticket does not allow to make it.
    MayNotCreate,
    /// The room was closed by the holder of its token.
    RoomClosed,
    /// The server has as many rooms as it may have.
    RoomsExhausted,
    /// The rooms together cost as much memory as they may, and this one has its share of what is left.
    MemoryExhausted,
    /// More seats than anybody may have, or none.
    CapacityInvalid { max: usize },
    /// The one who asks is not in the room: it left, its lease ended, or the server restarted.
    PeerGone,
    /// The one who asks was removed by the holder of the room token.
    Kicked,
    /// The one who is addressed is not in the room.
    PeerUnknown { peer: PeerId },
    /// The room token is for another room of this name.
    NotCreator,
    /// A mailbox cannot take more until its owner has read.
    MailboxFull { peer: PeerId },
    /// The post is larger than an empty mailbox.
    NeverFits,
    /// The cursor is beyond the newest message.
    CursorAhead { cursor: Seq, newest: Seq },
    /// The cursor is before what the mailbox still has, or from before a restart.
    CursorGone { cursor: Seq, oldest: Seq },
    /// A newer poll of the same peer has taken over.
    PollSuperseded,
    /// The key was used before, for another request.
    KeyReused,
    /// The server is about to stop.
    Draining,
    /// What keeps the rooms cannot be reached. What was asked for is not done, unless it says that it may be.
    EngineUnavailable { perhaps_done: bool },
}

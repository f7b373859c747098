//! Rooms and peers that come and go, as their operator is told.

use crate::domain::{LeaveReason, PeerId, RoomName};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lifecycle {
    pub room: RoomName,
    pub turn: Turn,
}

/// A turn in the life of a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    RoomMade,
    PeerJoined(PeerId),
    /// To a seat that was still there.
    PeerResumed(PeerId),
    PeerLeft(PeerId, LeaveReason),
    /// By whoever made it. It is there until its members have read so.
    RoomClosed,
    RoomGone,
}

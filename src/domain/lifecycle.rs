//! What operators are told about rooms and peers.

use crate::domain::{LeaveReason, PeerId, RoomName};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LifecycleEvent {
    pub room: RoomName,
    pub change: Change,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    RoomMade,
    PeerJoined(PeerId),
    /// A peer returned to its seat.
    PeerResumed(PeerId),
    PeerLeft(PeerId, LeaveReason),
    /// By its creator. The room remains until its members have read that.
    RoomClosed,
    RoomGone,
}

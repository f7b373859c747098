//! The log of rooms and peers.

use std::hash::{BuildHasher, RandomState};

use crate::domain::{Change, LeaveReason, LifecycleEvent};

/// Anybody who knows the name of an open room can join it. So above debug level a room is logged as a hash of its name with
/// this process's key.
pub fn log(lifecycle: &[LifecycleEvent], hasher: &RandomState) {
    if !tracing::enabled!(tracing::Level::INFO) {
        return;
    }
    for LifecycleEvent { room: name, change } in lifecycle {
        let room = format!("{:08x}", hasher.hash_one(name) >> 32);
        match change {
            Change::RoomMade => {
                tracing::info!(%room, "room made");
                tracing::debug!(%room, %name, "room named");
            }
            Change::PeerJoined(peer) => tracing::info!(%room, %peer, "peer joined"),
            Change::PeerResumed(peer) => tracing::info!(%room, %peer, "peer resumed"),
            Change::PeerLeft(peer, LeaveReason::Left) => tracing::info!(%room, %peer, "peer left"),
            Change::PeerLeft(peer, LeaveReason::Expired) => tracing::info!(%room, %peer, "peer expired"),
            Change::PeerLeft(peer, LeaveReason::Kicked) => tracing::info!(%room, %peer, "peer kicked"),
            Change::RoomClosed => tracing::info!(%room, "room closed"),
            Change::RoomGone => tracing::info!(%room, "room gone"),
        }
    }
}

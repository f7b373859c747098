//! A line in the log for each room and peer that comes or goes.

use std::hash::{BuildHasher, RandomState};

use crate::domain::{LeaveReason, Lifecycle, Turn};

/// Whoever knows the name of an open room can join it, so above debug a room goes by a number that only this process can
/// make from the name.
pub fn log(lifecycle: &[Lifecycle], hasher: &RandomState) {
    if !tracing::enabled!(tracing::Level::INFO) {
        return;
    }
    for Lifecycle { room: name, turn } in lifecycle {
        let room = format!("{:08x}", hasher.hash_one(name) >> 32);
        match turn {
            Turn::RoomMade => {
                tracing::info!(%room, "room made");
                tracing::debug!(%room, %name, "room named");
            }
            Turn::PeerJoined(peer) => tracing::info!(%room, %peer, "peer joined"),
            Turn::PeerResumed(peer) => tracing::info!(%room, %peer, "peer resumed"),
            Turn::PeerLeft(peer, LeaveReason::Left) => tracing::info!(%room, %peer, "peer left"),
            Turn::PeerLeft(peer, LeaveReason::Expired) => tracing::info!(%room, %peer, "peer expired"),
            Turn::PeerLeft(peer, LeaveReason::Kicked) => tracing::info!(%room, %peer, "peer kicked"),
            Turn::RoomClosed => tracing::info!(%room, "room closed"),
            Turn::RoomGone => tracing::info!(%room, "room gone"),
        }
    }
}

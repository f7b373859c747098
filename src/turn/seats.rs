//! Ends the allocations of members that have left their room, and those that have expired.

use std::{collections::HashMap, time::Duration};

use crate::{
    domain::{PeerId, RoomName},
    turn::server::{Handle, TurnServer},
};

/// A member who has left is relayed for no longer than twice this.
const INTERVAL: Duration = Duration::from_millis(400);

impl TurnServer {
    /// Checks all allocations at intervals, until it is dropped.
    pub async fn sweep(&self) {
        if !self.has_relay() {
            return;
        }
        loop {
            tokio::time::sleep(INTERVAL).await;
            self.sweep_once().await;
        }
    }

    async fn sweep_once(&self) {
        let now = self.clock.now();
        let mut members: HashMap<RoomName, Vec<PeerId>> = HashMap::new();
        let expired = self.with_allocations(|allocations| {
            let expired = allocations.remove_expired(now);
            for allocation in allocations.iter() {
                let peers = members.entry(allocation.member.room.clone()).or_default();
                if !peers.contains(&allocation.member.peer) {
                    peers.push(allocation.member.peer);
                }
            }
            expired
        });
        expired.into_iter().flatten().for_each(|allocation| wake(&allocation.handle));
        for (room, peers) in members {
            // While the engine does not answer, calls go on.
            let Ok(seated) = self.engine.seated(&room, &peers).await else { continue };
            if seated.len() < peers.len() {
                self.end_allocations(&room, |peer| peers.contains(&peer) && !seated.contains(&peer));
            }
        }
    }

    fn end_allocations(&self, room: &RoomName, has_left: impl Fn(PeerId) -> bool) {
        let now = self.clock.now();
        let ended = self.with_allocations(|allocations| {
            allocations.remove_if(now, |allocation| allocation.member.room == *room && has_left(allocation.member.peer))
        });
        ended.into_iter().flatten().for_each(|allocation| wake(&allocation.handle));
    }
}

/// A connection closes some time after its allocation has ended.
fn wake(handle: &Handle) {
    if let Handle::Stream { outbox, .. } = handle {
        outbox.wake();
    }
}

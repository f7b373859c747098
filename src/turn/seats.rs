//! Ends allocations that have expired, and those of members that have left their room.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use futures_util::{StreamExt, stream};

use crate::{
    domain::{PeerId, RoomName},
    turn::{allocation::Allocation, net::handle::Handle, server::TurnServer},
};

/// A member that has left is relayed for no longer than twice this, if the engine answers at once.
const INTERVAL: Duration = Duration::from_millis(400);
/// Rooms that are asked for at the same time.
const CONCURRENT: usize = 32;

impl TurnServer {
    /// Removes expired allocations, until it is dropped.
    pub async fn remove_expired(self: Arc<Self>) {
        loop {
            tokio::time::sleep(INTERVAL).await;
            let now = self.clock.now();
            wake(self.with_allocations(|allocations| allocations.remove_expired(now)));
        }
    }

    /// Ends allocations of members that have left, until it is dropped.
    pub async fn check_seats(self: Arc<Self>) {
        loop {
            tokio::time::sleep(INTERVAL).await;
            // Nobody can renew a lease any more, so leases say nothing.
            if self.engine.is_draining() {
                return;
            }
            let gone = self.members_gone().await;
            if !gone.is_empty() {
                self.end_allocations(&gone);
            }
        }
    }

    async fn members_gone(&self) -> HashSet<PeerId> {
        let mut members: HashMap<RoomName, HashSet<PeerId>> = HashMap::new();
        self.with_allocations(|allocations| {
            for allocation in allocations.iter() {
                members.entry(allocation.member.room.clone()).or_default().insert(allocation.member.peer);
            }
        });
        let gone_of = async |(room, peers): (RoomName, HashSet<PeerId>)| {
            let asked: Vec<PeerId> = peers.into_iter().collect();
            let seated = self.engine.seated(&room, &asked).await.ok()?;
            Some(asked.into_iter().filter(|peer| !seated.contains(peer)).collect::<Vec<_>>())
        };
        let mut answers = stream::iter(members).map(gone_of).buffer_unordered(CONCURRENT);
        let mut gone = HashSet::new();
        // While the engine does not answer, calls continue.
        while let Some(Some(peers)) = answers.next().await {
            gone.extend(peers);
        }
        gone
    }

    fn end_allocations(&self, gone: &HashSet<PeerId>) {
        let now = self.clock.now();
        let is_gone = |allocation: &Allocation<Handle>| gone.contains(&allocation.member.peer);
        wake(self.with_allocations(|allocations| allocations.remove_if(now, is_gone)));
    }
}

/// A connection closes some time after its allocation has ended.
fn wake(ended: Option<Vec<Allocation<Handle>>>) {
    for allocation in ended.into_iter().flatten() {
        allocation.handle.wake();
    }
}

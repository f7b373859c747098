//! A poll that waits in the engine for one machine.

use std::sync::Arc;

use tokio::sync::oneshot;

use crate::{
    domain::{PeerId, RoomKey, RoomName},
    engine::{memory::Memory, waiters::Wake},
};

/// Dropping it gives its place back, so a client that goes away leaves nothing behind.
#[derive(Debug)]
pub struct Parked {
    pub memory: Arc<Memory>,
    pub name: RoomName,
    pub hash: u64,
    pub peer: PeerId,
    pub poll: u64,
    pub receiver: oneshot::Receiver<Wake>,
}

impl Parked {
    pub async fn woken(&mut self) -> Wake {
        // Senders are never dropped unsent while their waiter is in the table; if one were, looking again is right.
        (&mut self.receiver).await.unwrap_or(Wake::News)
    }
}

impl Drop for Parked {
    fn drop(&mut self) {
        let mut shard = self.memory.shard(self.hash).lock();
        if shard.waiters.give_back(self.peer, self.poll) {
            let now = self.memory.clock.now();
            shard.rooms.release(now, RoomKey { name: &self.name, hash: self.hash }, self.peer);
        }
    }
}

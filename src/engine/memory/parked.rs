//! A poll that is parked in the memory engine.

use std::sync::Arc;

use tokio::sync::oneshot;

use crate::{
    domain::{PeerId, RoomKey, RoomName},
    engine::{memory::Memory, waiters::Wake},
};

/// Dropping it removes the waiter, so a client that disconnects leaves nothing behind.
#[derive(Debug)]
pub struct ParkedPoll {
    pub memory: Arc<Memory>,
    pub name: RoomName,
    pub hash: u64,
    pub peer: PeerId,
    pub poll: u64,
    pub woken: oneshot::Receiver<Wake>,
}

impl Drop for ParkedPoll {
    fn drop(&mut self) {
        let mut shard = self.memory.shard(self.hash).lock();
        if shard.waiters.remove(self.peer, self.poll) {
            let now = self.memory.clock.now();
            shard.rooms.release(now, RoomKey { name: &self.name, hash: self.hash }, self.peer);
        }
    }
}

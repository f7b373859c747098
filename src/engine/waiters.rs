//! The polls that wait, one for each peer.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
};

use tokio::sync::oneshot;

use crate::domain::PeerId;

/// Why a parked poll goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wake {
    /// Something may have happened: look again.
    News,
    /// What keeps the rooms was lost for a moment, so everybody looks again.
    Lost,
    /// The server is about to stop.
    Draining,
}

/// Lives beside the rooms under the same lock, so that nothing can happen between an empty read and the parking.
#[derive(Debug, Default)]
pub struct Waiters {
    parked: HashMap<PeerId, Waiter, BuildHasherDefault<RandomAlready>>,
}

/// The server makes the ids of peers at random, so a part of one is as good as a hash.
#[derive(Debug, Default)]
struct RandomAlready(u64);

impl Hasher for RandomAlready {
    fn write(&mut self, bytes: &[u8]) {
        if let Some(part) = bytes.first_chunk() {
            self.0 ^= u64::from_ne_bytes(*part);
        }
    }

    fn write_usize(&mut self, _length: usize) {}

    fn finish(&self) -> u64 {
        self.0
    }
}

#[derive(Debug)]
struct Waiter {
    poll: u64,
    sender: oneshot::Sender<Wake>,
}

impl Waiters {
    /// Parks a poll in a place from which an older one was taken.
    pub fn park(&mut self, peer: PeerId, poll: u64) -> oneshot::Receiver<Wake> {
        let (sender, receiver) = oneshot::channel();
        self.parked.insert(peer, Waiter { poll, sender });
        receiver
    }

    /// Takes out those who are to be woken. They are woken after the lock is gone, by [`Woken::wake`].
    pub fn take(&mut self, peers: impl IntoIterator<Item = PeerId>) -> Woken {
        let waiting = peers.into_iter().filter_map(|peer| self.parked.remove(&peer));
        Woken(waiting.map(|waiter| waiter.sender).collect())
    }

    pub fn take_all(&mut self) -> Woken {
        Woken(self.parked.drain().map(|(_, waiter)| waiter.sender).collect())
    }

    /// The poll of this number waits no more. Returns whether it still had its place.
    pub fn give_back(&mut self, peer: PeerId, poll: u64) -> bool {
        let still_there = self.parked.get(&peer).is_some_and(|waiter| waiter.poll == poll);
        if still_there {
            self.parked.remove(&peer);
        }
        still_there
    }

    pub fn len(&self) -> usize {
        self.parked.len()
    }
}

/// Polls on their way out.
#[derive(Debug, Default)]
#[must_use = "a taken waiter that is not woken sleeps to the end of its hold"]
pub struct Woken(Vec<oneshot::Sender<Wake>>);

impl Woken {
    pub fn wake(self, why: Wake) {
        for sender in self.0 {
            let _ = sender.send(why);
        }
    }
}

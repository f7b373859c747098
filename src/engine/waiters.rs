//! Parked polls, one for each peer, and how a poll waits.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
};

use tokio::sync::oneshot;

use crate::{
    clock::Clock,
    domain::{Batch, PeerId, Refusal, Timestamp},
};

/// Why a parked poll is woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wake {
    /// Its mailbox or its membership may have changed.
    Changed,
    /// Wake-ups may have been lost with a connection to the store, so every poll reads again.
    Reconnected,
    Draining,
}

/// The outcome of a poll's read.
#[derive(Debug)]
pub enum ReadOutcome<P> {
    Ready(Batch),
    /// The mailbox was empty and the hold is not over.
    Parked(P),
}

/// Waits for a wake-up or for the end of the hold. In either case the poll reads again.
pub async fn wait(clock: &Clock, woken: &mut oneshot::Receiver<Wake>, until: Timestamp) -> Result<Wake, Refusal> {
    let wake = tokio::select! {
        // A sender that was dropped without sending is treated like a wake-up.
        wake = woken => wake.unwrap_or(Wake::Changed),
        () = clock.sleep_until(until) => Wake::Changed,
    };
    if wake == Wake::Draining { Err(Refusal::Draining) } else { Ok(wake) }
}

/// Under the same lock as the rooms, so that no message falls between an empty read and the parking.
#[derive(Debug, Default)]
pub struct Waiters {
    parked: HashMap<PeerId, Waiter, BuildHasherDefault<IdHasher>>,
}

/// Peer ids are random, so a part of one serves as its hash.
#[derive(Debug, Default)]
struct IdHasher(u64);

impl Hasher for IdHasher {
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
    /// An older poll of this peer must have been taken.
    pub fn park(&mut self, peer: PeerId, poll: u64) -> oneshot::Receiver<Wake> {
        let (sender, receiver) = oneshot::channel();
        self.parked.insert(peer, Waiter { poll, sender });
        receiver
    }

    /// Removes the polls of these peers, to be woken after the lock is released.
    pub fn take(&mut self, peers: impl IntoIterator<Item = PeerId>) -> WakeList {
        let waiting = peers.into_iter().filter_map(|peer| self.parked.remove(&peer));
        WakeList(waiting.map(|waiter| waiter.sender).collect())
    }

    pub fn take_all(&mut self) -> WakeList {
        WakeList(self.parked.drain().map(|(_, waiter)| waiter.sender).collect())
    }

    /// Removes this poll. Returns whether it was still parked.
    pub fn remove(&mut self, peer: PeerId, poll: u64) -> bool {
        let parked = self.parked.get(&peer).is_some_and(|waiter| waiter.poll == poll);
        if parked {
            self.parked.remove(&peer);
        }
        parked
    }

    pub fn len(&self) -> usize {
        self.parked.len()
    }
}

#[derive(Debug, Default)]
#[must_use = "a poll that is taken and not woken sleeps to the end of its hold"]
pub struct WakeList(Vec<oneshot::Sender<Wake>>);

impl WakeList {
    pub fn wake(self, why: Wake) {
        for sender in self.0 {
            let _ = sender.send(why);
        }
    }
}

//! The polls that wait, one for each peer.

use std::collections::HashMap;

use tokio::sync::oneshot;

use crate::domain::PeerId;

/// Why a parked poll goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wake {
    /// Something may have happened: look again.
    News,
    /// A newer poll of the same peer has taken the place.
    Superseded,
    /// The server is about to stop.
    Draining,
}

/// Lives beside the rooms under the same lock, so that nothing can happen between an empty read and the parking.
#[derive(Debug, Default)]
pub struct Waiters {
    parked: HashMap<PeerId, Waiter>,
    last_ticket: u64,
}

#[derive(Debug)]
struct Waiter {
    ticket: Ticket,
    sender: oneshot::Sender<Wake>,
}

/// When a poll arrived. With it a poll that leaves early gives its place back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticket(u64);

impl Waiters {
    /// A poll has arrived. Of two polls the one with the later ticket is the newer, however often each looks again.
    pub fn arrive(&mut self) -> Ticket {
        self.last_ticket += 1;
        Ticket(self.last_ticket)
    }

    /// Clears the place of a peer for the poll with this ticket: an older poll in it is told that it was superseded.
    /// `false` if a newer one has the place.
    pub fn supersede(&mut self, peer: PeerId, ticket: Ticket) -> bool {
        if self.parked.get(&peer).is_some_and(|waiter| waiter.ticket > ticket) {
            return false;
        }
        if let Some(older) = self.parked.remove(&peer) {
            let _ = older.sender.send(Wake::Superseded);
        }
        true
    }

    /// Parks a poll in a place that [`Waiters::supersede`] has cleared.
    pub fn park(&mut self, peer: PeerId, ticket: Ticket) -> oneshot::Receiver<Wake> {
        let (sender, receiver) = oneshot::channel();
        self.parked.insert(peer, Waiter { ticket, sender });
        receiver
    }

    /// Takes out those who are to be woken. They are woken after the lock is gone, by [`Woken::wake`].
    pub fn take(&mut self, peers: &[PeerId]) -> Woken {
        Woken(peers.iter().filter_map(|peer| self.parked.remove(peer)).map(|waiter| waiter.sender).collect())
    }

    pub fn take_all(&mut self) -> Woken {
        Woken(self.parked.drain().map(|(_, waiter)| waiter.sender).collect())
    }

    /// The poll with this ticket waits no more. Returns whether it still had its place.
    pub fn give_back(&mut self, peer: PeerId, ticket: Ticket) -> bool {
        let still_there = self.parked.get(&peer).is_some_and(|waiter| waiter.ticket == ticket);
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
#[derive(Debug)]
#[must_use = "a taken waiter that is not woken sleeps to the end of its hold"]
pub struct Woken(Vec<oneshot::Sender<Wake>>);

impl Woken {
    pub fn wake(self, why: Wake) {
        for sender in self.0 {
            let _ = sender.send(why);
        }
    }
}

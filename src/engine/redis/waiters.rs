//! Polls parked at this node.

use std::collections::HashMap;

use parking_lot::Mutex;
use tokio::sync::oneshot;

use crate::{domain::PeerId, engine::waiters::Wake};

/// A peer may briefly have several: only Redis knows which poll is the newest, and the others end when they have read again.
#[derive(Debug, Default)]
pub struct NodeWaiters {
    /// Held for one look-up.
    waiters: Mutex<Waiters>,
}

#[derive(Debug, Default)]
struct Waiters {
    by_peer: HashMap<PeerId, Vec<Waiter>>,
    count: usize,
    tickets: u64,
}

#[derive(Debug)]
struct Waiter {
    ticket: u64,
    sender: oneshot::Sender<Wake>,
}

impl NodeWaiters {
    /// Before the mailbox is read, so that a wake-up during the read is not lost.
    pub fn register(&self, peer: PeerId) -> (u64, oneshot::Receiver<Wake>) {
        let (sender, receiver) = oneshot::channel();
        let mut waiters = self.waiters.lock();
        waiters.tickets += 1;
        waiters.count += 1;
        let ticket = waiters.tickets;
        waiters.by_peer.entry(peer).or_default().push(Waiter { ticket, sender });
        (ticket, receiver)
    }

    /// Returns whether it was still registered.
    pub fn remove(&self, peer: PeerId, ticket: u64) -> bool {
        let mut waiters = self.waiters.lock();
        let Some(polls) = waiters.by_peer.get_mut(&peer) else { return false };
        let Some(index) = polls.iter().position(|waiter| waiter.ticket == ticket) else { return false };
        polls.swap_remove(index);
        if polls.is_empty() {
            waiters.by_peer.remove(&peer);
        }
        waiters.count -= 1;
        true
    }

    /// Wakes the polls of these peers, except the one with this ticket.
    pub fn wake(&self, peers: impl IntoIterator<Item = PeerId>, except: Option<u64>) {
        for peer in peers {
            let mut waiters = self.waiters.lock();
            let Some(polls) = waiters.by_peer.remove(&peer) else { continue };
            let (kept, woken): (Vec<_>, Vec<_>) = polls.into_iter().partition(|waiter| Some(waiter.ticket) == except);
            waiters.count -= woken.len();
            if !kept.is_empty() {
                waiters.by_peer.insert(peer, kept);
            }
            drop(waiters);
            send(woken, Wake::Changed);
        }
    }

    pub fn wake_all(&self, why: Wake) {
        let mut waiters = self.waiters.lock();
        waiters.count = 0;
        let all = std::mem::take(&mut waiters.by_peer);
        drop(waiters);
        send(all.into_values().flatten(), why);
    }

    pub fn len(&self) -> usize {
        self.waiters.lock().count
    }
}

fn send(waiters: impl IntoIterator<Item = Waiter>, why: Wake) {
    for waiter in waiters {
        let _ = waiter.sender.send(why);
    }
}

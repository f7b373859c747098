//! The polls that wait at this node.

use std::collections::HashMap;

use parking_lot::Mutex;
use tokio::sync::oneshot;

use crate::{domain::PeerId, engine::waiters::Wake};

/// Several polls of one peer may wait for a moment, until the older ones have looked again and learnt that there is a newer
/// one: which that is, only Redis knows.
#[derive(Debug, Default)]
pub struct Places {
    /// One lock for all, held for one look-up.
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    polls: HashMap<PeerId, Vec<Place>>,
    count: usize,
    tickets: u64,
}

#[derive(Debug)]
struct Place {
    ticket: u64,
    sender: oneshot::Sender<Wake>,
}

impl Places {
    /// Takes a place, before the mailbox is read: a hint that comes while it is being read finds somebody.
    pub fn take(&self, peer: PeerId) -> (u64, oneshot::Receiver<Wake>) {
        let (sender, receiver) = oneshot::channel();
        let mut waiting = self.waiting.lock();
        waiting.tickets += 1;
        waiting.count += 1;
        let ticket = waiting.tickets;
        waiting.polls.entry(peer).or_default().push(Place { ticket, sender });
        (ticket, receiver)
    }

    /// Gives a place back. Says whether it was still there.
    pub fn give_back(&self, peer: PeerId, ticket: u64) -> bool {
        let mut waiting = self.waiting.lock();
        let Some(polls) = waiting.polls.get_mut(&peer) else { return false };
        let Some(index) = polls.iter().position(|place| place.ticket == ticket) else { return false };
        polls.swap_remove(index);
        if polls.is_empty() {
            waiting.polls.remove(&peer);
        }
        waiting.count -= 1;
        true
    }

    /// Wakes the polls of these peers, but for the one that asks.
    pub fn wake(&self, peers: impl IntoIterator<Item = PeerId>, but: Option<u64>) {
        for peer in peers {
            let mut waiting = self.waiting.lock();
            let Some(polls) = waiting.polls.remove(&peer) else { continue };
            let (kept, woken): (Vec<_>, Vec<_>) = polls.into_iter().partition(|place| Some(place.ticket) == but);
            waiting.count -= woken.len();
            if !kept.is_empty() {
                waiting.polls.insert(peer, kept);
            }
            drop(waiting);
            send(woken, Wake::News);
        }
    }

    pub fn wake_all(&self, why: Wake) {
        let mut waiting = self.waiting.lock();
        waiting.count = 0;
        let all = std::mem::take(&mut waiting.polls);
        drop(waiting);
        send(all.into_values().flatten(), why);
    }

    pub fn len(&self) -> usize {
        self.waiting.lock().count
    }
}

fn send(places: impl IntoIterator<Item = Place>, why: Wake) {
    for place in places {
        let _ = place.sender.send(why);
    }
}

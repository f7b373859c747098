//! How many messages each peer has sent to each other peer, and which of them have arrived.

use super::{Crowd, Event, faults::account};
use crate::signal::{Found, Stamp};

impl Crowd<'_> {
    /// Counts messages that were sent and never arrived. Call this when all should have arrived.
    pub fn close_all_accounts(&mut self) {
        (0..self.peers.len()).for_each(|peer| self.close_accounts(peer));
    }

    pub(super) fn close_accounts(&mut self, peer: usize) {
        for (to, sent) in std::mem::take(&mut self.peers[peer].sent) {
            let account = self.peers[to].heard.iter().position(|(from, _)| *from == peer);
            let heard = account.map_or(0, |at| self.peers[to].heard.swap_remove(at).1);
            self.faults.lost += u64::from(sent.saturating_sub(heard));
        }
    }

    /// Checks and counts a message that has arrived.
    pub(super) fn check(&mut self, peer: usize, found: Found, now: u64) {
        let Stamp { from, to, number, sent } = found.stamp;
        let from = from as usize;
        if !found.whole || to as usize != peer || from >= self.peers.len() {
            self.faults.broken += 1;
            return;
        }
        let expected = account(&mut self.peers[peer].heard, from);
        if number < *expected {
            self.faults.doubled += 1;
            return;
        }
        if number > *expected {
            self.faults.disordered += 1;
        }
        *expected = number + 1;
        self.heard += 1;
        let micros = now.saturating_sub(sent);
        self.events.push_back(Event::Heard { peer, from, kind: found.kind, micros });
    }
}

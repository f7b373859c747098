//! Servers where every request waits, as in BOSH: a post is also a poll. It replaces the parked request, which is
//! answered. So a peer has two connections, uses whichever is free, and reads answers in the order of its requests.

use std::time::Instant;

use super::{Crowd, Peer, Role, State};
use crate::wire::Answer;

impl Crowd<'_> {
    /// The next answer, in the order of each peer's requests. Before waiting for one, every peer without a request in flight
    /// polls.
    pub(super) fn next_in_order(&mut self, until: Instant) -> Result<Option<Answer>, String> {
        if let Some(due) = self.early.iter().position(|answer| !self.is_early(answer)) {
            return Ok(Some(self.early.swap_remove(due)));
        }
        self.poll_for_the_idle()?;
        while let Some(answer) = self.wire.next(until)? {
            if !self.is_early(&answer) {
                return Ok(Some(answer));
            }
            self.early.push(answer);
        }
        Ok(None)
    }

    fn is_early(&self, answer: &Answer) -> bool {
        if !self.driver.every_request_waits() {
            return false;
        }
        let peer = match &self.roles[answer.connection] {
            Role::Poll(peer) => *peer,
            Role::Line { current: Some(job), .. } => job.peer(),
            Role::Line { .. } => return false,
        };
        let Peer { newest, is_polling, .. } = self.peers[peer];
        newest == answer.connection && is_polling && self.is_on_its_line(peer)
    }

    /// Polls for peers that were answered and have not posted since.
    fn poll_for_the_idle(&mut self) -> Result<(), String> {
        while let Some(peer) = self.idle.pop() {
            if self.is_free(peer) && !self.is_on_its_line(peer) {
                self.poll(peer)?;
            }
        }
        Ok(())
    }

    /// Sends the next job of a line whose current request is parked on the peer's poll connection instead. If that is
    /// not free because the line is shared, the peer that occupies the line polls, so that the server answers its request.
    pub(super) fn overtake(&mut self, line: usize) -> Result<(), String> {
        let Role::Line { queue, current: Some(waiting) } = &mut self.roles[line] else { return Ok(()) };
        let Some(next) = queue.front() else { return Ok(()) };
        let (next, waiting) = (next.peer(), waiting.peer());
        if self.is_free(next) {
            let Role::Line { queue, .. } = &mut self.roles[line] else { return Ok(()) };
            let (Some(job), Some(connection)) = (queue.pop_front(), self.peers[next].poll) else { return Ok(()) };
            self.peers[next].is_polling = true;
            self.write(&job, connection)?;
            return self.ask(connection);
        }
        if self.is_free(waiting) { self.poll(waiting) } else { Ok(()) }
    }

    /// The peer has joined, and no request is parked on its poll connection.
    fn is_free(&self, peer: usize) -> bool {
        let peer = &self.peers[peer];
        peer.state == State::In && peer.poll.is_some() && !peer.is_polling
    }
}

//! Reading mailboxes and parking polls.

use std::{sync::Arc, time::Duration};

use tokio::sync::oneshot;

use crate::{
    domain::{Batch, PeerId, Read, Refusal, RoomKey, RoomName, Timestamp},
    engine::{
        PollRequest,
        memory::Memory,
        waiters::{ReadOutcome, Wake, wait},
    },
};

/// Dropping it removes the waiter, so a client that disconnects leaves nothing behind.
#[derive(Debug)]
struct ParkedPoll {
    memory: Arc<Memory>,
    name: RoomName,
    hash: u64,
    peer: PeerId,
    poll: u64,
    woken: oneshot::Receiver<Wake>,
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

impl Memory {
    pub async fn receive(
        self: &Arc<Self>,
        name: &RoomName,
        peer: PeerId,
        request: PollRequest,
        hold: Duration,
    ) -> Result<Batch, Refusal> {
        let mut now = self.clock.now();
        let until = now + hold;
        let key = self.key(name);
        let mut poll = None;
        loop {
            match self.read_or_park(key, peer, request, [now, until], poll)? {
                ReadOutcome::Ready(batch) => return Ok(batch),
                ReadOutcome::Parked(mut parked) => {
                    poll = Some(parked.poll);
                    wait(&self.clock, &mut parked.woken, until).await?;
                    now = self.clock.now();
                }
            }
        }
    }

    /// Reads a mailbox and, if it is empty and the hold is not over, parks the poll, under one lock. A poll that reads again
    /// passes its number.
    fn read_or_park(
        self: &Arc<Self>,
        key: RoomKey<'_>,
        peer: PeerId,
        PollRequest { after, page }: PollRequest,
        [now, until]: [Timestamp; 2],
        poll: Option<u64>,
    ) -> Result<ReadOutcome<ParkedPoll>, Refusal> {
        let may_park = until > now;
        if may_park {
            self.refuse_when_draining()?;
        }
        let held_until = may_park.then_some(until);
        let read = poll.map_or(Read::NewPoll { held_until, page }, |poll| Read::Reread { poll, page });
        let mut shard = self.shard(key.hash).lock();
        let batch = self.in_shard(&mut shard.rooms, now, |rooms| rooms.read(now, key, peer, after, read));
        let mut older = None;
        let outcome = batch.map(|batch| {
            let Some(poll) = batch.poll else { return ReadOutcome::Ready(batch) };
            older = Some(shard.waiters.take([peer]));
            if !batch.messages.is_empty() || !may_park {
                return ReadOutcome::Ready(batch);
            }
            let (memory, name, hash) = (self.clone(), key.name.clone(), key.hash);
            ReadOutcome::Parked(ParkedPoll { memory, name, hash, peer, poll, woken: shard.waiters.park(peer, poll) })
        });
        self.finish(shard);
        if let Some(older) = older {
            // It reads again, and is told that a newer poll has replaced it.
            older.wake(Wake::Changed);
        }
        match &outcome {
            Ok(ReadOutcome::Ready(batch)) => self.counters.delivered(batch, now),
            // A drain that began after the check above may have missed this poll.
            Ok(ReadOutcome::Parked(_)) => self.refuse_when_draining()?,
            Err(_) => {}
        }
        outcome
    }
}

//! Reading mailboxes and parking polls.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    time::Duration,
};

use tokio::sync::oneshot;

use crate::{
    domain::{Batch, PeerId, Refusal, RoomName, Timestamp},
    engine::{
        PollRequest,
        redis::{
            Redis,
            decode::{Malformed, Reply, micros},
            keys::Bucket,
            scripts::Script,
        },
        waiters::{ReadOutcome, Wake, wait},
    },
};

/// When a poll whose read failed reads again, unless it is woken before.
const RETRY: Duration = Duration::from_secs(1);

#[derive(Debug)]
struct ParkedPoll {
    poll: u64,
    /// Its last read failed, so it may have missed something.
    unread: bool,
    woken: oneshot::Receiver<Wake>,
    registration: Registration,
}

/// A poll's entry in the node's waiters. Dropping it removes the entry, and the one in Redis, which keeps the lease from
/// counting as quiet.
#[derive(Debug)]
struct Registration(Arc<Registered>);

#[derive(Debug)]
struct Registered {
    redis: Arc<Redis>,
    name: RoomName,
    peer: PeerId,
    ticket: u64,
    /// The poll's number once it is parked in Redis; 0 before.
    poll: AtomicU64,
    /// When the client disconnected, in microseconds; 0 before.
    dropped: AtomicU64,
}

impl Registered {
    /// Redis has parked the poll, perhaps after its client disconnected.
    fn set_parked(&self, poll: u64) {
        self.poll.store(poll, SeqCst);
        if self.dropped.load(SeqCst) > 0 {
            self.release();
        }
    }

    /// Not waited for: if the call fails, the peer counts as quiet only after the end of the hold.
    fn release(&self) {
        let dropped = Timestamp::from_micros(self.dropped.load(SeqCst));
        let mut call = self.redis.call_at(dropped, Script::Release, Bucket::of(&self.name), self.name.as_str());
        call.arg(self.peer.as_bytes()).arg(self.poll.load(SeqCst));
        let redis = self.redis.clone();
        self.redis.thread.spawn(async move { drop(redis.execute(call, None).await) });
    }

    fn remove(&self) -> bool {
        self.redis.waiters.remove(self.peer, self.ticket)
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        let Self(registered) = self;
        // Read here: a driven clock is only right on the thread that drives it.
        registered.dropped.store(registered.redis.clock.now().micros().max(1), SeqCst);
        if registered.remove() && registered.poll.load(SeqCst) > 0 {
            registered.release();
        }
    }
}

impl Redis {
    pub async fn receive(
        self: &Arc<Self>,
        name: &RoomName,
        peer: PeerId,
        request: PollRequest,
        hold: Duration,
    ) -> Result<Batch, Refusal> {
        let until = self.clock.now() + hold;
        let (mut poll, mut throttled) = (None, false);
        loop {
            match self.read_or_park(name, peer, request, until, poll, throttled).await? {
                ReadOutcome::Ready(batch) => return Ok(batch),
                ReadOutcome::Parked(mut parked) => {
                    poll = Some(parked.poll);
                    let next = if parked.unread { until.min(self.clock.now() + RETRY) } else { until };
                    throttled = wait(&self.clock, &mut parked.woken, next).await? == Wake::Reconnected || parked.unread;
                    // The next read replaces the entry in Redis.
                    parked.registration.0.remove();
                }
            }
        }
    }

    /// Reads a mailbox and, if it is empty and the hold is not over, parks the poll in the same script. The poll is registered
    /// before, so that no wake-up is missed. `throttled` says that many polls read again at once.
    async fn read_or_park(
        self: &Arc<Self>,
        name: &RoomName,
        peer: PeerId,
        PollRequest { after, page }: PollRequest,
        until: Timestamp,
        poll: Option<u64>,
        throttled: bool,
    ) -> Result<ReadOutcome<ParkedPoll>, Refusal> {
        let hold = self.clock.now().until(until);
        let mut call = self.call(Script::Read, name);
        call.arg(peer.as_bytes()).arg(micros(self.limits.lease)).arg(micros(hold));
        call.some(poll).page(page).some(after.map(|after| after.get()));
        let this = self.clone();
        if hold.is_zero() {
            return self.run(call, move |reply| this.batch(reply)).await.map(ReadOutcome::Ready);
        }
        self.refuse_when_draining()?;
        let (ticket, woken) = self.waiters.register(peer);
        let (redis, name) = (self.clone(), name.clone());
        let (number, dropped) = (AtomicU64::new(0), AtomicU64::new(0));
        let registration = Registration(Arc::new(Registered { redis, name, peer, ticket, poll: number, dropped }));
        let registered = registration.0.clone();
        let reading = self.run_as(Some(ticket), throttled, call, move |reply| {
            let batch = this.batch(reply)?;
            let parked = batch.poll.filter(|_| batch.messages.is_empty());
            parked.inspect(|poll| registered.set_parked(*poll));
            Ok((batch, parked))
        });
        let (poll, unread) = match (reading.await, poll) {
            (Ok((batch, None)), _) => return Ok(ReadOutcome::Ready(batch)),
            (Ok((_, Some(poll))), _) => (poll, false),
            // A poll that was parked before stays parked.
            (Err(Refusal::EngineUnavailable { .. }), Some(poll)) => (poll, true),
            (Err(refusal), _) => return Err(refusal),
        };
        registration.0.set_parked(poll);
        // A drain that began after the check above may have missed this poll.
        self.refuse_when_draining()?;
        Ok(ReadOutcome::Parked(ParkedPoll { poll, unread, woken, registration }))
    }

    fn batch(&self, reply: &mut Reply) -> Result<Batch, Malformed> {
        let rest = &mut reply.rest;
        let (cursor, fresh, poll) = (rest.seq()?, rest.next()?, rest.next::<u64>()?);
        let batch = Batch { messages: rest.messages(cursor)?, cursor, fresh, poll: (poll > 0).then_some(poll) };
        self.counters.delivered(&batch, reply.now);
        Ok(batch)
    }
}

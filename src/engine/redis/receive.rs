//! Reading mailboxes, and waiting for what comes into them.

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
        Asked,
        redis::{
            Redis,
            decode::{Odd, Reply},
            keys::Bucket,
            micros,
            scripts::Script,
        },
        wait,
        waiters::Wake,
    },
};

/// Until a poll that could not look again tries to, if nothing wakes it before.
const RETRY: Duration = Duration::from_secs(1);

/// What a look into a mailbox found.
#[derive(Debug)]
enum Look {
    Ready(Batch),
    /// Nothing yet: the poll has its place, here and in Redis.
    Parked(Parked),
}

/// A poll that waits. Dropping it gives its place back.
#[derive(Debug)]
struct Parked {
    poll: u64,
    /// It could not look again, and may be missing something.
    unread: bool,
    receiver: oneshot::Receiver<Wake>,
    place: Place,
}

impl Parked {
    async fn woken(&mut self) -> Wake {
        (&mut self.receiver).await.unwrap_or(Wake::News)
    }

    /// The look that comes says in Redis what is to be said of its place.
    fn look_again(self) {
        let occupant = &self.place.0;
        occupant.redis.places.give_back(occupant.peer, occupant.ticket);
    }
}

/// A place among those that wait here.
#[derive(Debug)]
struct Place(Arc<Occupant>);

#[derive(Debug)]
struct Occupant {
    redis: Arc<Redis>,
    name: RoomName,
    peer: PeerId,
    ticket: u64,
    /// Its number, once Redis has said so; 0 before, and when it does not wait.
    poll: AtomicU64,
    /// When its client went, in microseconds; 0 while it is there.
    gone: AtomicU64,
}

impl Occupant {
    /// Redis says that it waits, and perhaps it does no more.
    fn is_waiting(&self, poll: u64) {
        self.poll.store(poll, SeqCst);
        if self.gone.load(SeqCst) > 0 {
            self.release();
        }
    }

    /// Nobody waits for that: if it does not arrive, the peer counts as heard of until the end of its hold.
    fn release(&self) {
        let gone = Timestamp::from_micros(self.gone.load(SeqCst));
        let mut call = self.redis.call_at(gone, Script::Release, Bucket::of(&self.name), self.name.as_str());
        call.arg(self.peer.as_bytes()).arg(self.poll.load(SeqCst));
        let redis = self.redis.clone();
        self.redis.spawn(async move { drop(redis.ask_and_tell(call, None).await) });
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let occupant = &self.0;
        // A clock that is driven shows its time in the thread that drives it only, so it is read here.
        occupant.gone.store(occupant.redis.clock.now().micros().max(1), SeqCst);
        if occupant.redis.places.give_back(occupant.peer, occupant.ticket) && occupant.poll.load(SeqCst) > 0 {
            occupant.release();
        }
    }
}

impl Redis {
    pub async fn receive(
        self: &Arc<Self>,
        name: &RoomName,
        peer: PeerId,
        asked: Asked,
        hold: Duration,
    ) -> Result<Batch, Refusal> {
        let until = self.clock.now() + hold;
        let (mut poll, mut in_turn) = (None, false);
        loop {
            let mut parked = match self.look(name, peer, asked, until, poll, in_turn).await? {
                Look::Ready(batch) => return Ok(batch),
                Look::Parked(parked) => parked,
            };
            poll = Some(parked.poll);
            let next = if parked.unread { until.min(self.clock.now() + RETRY) } else { until };
            in_turn = match wait(&self.clock, parked.woken(), next).await {
                Wake::News => parked.unread,
                Wake::Lost => true,
                Wake::Draining => return Err(Refusal::Draining),
            };
            parked.look_again();
        }
    }

    /// Reads a mailbox and, if there is nothing and time is left, says in the same step that a poll waits here. Its place
    /// is taken before: a hint cannot come too early.
    async fn look(
        self: &Arc<Self>,
        name: &RoomName,
        peer: PeerId,
        Asked { after, page }: Asked,
        until: Timestamp,
        poll: Option<u64>,
        in_turn: bool,
    ) -> Result<Look, Refusal> {
        let hold = self.clock.now().until(until);
        let mut call = self.call(Script::Read, name);
        call.arg(peer.as_bytes()).arg(micros(self.limits.lease)).arg(micros(hold));
        call.some(poll).page(page).some(after.map(|after| after.get()));
        let this = self.clone();
        if hold.is_zero() {
            return self.run(call, move |reply| this.read(reply)).await.map(Look::Ready);
        }
        if self.is_draining() {
            return Err(Refusal::Draining);
        }
        let (ticket, receiver) = self.places.take(peer);
        let (noted, gone) = (AtomicU64::new(0), AtomicU64::new(0));
        let place =
            Place(Arc::new(Occupant { redis: self.clone(), name: name.clone(), peer, ticket, poll: noted, gone }));
        let occupant = place.0.clone();
        let reading = self.run_for(Some(ticket), in_turn, call, move |reply| {
            let batch = this.read(reply)?;
            let waiting = batch.poll.filter(|_| batch.messages.is_empty());
            waiting.inspect(|poll| occupant.is_waiting(*poll));
            Ok((batch, waiting))
        });
        let (poll, unread) = match (reading.await, poll) {
            (Ok((batch, None)), _) => return Ok(Look::Ready(batch)),
            (Ok((_, Some(poll))), _) => (poll, false),
            // Whoever has begun to wait goes on.
            (Err(Refusal::EngineUnavailable { .. }), Some(poll)) => (poll, true),
            (Err(refusal), _) => return Err(refusal),
        };
        place.0.is_waiting(poll);
        // A drain that came after the check above has found this place, or is seen here.
        if self.is_draining() {
            return Err(Refusal::Draining);
        }
        Ok(Look::Parked(Parked { poll, unread, receiver, place }))
    }

    fn read(&self, reply: &mut Reply) -> Result<Batch, Odd> {
        let rest = &mut reply.rest;
        let (cursor, fresh, poll) = (rest.seq()?, rest.count()?, rest.number()?);
        let batch = Batch { messages: rest.messages(cursor)?, cursor, fresh, poll: (poll > 0).then_some(poll) };
        self.flow.delivered(&batch, reply.now);
        Ok(batch)
    }
}

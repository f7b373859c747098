//! Ends leases that are over, and counts rooms and peers.

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use tokio::sync::oneshot;

use crate::{
    domain::{Refusal, Timestamp},
    engine::{
        Stats,
        redis::{
            Redis,
            decode::{Malformed, Reply},
            keys::{BUCKETS, Bucket},
            malformed,
            scripts::Script,
        },
    },
};

/// The least time between two sweeps.
const PAUSE: Duration = Duration::from_millis(20);
/// When a bucket whose sweep failed is swept again.
const RETRY: Duration = Duration::from_millis(500);
/// Rooms in one script, which blocks the server while it runs.
const MAX_ROOMS: usize = 64;

/// The state of a bucket after its sweep.
#[derive(Clone, Copy, Debug, Default)]
struct Found {
    /// How long until its next lease may end.
    next: Option<Duration>,
    rooms: usize,
    peers: usize,
}

impl Redis {
    /// Every node sweeps every bucket, and the first to come ends what is over. A bucket is swept when its first lease may end,
    /// and at least once in a grace period: a lease that begins meanwhile cannot end sooner.
    pub async fn sweep(self: &Arc<Self>) {
        let longest = self.limits.lease.min(self.limits.leave_grace).max(PAUSE);
        let mut next = [self.clock.now(); BUCKETS];
        loop {
            let now = self.clock.now();
            let due: Vec<Bucket> = Bucket::all().filter(|bucket| next[bucket.index()] <= now).collect();
            for (bucket, found) in due.iter().zip(self.sweep_buckets(&due, MAX_ROOMS).await) {
                next[bucket.index()] = match found {
                    Ok(found) => now + found.next.map_or(longest, |next| next.min(longest)),
                    Err(_) => now + RETRY,
                };
            }
            let soonest = next.iter().min().copied().unwrap_or(now);
            self.clock.sleep_until(soonest.max(self.clock.now() + PAUSE)).await;
        }
    }

    /// Ends all leases that are over now.
    pub async fn sweep_once(self: &Arc<Self>) -> Result<(), Refusal> {
        let mut due: Vec<Bucket> = Bucket::all().collect();
        while !due.is_empty() {
            let found = self.sweep_buckets(&due, MAX_ROOMS).await.into_iter().collect::<Result<Vec<_>, _>>()?;
            let over = |(_, found): &(&Bucket, &Found)| found.next.is_some_and(|next| next.is_zero());
            due = due.iter().zip(&found).filter(over).map(|(bucket, _)| *bucket).collect();
        }
        Ok(())
    }

    /// Rooms and peers are those of all nodes, the rest is this node's own.
    pub async fn stats(self: &Arc<Self>) -> Stats {
        let all: Vec<Bucket> = Bucket::all().collect();
        let found = self.sweep_buckets(&all, 0).await;
        let found = found.iter().flatten();
        let (rooms, peers) = found.fold((0, 0), |(rooms, peers), found| (rooms + found.rooms, peers + found.peers));
        Stats { rooms, peers, parked: self.waiters.len(), rooms_bytes: 0, counters: self.counters.snapshot() }
    }

    async fn sweep_buckets(self: &Arc<Self>, buckets: &[Bucket], at_most: usize) -> Vec<Result<Found, Refusal>> {
        let calls: Vec<_> = buckets
            .iter()
            .map(|bucket| {
                let mut call = self.call_bucket(Script::Sweep, *bucket, "");
                call.arg(at_most);
                call
            })
            .collect();
        let (sender, answer) = oneshot::channel();
        let this = self.clone();
        self.thread.spawn(async move {
            let all = calls.into_iter().map(async |call| {
                let (bucket, changes) = (call.bucket, this.room_count.changes(call.bucket));
                let mut reply = this.execute(call, None).await?;
                let found = found(&mut reply).map_err(malformed)?;
                if at_most > 0 {
                    this.room_count.set(bucket, found.rooms, reply.rest.holders().map_err(malformed)?, changes);
                }
                Ok(found)
            });
            let _ = sender.send(join_all(all).await);
        });
        self.clock.standing_still(answer).await.unwrap_or_default()
    }
}

fn found(reply: &mut Reply) -> Result<Found, Malformed> {
    let next: String = reply.rest.next()?;
    let next = next.parse().ok().map(Timestamp::from_micros);
    Ok(Found { next: next.map(|next| reply.now.until(next)), rooms: reply.rest.next()?, peers: reply.rest.next()? })
}

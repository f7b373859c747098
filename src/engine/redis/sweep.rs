//! Ending leases as they run out, and counting what is there.

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use tokio::sync::oneshot;

use crate::{
    domain::{Refusal, Timestamp},
    engine::{
        Stats,
        redis::{
            Redis,
            decode::{Odd, Reply},
            keys::{BUCKETS, Bucket},
            scripts::Script,
        },
    },
};

/// Between two sweeps, at least.
const PAUSE: Duration = Duration::from_millis(20);
/// Until a bucket is asked again that could not be.
const RETRY: Duration = Duration::from_millis(500);
/// Rooms that one script ends at most: it stops all others meanwhile.
const AT_ONCE: usize = 64;

/// What a sweep finds in a bucket.
#[derive(Clone, Copy, Debug, Default)]
struct Found {
    /// When its next lease may end, from now.
    next: Option<Duration>,
    rooms: usize,
    peers: usize,
}

impl Redis {
    /// Every node sweeps every bucket: whichever comes first ends what is over, and tells of it. A bucket is asked when its
    /// first lease may end, or after a grace period: no lease that begins meanwhile can end sooner than that.
    pub async fn sweep(self: &Arc<Self>) {
        let longest = self.limits.lease.min(self.limits.leave_grace).max(PAUSE);
        let mut next = [self.clock.now(); BUCKETS];
        loop {
            let now = self.clock.now();
            let due: Vec<Bucket> = Bucket::all().filter(|bucket| next[bucket.index()] <= now).collect();
            for (bucket, found) in due.iter().zip(self.sweep_buckets(&due, AT_ONCE).await) {
                next[bucket.index()] = match found {
                    Ok(found) => now + found.next.map_or(longest, |next| next.min(longest)),
                    Err(_) => now + RETRY,
                };
            }
            let soonest = next.iter().min().copied().unwrap_or(now);
            self.clock.sleep_until(soonest.max(self.clock.now() + PAUSE)).await;
        }
    }

    /// Ends everything that is over.
    pub async fn sweep_once(self: &Arc<Self>) -> Result<(), Refusal> {
        let mut due: Vec<Bucket> = Bucket::all().collect();
        while !due.is_empty() {
            let found = self.sweep_buckets(&due, AT_ONCE).await.into_iter().collect::<Result<Vec<_>, _>>()?;
            let over = |(_, found): &(&Bucket, &Found)| found.next.is_some_and(|next| next.is_zero());
            due = due.iter().zip(&found).filter(over).map(|(bucket, _)| *bucket).collect();
        }
        Ok(())
    }

    /// Rooms and peers are counted in Redis, which is asked; the rest is this node's own.
    pub async fn stats(self: &Arc<Self>) -> Stats {
        let all: Vec<Bucket> = Bucket::all().collect();
        let found = self.sweep_buckets(&all, 0).await;
        let found = found.iter().flatten();
        let (rooms, peers) = found.fold((0, 0), |(rooms, peers), found| (rooms + found.rooms, peers + found.peers));
        Stats { rooms, peers, parked: self.places.len(), rooms_bytes: 0, flow: self.flow.counts() }
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
        self.spawn(async move {
            let all = calls.into_iter().map(async |call| {
                let (bucket, changes) = (call.bucket, this.census.changes(call.bucket));
                let mut reply = this.ask_and_tell(call, None).await?;
                let found = found(&mut reply).map_err(crate::engine::redis::odd)?;
                this.census.found(bucket, found.rooms, changes);
                Ok(found)
            });
            let _ = sender.send(join_all(all).await);
        });
        self.clock.standing_still(answer).await.unwrap_or_default()
    }
}

fn found(reply: &mut Reply) -> Result<Found, Odd> {
    let next = reply.rest.bytes()?;
    let next = std::str::from_utf8(&next).ok().and_then(|next| next.parse().ok()).map(Timestamp::from_micros);
    Ok(Found { next: next.map(|next| reply.now.until(next)), rooms: reply.rest.count()?, peers: reply.rest.count()? })
}

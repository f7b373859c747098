//! Who ends what is over, when nobody asks for it.

use std::time::Duration;

use crate::engine::{memory::Memory, waiters::Wake};

/// Between two sweeps, at least: leases are seconds long, and a sweep may end many of them at once.
const SWEEP_PAUSE: Duration = Duration::from_millis(5);

impl Memory {
    /// Sleeps to the first deadline, or for one grace period: no lease that begins meanwhile can end sooner than that.
    pub async fn sweep(&self) {
        let longest = self.limits.lease.min(self.limits.leave_grace).max(SWEEP_PAUSE);
        loop {
            let mut next = self.clock.now() + longest;
            for shard in &self.shards {
                let mut shard = shard.lock();
                let woken = self.expire(&mut shard, self.clock.now());
                next = next.min(shard.rooms.next_deadline().unwrap_or(next));
                self.release(shard);
                woken.wake(Wake::News);
            }
            self.clock.sleep_until(next.max(self.clock.now() + SWEEP_PAUSE)).await;
        }
    }
}

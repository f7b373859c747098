//! Ends leases in rooms that have no requests.

use std::time::Duration;

use crate::engine::memory::Memory;

/// The least time between two sweeps: leases last seconds, and one sweep ends all that are over.
const SWEEP_PAUSE: Duration = Duration::from_millis(5);

impl Memory {
    /// Sleeps until the first deadline, but not longer than the grace period: a lease that begins meanwhile cannot end sooner.
    pub async fn sweep(&self) {
        let longest = self.limits.lease.min(self.limits.leave_grace).max(SWEEP_PAUSE);
        loop {
            let mut next = self.clock.now() + longest;
            for shard in &self.shards {
                let mut shard = shard.lock();
                self.expire(&mut shard.rooms, self.clock.now());
                next = next.min(shard.rooms.next_deadline().unwrap_or(next));
                self.finish(shard);
            }
            self.clock.sleep_until(next.max(self.clock.now() + SWEEP_PAUSE)).await;
        }
    }
}

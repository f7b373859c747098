//! How often one may ask: by address for joining, by peer for sending and polling.

use std::{hash::Hash, num::NonZeroU32, time::Duration};

use governor::{
    Quota, RateLimiter, clock::Clock as GovernorClock, middleware::NoOpMiddleware, state::keyed::DashMapStateStore,
};

use crate::{
    api::{
        auth::lockout::Lockout,
        problem::{Code, Problem},
    },
    clock::Clock,
    domain::PeerId,
    transport::client_address::AddressKey,
};

/// Requests per second; 0 is no limit.
#[derive(Clone, Copy, Debug)]
pub struct RateLimits {
    pub join: u32,
    pub send: u32,
    pub poll: u32,
}

/// Who has asked how often of late.
#[derive(Debug)]
pub struct RateLimiters {
    clock: Clock,
    join: Option<Limiter<AddressKey>>,
    send: Option<Limiter<PeerId>>,
    poll: Option<Limiter<PeerId>>,
    failures: Lockout,
}

type Limiter<K> = RateLimiter<K, DashMapStateStore<K>, Clock, NoOpMiddleware<Duration>>;

/// An office that comes back after a power cut joins at once: so many seconds' worth may come in one go.
const BURST_SECONDS: u32 = 10;

impl RateLimiters {
    pub fn new(limits: RateLimits, clock: Clock) -> Self {
        Self {
            clock,
            join: limiter(limits.join, clock),
            send: limiter(limits.send, clock),
            poll: limiter(limits.poll, clock),
            failures: Lockout::default(),
        }
    }

    pub fn check_join(&self, address: AddressKey) -> Result<(), Problem> {
        check(self.join.as_ref(), &address)
    }

    pub fn check_send(&self, peer: PeerId) -> Result<(), Problem> {
        check(self.send.as_ref(), &peer)
    }

    pub fn check_poll(&self, peer: PeerId) -> Result<(), Problem> {
        check(self.poll.as_ref(), &peer)
    }

    /// Whether this address may try a secret, after those that were wrong.
    pub fn check_lockout(&self, address: AddressKey) -> Result<(), Problem> {
        match self.failures.wait(address, self.clock.now()) {
            None => Ok(()),
            Some(wait) => Err(Problem::new(Code::TooManyFailures, "Too many attempts from this address have failed.")
                .retry_after(wait)),
        }
    }

    /// An attempt failed. Only what can be guessed is counted: secrets and tickets, not tokens, which are 256 bits long
    /// and after a restart with another key are wrong in everybody's hands.
    pub fn record_failure(&self, address: AddressKey) {
        self.failures.record(address, self.clock.now());
    }

    /// Forgets those who have not asked for a while.
    pub fn remove_idle(&self) {
        if let Some(join) = &self.join {
            join.retain_recent();
        }
        for limiter in [&self.send, &self.poll].into_iter().flatten() {
            limiter.retain_recent();
        }
    }
}

fn limiter<K: Clone + Eq + Hash>(per_second: u32, clock: Clock) -> Option<Limiter<K>> {
    let rate = NonZeroU32::new(per_second)?;
    let burst = rate.saturating_mul(NonZeroU32::new(BURST_SECONDS)?);
    Some(RateLimiter::dashmap_with_clock(Quota::per_second(rate).allow_burst(burst), clock))
}

fn check<K: Clone + Eq + Hash>(limiter: Option<&Limiter<K>>, key: &K) -> Result<(), Problem> {
    let Some(limiter) = limiter else { return Ok(()) };
    limiter.check_key(key).map_err(|too_soon| {
        let wait = too_soon.wait_time_from(GovernorClock::now(limiter.clock()));
        Problem::new(Code::RateLimited, "Requests come faster than is allowed here.").retry_after(wait)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn ten_seconds_worth_may_come_at_once_and_then_one_by_one() {
        let rates = RateLimiters::new(RateLimits { join: 0, send: 2, poll: 0 }, Clock::start());
        let (one, other) = (PeerId::from_bytes([1; 16]), PeerId::from_bytes([2; 16]));
        for _ in 0..20 {
            assert!(rates.check_send(one).is_ok());
            assert!(rates.check_poll(one).is_ok());
        }
        assert_eq!(rates.check_send(one).unwrap_err().code, Code::RateLimited);
        assert!(rates.check_send(other).is_ok());
        tokio::time::advance(Duration::from_millis(500)).await;
        assert!(rates.check_send(one).is_ok());
        assert!(rates.check_send(one).is_err());
        tokio::time::advance(Duration::from_secs(20)).await;
        rates.remove_idle();
        assert!(rates.send.as_ref().is_some_and(|limiter| limiter.is_empty()));
    }
}

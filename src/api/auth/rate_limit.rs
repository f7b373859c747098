//! Rate limits: by address for joining and for requests without a token, by peer for sending and polling.

use std::{hash::Hash, num::NonZeroU32, time::Duration};

use governor::{
    Quota, RateLimiter, clock::Clock as GovernorClock, middleware::NoOpMiddleware, state::keyed::DashMapStateStore,
};

use crate::{
    api::{
        Code, Problem,
        auth::{
            failures::{Failures, Guess},
            misses::Misses,
        },
    },
    clock::Clock,
    domain::{CreatorId, PeerId, RoomName, Secret},
    transport::client_address::AddressKey,
};

/// Requests per second; 0 means unlimited.
#[derive(Clone, Copy, Debug)]
pub struct RateLimits {
    pub join: u32,
    pub send: u32,
    pub poll: u32,
}

#[derive(Debug)]
pub struct RateLimiters {
    clock: Clock,
    pub join: Limiter<AddressKey>,
    /// Requests that need no token, or have none that is valid.
    pub anonymous: Limiter<AddressKey>,
    pub pages: Limiter<AddressKey>,
    pub send: Limiter<PeerId>,
    pub poll: Limiter<PeerId>,
    pub manage: Limiter<CreatorId>,
    failures: Failures,
    /// None where joins are unlimited, too.
    misses: Option<Misses>,
}

/// A limit for each key, or none.
#[derive(Debug)]
pub struct Limiter<K: Clone + Eq + Hash>(Option<RateLimiter<K, DashMapStateStore<K>, Clock, NoOpMiddleware<Duration>>>);

/// A burst may use this many seconds' worth, because an office joins all at once after a power cut.
const BURST_SECONDS: NonZeroU32 = NonZeroU32::new(10).unwrap();

/// Requests without a token for each join: a page may look at a room before it joins, and asks again while it waits.
const ANONYMOUS_PER_JOIN: u32 = 4;
/// Files for each join: loading the page takes about half as many again, mostly once. A test counts them.
pub const PAGES_PER_JOIN: u32 = 150;

impl RateLimiters {
    pub fn new(limits: RateLimits, clock: Clock) -> Self {
        let (join, send, poll) =
            (Limiter::new(limits.join, clock), Limiter::new(limits.send, clock), Limiter::new(limits.poll, clock));
        let times = |factor| Limiter::new(limits.join.saturating_mul(factor), clock);
        let (anonymous, pages) = (times(ANONYMOUS_PER_JOIN), times(PAGES_PER_JOIN));
        let manage = Limiter::new(limits.send, clock);
        let misses = (limits.join > 0).then(Misses::default);
        Self { clock, join, anonymous, pages, send, poll, manage, failures: Failures::default(), misses }
    }

    /// Records a failed attempt with a secret. Tokens and tickets do not count: their MACs and signatures cannot be guessed, and a
    /// restart with another key invalidates all of them.
    pub fn record_failure(&self, address: AddressKey) {
        self.failures.record(address, self.clock.now());
    }

    /// Counts an attempt on a room's secret before its outcome is known.
    pub fn begin_guess(&self, room: &RoomName, address: AddressKey, secret: Secret) -> Result<Guess, Problem> {
        self.failures.begin(room, address, secret, self.clock.now())
    }

    /// The attempt was not a wrong secret.
    pub fn forgive_guess(&self, guess: Guess, is_accepted: bool) {
        self.failures.forgive(guess, is_accepted, self.clock.now());
    }

    /// Whether this address may look for another room, after names that no room had.
    pub fn check_misses(&self, address: AddressKey) -> Result<(), Problem> {
        let wait = self.misses.as_ref().and_then(|misses| misses.wait(address, self.clock.now()));
        let Some(wait) = wait else { return Ok(()) };
        let detail = "Too many rooms that this address looked for did not exist.";
        Err(Problem::new(Code::TooManyFailures, detail).retry_after(wait))
    }

    /// Records a name that no room had, or a token that was wrong.
    pub fn record_miss(&self, address: AddressKey, name: &str) {
        if let Some(misses) = &self.misses {
            misses.record(address, name, self.clock.now());
        }
    }

    pub fn remove_idle(&self) {
        self.join.remove_idle();
        self.anonymous.remove_idle();
        self.pages.remove_idle();
        self.send.remove_idle();
        self.poll.remove_idle();
        self.manage.remove_idle();
    }
}

impl<K: Clone + Eq + Hash> Limiter<K> {
    fn new(per_second: u32, clock: Clock) -> Self {
        let quota = NonZeroU32::new(per_second)
            .map(|rate| Quota::per_second(rate).allow_burst(rate.saturating_mul(BURST_SECONDS)));
        Self(quota.map(|quota| RateLimiter::dashmap_with_clock(quota, clock)))
    }

    pub fn check(&self, key: K) -> Result<(), Problem> {
        let Some(limiter) = &self.0 else { return Ok(()) };
        limiter.check_key(&key).map_err(|not_until| {
            let wait = not_until.wait_time_from(GovernorClock::now(limiter.clock()));
            Problem::new(Code::RateLimited, "The rate limit for this operation was exceeded.").retry_after(wait)
        })
    }

    /// Frees the memory of keys that are below their limit.
    fn remove_idle(&self) {
        self.0.iter().for_each(|limiter| limiter.retain_recent());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_burst_may_use_ten_seconds_worth() {
        let rates = RateLimiters::new(RateLimits { join: 0, send: 2, poll: 0 }, Clock::start());
        let (one, other) = (PeerId::from_bytes([1; 16]), PeerId::from_bytes([2; 16]));
        for _ in 0..20 {
            assert!(rates.send.check(one).is_ok() && rates.poll.check(one).is_ok());
        }
        assert_eq!(rates.send.check(one).unwrap_err().code, Code::RateLimited);
        assert!(rates.send.check(other).is_ok());
        tokio::time::advance(Duration::from_millis(500)).await;
        assert!(rates.send.check(one).is_ok() && rates.send.check(one).is_err());
        tokio::time::advance(Duration::from_secs(20)).await;
        rates.remove_idle();
        assert!(rates.send.0.is_some_and(|limiter| limiter.is_empty()));
    }
}

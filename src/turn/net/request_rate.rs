//! How many requests of strangers are answered.
//!
//! Source addresses can be forged. So that answers are useless for amplification, rates are limited for each address and in all,
//! and the memory for them has a fixed size.

use std::{
    hash::{BuildHasher, RandomState},
    net::IpAddr,
    num::NonZeroU32,
    time::Duration,
};

use governor::{
    Quota, RateLimiter,
    middleware::NoOpMiddleware,
    state::{InMemoryState, NotKeyed, keyed::DashMapStateStore},
};

use crate::{clock::Clock, transport::client_address::AddressKey};

/// Answers per second to one address, and its burst: ten seconds' worth. A browser that gathers candidates asks some ten times,
/// and an office of many people is one address.
const RATE_PER_ADDRESS: NonZeroU32 = NonZeroU32::new(50).unwrap();
const BURST_PER_ADDRESS: NonZeroU32 = NonZeroU32::new(500).unwrap();
/// Answers per second in all.
const RATE_TOTAL: NonZeroU32 = NonZeroU32::new(20_000).unwrap();

#[derive(Debug)]
pub struct RequestRate {
    /// Keyed by a hash of the address, so that forged addresses cannot fill the memory.
    per_address: RateLimiter<u16, DashMapStateStore<u16>, Clock, NoOpMiddleware<Duration>>,
    total: RateLimiter<NotKeyed, InMemoryState, Clock, NoOpMiddleware<Duration>>,
    hasher: RandomState,
}

impl RequestRate {
    pub fn new(clock: Clock) -> Self {
        let per_address = Quota::per_second(RATE_PER_ADDRESS).allow_burst(BURST_PER_ADDRESS);
        Self {
            per_address: RateLimiter::new(per_address, DashMapStateStore::default(), clock),
            total: RateLimiter::direct_with_clock(Quota::per_second(RATE_TOTAL), clock),
            hasher: RandomState::new(),
        }
    }

    /// The address of a stream cannot be forged, so a flood of forged datagrams does not count against it.
    pub fn allows(&self, ip: IpAddr, is_datagram: bool) -> bool {
        let slot = (self.hasher.hash_one(AddressKey::from(ip)) % (1 << 16)) as u16;
        self.per_address.check_key(&slot).is_ok() && (!is_datagram || self.total.check().is_ok())
    }
}

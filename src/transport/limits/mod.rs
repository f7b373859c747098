//! Bounds on connections: how many there are, how long they stay open, and how much memory they use.
//!
//! [`registry::ConnectionRegistry`] admits connections and closes overdue ones. Each has a [`connection::Connection`],
//! which its stream ([`guarded_stream`]) and its requests update. [`memory_budget`] bounds bodies and responses. [`shares`]
//! bounds what of these one address, and one network, may have. Limits
//! by peer or by content are in the API and the domain.

pub mod connection;
pub mod guarded_stream;
pub mod memory_budget;
pub mod registry;
pub mod shares;

use std::{fmt, sync::Arc};

/// A monotonic clock in milliseconds. The transport reads no clock of its own.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> u64 + Send + Sync>);

impl Clock {
    pub fn new(millis: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        Self(Arc::new(millis))
    }

    pub fn millis(&self) -> u64 {
        (self.0)()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

/// Header fields in a request. actix-http's parser has the same limit for HTTP/1; over HTTP/2 it would accept thousands.
pub const HEADER_FIELDS_MAX: usize = 96;

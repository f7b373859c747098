//! What connections may take: how many there are, how long they stay, and how much memory they use.
//!
//! [`registry::ConnectionRegistry`] admits connections, knows all of them, and ends those that are overdue. Each has a
//! [`connection::Connection`], which its stream ([`guarded_stream`]) and its requests update. Memory in transit is
//! counted in [`memory_budget`]. Limits by peer or by content are not here but in the API and the domain.

pub mod connection;
pub mod guarded_stream;
pub mod memory_budget;
pub mod registry;

use std::{fmt, sync::Arc};

/// Tells milliseconds, from whatever beginning: the transport reads no clock of its own.
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

/// Header fields of a request, over HTTP/1 as over HTTP/2. actix-http's parser has the same limit for HTTP/1; over HTTP/2 it
/// would take thousands, and keep the memory for them.
pub const HEADER_FIELDS_MAX: usize = 96;

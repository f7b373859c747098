//! HTTP: single requests, whose response is whose, and how long to wait before the next.

pub(crate) mod answer;
pub(crate) mod backoff;
pub(crate) mod endpoints;
pub(crate) mod hold;
pub(crate) mod http;
pub(crate) mod retry_after;
pub(crate) mod stale;
#[cfg(feature = "tls")]
pub(crate) mod tls;

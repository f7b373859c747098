//! From sockets to requests, and from answers to sockets.

pub mod client_address;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
pub mod headers;
pub mod http1;
pub mod http2;
pub mod limits;
pub mod listener;
pub mod request;
pub mod response;
pub mod run_next;

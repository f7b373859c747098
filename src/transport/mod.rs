//! Turns sockets into [`Request`]s and writes [`Response`]s.
//!
//! Here is what every HTTP server needs: accepting, TLS, HTTP/1 and HTTP/2, bodies, time-outs, limits on connections and
//! memory. It is written like a crate of its own: it imports no other folder and knows nothing of rooms, tokens or JSON.
//!
//! A connection is accepted ([`listener`]), counted and guarded ([`limits`]), and speaks HTTP/1 ([`http1`]) or HTTP/2
//! ([`http2`]). Both pass requests to a [`Service`]. What begins otherwise may be [another protocol](other_protocol).

pub mod body;
pub mod buffer_pool;
pub mod client_address;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
pub mod headers;
pub mod http1;
pub mod http2;
pub mod known_header;
pub mod limits;
pub mod listener;
pub mod other_protocol;
pub mod payload;
pub mod request;
pub mod response;
pub mod run_next;
pub mod tls;
pub mod worker;

use std::future::Future;

pub use request::Request;
pub use response::Response;
use tracing::Level;

/// Targets whose lines are about what clients send, and up to which level, for the filter of logs. The same crates say at `debug`
/// what happened.
pub const LOGS_ABOUT_CLIENTS: [(&str, Level); 1] = [("actix_http::h1::decoder", Level::ERROR)];

/// Answers requests.
pub trait Service: 'static {
    /// Answers a request. The request is dropped before this returns, so a response that is waited for keeps no head in
    /// memory.
    fn call(&self, request: Request) -> impl Future<Output = Response> + 'static;

    /// Answers a request that the transport refuses. Of some there is no head any more.
    fn refuse(&self, overload: Overload, request: Option<&Request>) -> Response;

    /// Whether a request for this path may switch protocols (RFC 9110 section 7.8).
    fn upgrades(&self, path: &str) -> bool;
}

/// Why the transport refuses a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overload {
    /// Too many connections are open.
    Connections,
    /// This many requests are in flight on the connection already.
    Requests(usize),
    /// The request has more header fields than this.
    HeaderFields(usize),
    /// The request or its response does not fit into memory.
    Memory,
    /// A `GET` keeps sending a body.
    Body,
}

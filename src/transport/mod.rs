//! From sockets to requests, and from responses to sockets.
//!
//! Here lives what is true of any HTTP server: accepting, TLS, HTTP/1 and HTTP/2, bodies, time-outs, limits on
//! connections and memory. Nothing here may know what requests are about: no room, no token, no JSON, and no import
//! from another folder. It is written as if it were a crate of its own.
//!
//! A connection is accepted ([`listener`]), counted and guarded ([`limits`]), and speaks HTTP/1 ([`http1`]) or HTTP/2
//! ([`http2`]). Either way a [`Request`] goes to a [`Service`], and its [`Response`] comes back.

pub mod body;
pub mod client_address;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
pub mod headers;
pub mod http1;
pub mod http2;
pub mod known_header;
pub mod limits;
pub mod listener;
pub mod request;
pub mod response;
pub mod run_next;

use std::future::Future;

pub use request::Request;
pub use response::Response;

/// What answers requests.
pub trait Service: 'static {
    /// Answers a request. What is needed of it is taken out before this returns: while a response is waited for, nothing
    /// of its head is kept.
    fn call(&self, request: Request) -> impl Future<Output = Response> + 'static;

    /// Answers a request for which the transport has no room.
    fn refuse(&self, overload: Overload) -> Response;

    /// Whether this path may go on in another protocol (RFC 9110 section 7.8).
    fn upgrades(&self, path: &str) -> bool;
}

/// Why a request is not even looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overload {
    /// There are as many connections as there may be.
    Connections,
    /// There are this many requests on the connection already.
    Requests(usize),
    /// It has more header fields than this.
    HeaderFields(usize),
    /// It, or its response, does not fit into the memory there is.
    Memory,
    /// It goes on sending a body that a `GET` does not have.
    Body,
}

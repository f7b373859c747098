//! How clients reach the relay: over UDP ([`udp`], on a thread of its own), or over TCP and TLS (`stream`, on the connections of
//! the transport).

pub mod endpoint;
pub mod outbox;
pub mod request_rate;
mod stream;
pub mod thread;
pub mod udp;

//! How clients reach the relay: over UDP ([`udp`], on a thread of its own), or over TCP and TLS (`stream`, on the connections of
//! the transport). In an open relay their peers reach it, too ([`peer_sockets`]).

pub mod endpoint;
pub mod handle;
pub mod outbox;
pub mod peer_sockets;
pub mod request_rate;
mod stream;
pub mod thread;
pub mod udp;

//! The graceful end of a connection.

/// The payload of the PING whose acknowledgement shows that the client knows of the shutdown.
pub const SHUTDOWN_PING: &[u8; 8] = b"shutdown";

/// How far a graceful shutdown is (RFC 9113 section 6.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shutdown {
    No,
    /// The client knows of it, or will soon. Until then it may send requests.
    Announced,
    /// Requests on later streams are refused.
    Final {
        last_stream: u32,
    },
}

//! The workloads.

use clap::ValueEnum;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Workload {
    /// Parked polls: memory, idle processor time, and waking them all
    Parked,
    /// Pairs that answer each other immediately, with one message of 200 bytes in flight
    PingPong,
    /// Two joins, offer, answer (3 KB each), 8 candidates each way one by one, leave
    Call,
    /// The same as our client does it: a description and its candidates in one batch, with all headers
    ClientCall,
    /// Eight peers in a room, a full mesh, batched
    Mesh,
    /// Many joins at once, each on a new connection
    JoinStorm,
    /// Ping-pong over TLS and HTTP/2, one connection for each peer
    Tls,
}

impl Workload {
    pub fn title(self) -> &'static str {
        match self {
            Self::Parked => "Waiting polls",
            Self::PingPong => "Ping-pong",
            Self::Call => "Calls, candidates one by one",
            Self::ClientCall => "Calls as our client signals them",
            Self::Mesh => "Meshes of eight",
            Self::JoinStorm => "Join storm",
            Self::Tls => "Ping-pong through TLS and HTTP/2",
        }
    }

    pub fn explanation(self) -> &'static str {
        match self {
            Self::Parked => {
                "So many peers wait in rooms of two. Memory is what the server's process has more than before they came, \
                 without the kernel's sockets. Then each posts to the other in its room, all at once."
            }
            Self::PingPong => {
                "So many pairs; each peer answers a message of 250 bytes as soon as its poll brings it. Times are from the \
                 start of the `POST` to the answered poll."
            }
            Self::Call => {
                "So many calls at a time: two join, offer and answer of 3 KB, eight candidates each way in a request each, \
                 both leave."
            }
            Self::ClientCall => {
                "The same, but a description and its candidates are one request, and to Signalpost goes every header that \
                 `web/client` sends (idempotency keys among them)."
            }
            Self::Mesh => {
                "So many rooms at a time: eight join one by one, each connects with each, batched, and all leave."
            }
            Self::JoinStorm => "So many peers join, 256 at a time, each on a connection of its own.",
            Self::Tls => "Size is in pairs; each peer has one encrypted connection for its poll and its posts.",
        }
    }

    /// Counts finished calls, so it needs longer runs.
    pub fn is_of_calls(self) -> bool {
        matches!(self, Self::Call | Self::ClientCall | Self::Mesh)
    }

    /// Default sizes for a full run and for a quick one.
    pub fn sizes(self, quick: bool) -> &'static [usize] {
        match (self, quick) {
            (Self::Parked, false) => &[1000, 10_000],
            (Self::Parked, true) => &[1000],
            (Self::PingPong, false) => &[1, 64, 512, 2000],
            (Self::Call | Self::ClientCall, false) => &[64, 512],
            (Self::JoinStorm, false) => &[2000],
            (Self::JoinStorm, true) => &[1000],
            (Self::Mesh, _) => &[8],
            (Self::PingPong | Self::Call | Self::ClientCall | Self::Tls, _) => &[64],
        }
    }
}

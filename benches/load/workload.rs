//! The workloads.

use clap::ValueEnum;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Workload {
    /// Parked polls over TLS and HTTP/2, one connection for each peer: memory, and waking them all
    ParkedHttp2,
    /// The same over TLS and HTTP/1.1, one connection for each peer's poll
    ParkedTls,
    /// Ping-pong over TLS and HTTP/2, one connection for each peer
    Tls,
    /// The same at a pace: all pairs together send 1,000 messages a second
    PacedTls,
    /// Calls as our client signals them, over TLS and HTTP/2, one connection for each peer
    TlsCall,
    /// Parked polls: memory, idle processor time, and waking them all
    Parked,
    /// Pairs that answer each other immediately, with one message of 200 bytes in flight
    PingPong,
    /// Pairs that answer each other when it is their turn: together 1,000 messages a second
    #[value(name = "paced-1000")]
    Paced1000,
    /// The same with 5,000 messages a second
    #[value(name = "paced-5000")]
    Paced5000,
    /// Two joins, offer, answer (3 KB each), 8 candidates each way one by one, leave
    Call,
    /// The same as our client does it: a description and its candidates in one batch, with all headers
    ClientCall,
    /// Eight peers in a room, a full mesh, batched
    Mesh,
    /// Many joins at once, each on a new connection
    JoinStorm,
}

impl Workload {
    pub fn title(self) -> &'static str {
        match self {
            Self::ParkedHttp2 => "Waiting polls through TLS and HTTP/2",
            Self::ParkedTls => "Waiting polls through TLS and HTTP/1.1",
            Self::Tls => "Ping-pong through TLS and HTTP/2",
            Self::PacedTls => "1,000 messages a second through TLS and HTTP/2",
            Self::TlsCall => "Calls through TLS and HTTP/2",
            Self::Parked => "Waiting polls",
            Self::PingPong => "Ping-pong",
            Self::Paced1000 => "1,000 messages a second",
            Self::Paced5000 => "5,000 messages a second",
            Self::Call => "Calls, candidates one by one",
            Self::ClientCall => "Calls as our client signals them",
            Self::Mesh => "Meshes of eight",
            Self::JoinStorm => "Join storm",
        }
    }

    pub fn explanation(self) -> &'static str {
        match self {
            Self::ParkedHttp2 => {
                "Peers wait in rooms of two, each with one encrypted connection for its poll and its posts. Memory is \
                 what the server's process has more than before they came, without the kernel's sockets. Then each posts to the \
                 other in its room, all at once."
            }
            Self::ParkedTls => {
                "Peers wait in rooms of two, each with one encrypted connection for its poll; 16 more carry the posts of \
                 all. Then each posts to the other in its room, all at once."
            }
            Self::Tls => {
                "Pairs of peers, each peer with one encrypted connection for its poll and its posts; each answers a message of \
                 250 bytes as soon as its poll brings it. Times are from the start of the `POST` to the answered poll."
            }
            Self::PacedTls => {
                "The same, but each pair answers when it is its turn, so that all together send 1,000 messages a second."
            }
            Self::TlsCall => {
                "Concurrent calls, as our client signals them: two peers join, offer and answer of 3 KB with eight candidates \
                 each, in one request, both leave. Each peer has one encrypted connection, which it keeps from call to call."
            }
            Self::Parked => {
                "Peers wait in rooms of two. Memory is what the server's process has more than before they came, \
                 without the kernel's sockets. Then each posts to the other in its room, all at once."
            }
            Self::PingPong => {
                "Pairs of peers; each peer answers a message of 250 bytes as soon as its poll brings it. Times are from the \
                 start of the `POST` to the answered poll."
            }
            Self::Paced1000 => {
                "A server with capacity to spare: the pairs send 1,000 messages a second together, evenly spread. Each pair answers \
                 when it is its turn, or as soon as it can after that. The generator never sleeps, so that no server pays for \
                 waking it."
            }
            Self::Paced5000 => "The same with 5,000 messages a second.",
            Self::Call => {
                "Concurrent calls: two peers join, offer and answer of 3 KB, eight candidates each way in a request each, \
                 both leave."
            }
            Self::ClientCall => {
                "The same, but a description and its candidates are one request, and to Signalpost goes every header that \
                 `web/client` sends (idempotency keys among them)."
            }
            Self::Mesh => {
                "Concurrent rooms: eight peers join one by one, each connects with each, batched, and all leave."
            }
            Self::JoinStorm => "Peers join, 256 at a time, each on a connection of its own.",
        }
    }

    /// Through TLS.
    pub fn is_encrypted(self) -> bool {
        self == Self::ParkedTls || self.is_http2()
    }

    /// Through TLS and HTTP/2.
    pub fn is_http2(self) -> bool {
        matches!(self, Self::ParkedHttp2 | Self::Tls | Self::PacedTls | Self::TlsCall)
    }

    /// Messages a second, if they are not as many as possible.
    pub fn rate(self) -> Option<f64> {
        match self {
            Self::Paced1000 | Self::PacedTls => Some(1000.0),
            Self::Paced5000 => Some(5000.0),
            _ => None,
        }
    }

    /// Uses so little processor time that it needs longer runs.
    pub fn is_quiet(self) -> bool {
        self.rate().is_some_and(|rate| rate < 2000.0)
    }

    /// Counts finished calls, so it needs longer runs.
    pub fn is_of_calls(self) -> bool {
        matches!(self, Self::Call | Self::ClientCall | Self::TlsCall | Self::Mesh)
    }

    /// Default sizes for a full run and for a quick one.
    pub fn sizes(self, quick: bool) -> &'static [usize] {
        match (self, quick) {
            (Self::ParkedHttp2 | Self::ParkedTls, false) => &[1000],
            (Self::ParkedHttp2 | Self::ParkedTls, true) => &[200],
            (Self::Parked, false) => &[1000, 10_000],
            (Self::Parked, true) => &[1000],
            (Self::PingPong, false) => &[1, 64, 512, 2000],
            (Self::Paced1000 | Self::Paced5000, false) => &[64, 512, 2000],
            (Self::Call | Self::ClientCall, false) => &[64, 512],
            (Self::JoinStorm, false) => &[2000],
            (Self::JoinStorm, true) => &[1000],
            (Self::Mesh, _) => &[8],
            (Self::Tls | Self::PacedTls | Self::TlsCall, _) => &[64],
            (Self::PingPong | Self::Paced1000 | Self::Paced5000 | Self::Call | Self::ClientCall, true) => &[64],
        }
    }
}

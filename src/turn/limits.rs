//! What the relay gives to one member, one address and all together.

use std::time::Duration;

/// The configured limits. Those that need no adjusting are the constants below.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Allocations in all.
    pub allocations: usize,
    /// Allocations of one member of a room. A browser makes one for each URL, network interface and peer connection.
    pub allocations_per_member: usize,
    /// Bytes per second in all, shared fairly among rooms.
    pub bytes_per_second: u64,
    /// Bytes per second that one allocation sends. A video of 1080p takes about 0.5 MB.
    pub allocation_bytes_per_second: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            allocations: 10_000,
            allocations_per_member: 128,
            bytes_per_second: 125_000_000,
            allocation_bytes_per_second: 4_000_000,
        }
    }
}

/// The lifetime of an allocation (RFC 8656 sections 3.2 and 7.2): the least that is given, and the most.
pub const LIFETIME: Duration = Duration::from_secs(600);
pub const LIFETIME_MAX: Duration = Duration::from_secs(3600);
/// RFC 8656 sections 9 and 12.
pub const PERMISSION_LIFETIME: Duration = Duration::from_secs(300);
pub const CHANNEL_LIFETIME: Duration = Duration::from_secs(600);
/// Permissions of one allocation, and as many channels. A browser asks for one for each candidate of the other side.
pub const PERMISSIONS_MAX: usize = 64;
/// Peers that one CreatePermission request may name.
pub const PEERS_PER_REQUEST: usize = 16;
/// Requests per second of a client that has an allocation. Those of strangers have limits of their own (`request_rate`).
pub const REQUESTS_PER_SECOND: u64 = 100;
/// Bytes in a message or in the data of a channel. Datagrams on the internet have 1,500.
pub const FRAME_MAX: usize = 4096;
/// How long a connection may stay open without an allocation.
pub const PATIENCE: Duration = Duration::from_secs(10);
/// Bytes that wait for a client that reads slowly over TCP or TLS, besides as many that are being written. What does not fit is
/// dropped, as on any path of UDP.
pub const OUTBOX_BYTES: usize = 32 * 1024;
/// What a packet counts for besides its data: headers, and the work for it. Otherwise empty packets would be free.
pub const PACKET_COST: usize = 64;
/// How far rates may be exceeded at once.
pub const BURST: Duration = Duration::from_secs(1);

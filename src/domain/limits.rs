//! Every bound, with its default and its reason. Each has a test at the edge and one past it.

use std::time::Duration;

use crate::domain::Refusal;

#[derive(Clone, Debug)]
pub struct Limits {
    /// Rooms. Stops a client that creates rooms in a loop; a hundred thousand rooms of two take about 300 MB.
    pub rooms: usize,
    /// Seats in a room unless its creator asks for more. Two: most calls are between two people.
    pub room_capacity: usize,
    /// The most seats a creator may ask for. A mesh of peer connections fails long before.
    pub room_capacity_max: usize,
    /// Messages waiting in one mailbox. Stops a sender from filling memory while a reader is silent.
    pub mailbox_messages: usize,
    /// Bytes waiting in one mailbox, for the same reason.
    pub mailbox_bytes: usize,
    /// Bytes of memory for all rooms together, as `Room::cost` estimates them. Stops many peers from filling the server's
    /// memory when none of them could.
    pub rooms_bytes: usize,
    /// Bytes in the body of one request. An SDP with many tracks has about 20 KiB.
    pub body_bytes: usize,
    /// Bytes in the body of a batch.
    pub batch_bytes: usize,
    /// Messages in a batch. Firefox gathers about 25 candidates for a call.
    pub batch_messages: usize,
    /// Bytes of a peer's metadata. Every peer in the room gets a copy in its mailbox.
    pub metadata_bytes: usize,
    /// Nesting of arrays and objects in a body. Stops a sender from overflowing a reader's JSON parser.
    pub json_depth: usize,
    /// Posts with an idempotency key that are remembered for each peer. A client that sends one at a time needs one.
    pub idempotency_keys: usize,
    /// The longest hold a poll may ask for. Below the 60 s after which most proxies time out.
    pub wait_max: Duration,
    /// The hold of a poll that asks for none. Below the 30 s after which the strictest proxies time out.
    pub wait_default: Duration,
    /// How long a peer lives after its last request: two missed polls.
    pub lease: Duration,
    /// How long a peer lives after its page said goodbye: long enough for a reload.
    pub leave_grace: Duration,
    /// How long a room that was created ahead of its first join stays while it is empty.
    pub room_lease: Duration,
}

impl Limits {
    /// The capacity of a new room.
    pub fn seats(&self, wished: Option<usize>) -> Result<usize, Refusal> {
        let max = self.room_capacity_max.min(Self::CAPACITY_CEILING);
        let seats = wished.unwrap_or(self.room_capacity.min(max));
        if (1..=max).contains(&seats) { Ok(seats) } else { Err(Refusal::CapacityInvalid { max }) }
    }

    /// Server events are never refused, so a mailbox has room for them beyond its message limit. A join is refused if this would
    /// not suffice for its event and for the leaves that must follow.
    pub const EVENT_HEADROOM: usize = 128;
    pub const EVENT_HEADROOM_BYTES: usize = 256 * 1024;
    /// Kicked peers, and subjects of tickets, remembered for each room, which let them in no more.
    pub const KICKED_REMEMBERED: usize = 256;
    /// Bytes that one poll returns, unless its first message is larger. The rest waits for the next poll.
    pub const READ_BYTES: usize = 256 * 1024;
    /// The largest capacity for which the event headroom suffices.
    pub const CAPACITY_CEILING: usize = 64;
    /// A room may cost at most this fraction of the memory that is left: so those who take much are refused long before those
    /// who take little (the dynamic threshold of shared-memory switches, Choudhury and Hahne 1998).
    pub const ROOM_DIVISOR: usize = 16;
    /// What one address has caused may be this many times what is left, so alone it gets half of everything.
    pub const ADDRESS_SHARE: usize = 1;
    /// The same for all addresses of a network together: two thirds. More than one address may have, or that one could use up the
    /// share of its neighbors.
    pub const NETWORK_SHARE: usize = 2;
    /// Rooms that an address and a network may have in any case, if the limit on all rooms is small.
    pub const ROOMS_ALWAYS: usize = 2;
    /// This fraction of the memory for rooms is kept for small posts in rooms that exist.
    pub const RESERVE_DIVISOR: usize = 16;
    /// What a small post costs at most: one message of 16 KiB, or some dozen candidates. SDPs of calls have a few KiB.
    pub const SMALL_POST_COST: usize = 20 * 1024;
    /// What things cost in memory, in bytes, besides their names, metadata and payloads. A room: with its name, its entry in the table
    /// and its deadline.
    pub const ROOM_COST: usize = 1024;
    /// A peer: with its entries in the rate limits.
    pub const PEER_COST: usize = 2048;
    /// A message: its entry in the mailbox, which grows by doubling, and the overhead of an allocation.
    pub const MESSAGE_COST: usize = 192;
    /// A remembered post.
    pub const ANSWER_COST: usize = 160;
    /// A position of a remembered post.
    pub const POSITION_COST: usize = 24;
    /// Positions in all remembered posts of a peer together: a batch to everybody in a large room has thousands.
    pub const REMEMBERED_POSITIONS: usize = 4096;
    /// What a server event counts in a mailbox, besides the card of a peer that joined.
    pub const EVENT_BYTES: usize = 128;
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            rooms: 100_000,
            room_capacity: 2,
            room_capacity_max: 64,
            mailbox_messages: 256,
            mailbox_bytes: 1024 * 1024,
            rooms_bytes: 192 * 1024 * 1024,
            body_bytes: 64 * 1024,
            batch_bytes: 256 * 1024,
            batch_messages: 50,
            metadata_bytes: 4 * 1024,
            json_depth: 32,
            idempotency_keys: 64,
            wait_max: Duration::from_secs(55),
            wait_default: Duration::from_secs(25),
            lease: Duration::from_secs(45),
            leave_grace: Duration::from_secs(3),
            room_lease: Duration::from_secs(600),
        }
    }
}

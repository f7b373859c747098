//! Every bound, by name, with its default and the reason for it. Each has a test at the edge and one past it.

use std::time::Duration;

use crate::domain::Refusal;

#[derive(Clone, Debug)]
pub struct Limits {
    /// Rooms at once. Stops a client that creates rooms in a loop; a hundred thousand rooms of two are about 300 MB.
    pub rooms: usize,
    /// Seats in a room when its creator does not say. Two: most calls are between two people.
    pub room_capacity: usize,
    /// The most seats anyone may ask for. A mesh of peer connections is hopeless long before.
    pub room_capacity_max: usize,
    /// Messages waiting in one mailbox. Stops a sender from filling the memory of a reader that has gone quiet.
    pub mailbox_messages: usize,
    /// Bytes waiting in one mailbox, for the same reason.
    pub mailbox_bytes: usize,
    /// What all rooms may cost together, in bytes of memory, as `Room::cost` reckons it. Stops many peers from doing
    /// together what each of them may not: filling the server's memory.
    pub rooms_bytes: usize,
    /// Bytes in the body of one request. An SDP with many tracks has about 20 KiB.
    pub body_bytes: usize,
    /// Bytes in the body of one batch.
    pub batch_bytes: usize,
    /// Messages in one batch. Firefox gathers about 25 candidates for a call.
    pub batch_messages: usize,
    /// Bytes of a peer's metadata: every member of the room gets a copy in its mailbox.
    pub metadata_bytes: usize,
    /// Levels of arrays and objects in a body. Stops a sender from breaking the JSON parser of a reader.
    pub json_depth: usize,
    /// Keyed posts remembered for each peer. A client that sends one at a time needs one.
    pub idempotency_keys: usize,
    /// How long a poll may ask to be held. Below the 60 s at which most proxies give up.
    pub wait_max: Duration,
    /// How long a poll is held that does not say. Below the 30 s at which the strictest proxies give up.
    pub wait_default: Duration,
    /// How long a peer lives after its last sign of life: two missed polls.
    pub lease: Duration,
    /// How long a peer lives after its page said goodbye: long enough for a refresh.
    pub leave_grace: Duration,
    /// How long a room that was made ahead stays while nobody is in it.
    pub room_lease: Duration,
}

impl Limits {
    /// The seats of a room that somebody wishes.
    pub fn seats(&self, wished: Option<usize>) -> Result<usize, Refusal> {
        let max = self.room_capacity_max.min(Self::CAPACITY_CEILING);
        let seats = wished.unwrap_or(self.room_capacity.min(max));
        if (1..=max).contains(&seats) { Ok(seats) } else { Err(Refusal::CapacityInvalid { max }) }
    }

    /// Server events are never refused, so a mailbox has room for some beyond its message limit. Joining is refused
    /// when this would not suffice for the joins and for the leaves that must follow them.
    pub const EVENT_HEADROOM: usize = 128;
    pub const EVENT_HEADROOM_BYTES: usize = 256 * 1024;
    /// Peers that were kicked and may not come back on their old token, remembered for each room.
    pub const KICKED_REMEMBERED: usize = 256;
    /// The most a batch may carry, in bytes, before the rest is left for the next poll; one message always fits.
    pub const READ_BYTES: usize = 256 * 1024;
    /// The largest capacity that the event headroom has been reckoned for.
    pub const CAPACITY_CEILING: usize = 64;
    /// One may have this part of what is left, and no more: so whoever takes much is refused long before those who take
    /// little (the dynamic threshold of shared-memory switches, Choudhury and Hahne 1998).
    pub const SHARE: usize = 16;
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

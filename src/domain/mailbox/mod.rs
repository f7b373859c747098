//! A mailbox: messages for one peer, in order, until it acknowledges them. [`Mailbox`] is the type.

pub(in crate::domain) mod cursor;
pub(in crate::domain) mod idempotency;
pub(in crate::domain) mod message;

use smallvec::SmallVec;

use crate::domain::{Content, Limits, Message, Refusal, Seq, Timestamp, payers::PayerId};

/// Reading removes nothing. A read carries the cursor of its reader, which acknowledges everything up to there, and only that
/// trims. So a batch that is lost in transit can be read again.
#[derive(Clone, Debug)]
pub struct Mailbox {
    acknowledged: Seq,
    newest: Seq,
    /// The newest message that any batch has contained.
    handed_out: Seq,
    /// Mostly none or one, which is stored in the mailbox itself.
    entries: SmallVec<[Entry; 1]>,
    /// What the messages count against the byte limit.
    bytes: usize,
    /// Bytes of memory, as estimated.
    cost: usize,
}

#[derive(Clone, Debug)]
struct Entry {
    message: Message,
    payer: PayerId,
}

/// The messages after a cursor, and the next cursor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    pub messages: Vec<Message>,
    pub cursor: Seq,
    /// How many messages, at the end, no earlier batch contained.
    pub fresh: usize,
    /// The number of the poll; `None` if a newer one has replaced it, so that it must not be parked.
    pub poll: Option<u64>,
}

impl Mailbox {
    /// Above it, memory is returned when three quarters are unused.
    const MIN_CAPACITY: usize = 32;

    pub fn starting_at(cursor: Seq) -> Self {
        Self { acknowledged: cursor, newest: cursor, handed_out: cursor, entries: SmallVec::new(), bytes: 0, cost: 0 }
    }

    pub fn acknowledged(&self) -> Seq {
        self.acknowledged
    }

    pub fn newest(&self) -> Seq {
        self.newest
    }

    pub fn messages(&self) -> impl DoubleEndedIterator<Item = &Message> {
        self.entries.iter().map(|entry| &entry.message)
    }

    /// Who pays for each message, and how much.
    pub fn charges(&self) -> impl Iterator<Item = (PayerId, usize)> {
        self.entries.iter().map(Entry::charge)
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn cost(&self) -> usize {
        self.cost
    }

    pub fn has_room_for(&self, messages: usize, bytes: usize, limits: &Limits) -> bool {
        self.len() + messages <= limits.mailbox_messages && self.bytes + bytes <= limits.mailbox_bytes
    }

    /// Can a peer join whose card has `bytes`? There must be room for its event, for the leaves of all `members`, and for the
    /// closing of the room.
    pub fn has_room_for_join(&self, bytes: usize, members: usize, limits: &Limits) -> bool {
        let events = 1 + members + 1;
        let event_bytes = events * Limits::EVENT_BYTES + bytes;
        self.len() + events <= limits.mailbox_messages + Limits::EVENT_HEADROOM
            && self.bytes + event_bytes <= limits.mailbox_bytes + Limits::EVENT_HEADROOM_BYTES
    }

    pub fn put(&mut self, now: Timestamp, content: Content, payer: PayerId) -> Seq {
        self.newest = self.newest.next();
        let message = Message { seq: self.newest, since: now, content };
        self.bytes += message.content.bytes();
        self.cost += message.content.cost();
        self.entries.push(Entry { message, payer });
        self.newest
    }

    /// Acknowledges everything up to `after` and returns what is newer, up to [`Limits::READ_BYTES`]. Without a cursor it
    /// continues after the last acknowledged message. `freed` is called with the payer and the cost of each message that is
    /// removed.
    pub fn read(&mut self, after: Option<Seq>, freed: impl FnMut(PayerId, usize)) -> Result<Batch, Refusal> {
        let after = after.unwrap_or(self.acknowledged);
        if after > self.newest {
            return Err(Refusal::CursorAhead { cursor: after, newest: self.newest });
        }
        if after < self.acknowledged {
            return Err(Refusal::CursorGone { cursor: after, oldest: self.acknowledged });
        }
        self.trim(after, freed);
        let mut size = 0;
        let mut fits = |message: &&Message| {
            let first = size == 0;
            size += message.content.bytes().max(1);
            first || size <= Limits::READ_BYTES
        };
        let messages: Vec<Message> = self.messages().take_while(|message| fits(message)).cloned().collect();
        let cursor = messages.last().map_or(after, |message| message.seq);
        let fresh = messages.iter().rev().take_while(|message| message.seq > self.handed_out).count();
        self.handed_out = self.handed_out.max(cursor);
        Ok(Batch { messages, cursor, fresh, poll: None })
    }

    /// Reads nothing and acknowledges nothing.
    pub fn empty_batch(&self, after: Option<Seq>) -> Batch {
        Batch { messages: Vec::new(), cursor: after.unwrap_or(self.acknowledged), fresh: 0, poll: None }
    }

    fn trim(&mut self, up_to: Seq, mut freed: impl FnMut(PayerId, usize)) {
        let old = self.messages().take_while(|message| message.seq <= up_to).count();
        for entry in self.entries.drain(..old) {
            let (payer, cost) = entry.charge();
            self.bytes -= entry.message.content.bytes();
            self.cost -= cost;
            freed(payer, cost);
        }
        let (len, capacity) = (self.entries.len(), self.entries.capacity());
        if len <= 1 {
            self.entries.shrink_to_fit();
        } else if capacity > Self::MIN_CAPACITY && len < capacity / 4 {
            self.entries.grow(Self::MIN_CAPACITY.max(len * 2));
        }
        self.acknowledged = up_to;
    }
}

impl Entry {
    fn charge(&self) -> (PayerId, usize) {
        (self.payer, self.message.content.cost())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holding(count: usize) -> Mailbox {
        let mut mailbox = Mailbox::starting_at(Seq::START);
        for _ in 0..count {
            mailbox.put(Timestamp::default(), Content::RoomClosed, PayerId::default());
        }
        mailbox
    }

    fn read(mailbox: &mut Mailbox, after: Option<Seq>) -> Result<Batch, Refusal> {
        mailbox.read(after, |_, _| {})
    }

    fn seqs(batch: &Batch) -> Vec<u64> {
        batch.messages.iter().map(|message| message.seq.get()).collect()
    }

    fn seq(value: u64) -> Option<Seq> {
        Seq::new(value)
    }

    #[test]
    fn reading_twice_gives_the_same_until_it_is_acknowledged() {
        let mut mailbox = holding(3);
        assert_eq!(read(&mut mailbox, seq(0)).unwrap().fresh, 3);
        assert_eq!(seqs(&read(&mut mailbox, seq(0)).unwrap()), [1, 2, 3]);
        assert_eq!(read(&mut mailbox, seq(0)).unwrap().fresh, 0);
        assert_eq!(seqs(&read(&mut mailbox, seq(2)).unwrap()), [3]);
        assert_eq!(mailbox.len(), 1);
        assert_eq!(seqs(&read(&mut mailbox, None).unwrap()), [3]);
    }

    #[test]
    fn a_message_that_arrives_after_a_partial_acknowledgement_is_the_last() {
        let mut mailbox = holding(3);
        for after in 1..10 {
            assert_eq!(seqs(&read(&mut mailbox, seq(after)).unwrap()), [after + 1, after + 2]);
            mailbox.put(Timestamp::default(), Content::RoomClosed, PayerId::default());
            assert_eq!(
                (seqs(&read(&mut mailbox, seq(after)).unwrap()), mailbox.len()),
                (vec![after + 1, after + 2, after + 3], 3)
            );
        }
    }

    #[test]
    fn a_cursor_ahead_or_gone_is_refused_and_acknowledges_nothing() {
        let mut mailbox = holding(3);
        read(&mut mailbox, seq(2)).unwrap();
        assert!(matches!(read(&mut mailbox, seq(4)), Err(Refusal::CursorAhead { .. })));
        assert!(matches!(read(&mut mailbox, seq(1)), Err(Refusal::CursorGone { .. })));
        assert_eq!(mailbox.len(), 1);
    }

    #[test]
    fn a_batch_is_bounded_and_the_next_one_has_the_rest() {
        let mut mailbox = Mailbox::starting_at(Seq::START);
        let half = "x".repeat(Limits::READ_BYTES / 2);
        for _ in 0..3 {
            mailbox.put(
                Timestamp::default(),
                Content::Relayed {
                    from: crate::domain::PeerId::from_bytes([1; 16]),
                    payload: crate::domain::Payload::new(half.as_str()),
                },
                PayerId::default(),
            );
        }
        let first = read(&mut mailbox, seq(0)).unwrap();
        assert_eq!(seqs(&first), [1, 2]);
        assert_eq!(seqs(&read(&mut mailbox, Some(first.cursor)).unwrap()), [3]);
    }

    #[test]
    fn messages_fit_up_to_the_limit_and_not_past_it() {
        let limits = Limits { mailbox_messages: 3, mailbox_bytes: 1000, ..Limits::default() };
        let mailbox = holding(2);
        let left = 1000 - 2 * Limits::EVENT_BYTES;
        assert!(mailbox.has_room_for(1, left, &limits));
        assert!(!mailbox.has_room_for(1, left + 1, &limits));
        assert!(!mailbox.has_room_for(2, 0, &limits));
    }
}

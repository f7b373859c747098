//! A mailbox: messages for one peer, in order, until the peer has acknowledged them. [`Mailbox`] is the type.

pub(in crate::domain) mod cursor;
pub(in crate::domain) mod idempotency;
pub(in crate::domain) mod message;

use std::collections::VecDeque;

use crate::domain::{Content, Limits, Message, Refusal, Seq, Timestamp};

/// Reading removes nothing. A read names the last message its reader has, which acknowledges everything up to there,
/// and only that trims; a batch that is lost on its way is simply read again.
#[derive(Clone, Debug)]
pub struct Mailbox {
    /// Everything up to here was acknowledged, or was before this mailbox.
    acknowledged: Seq,
    newest: Seq,
    /// The newest that was ever handed out.
    handed_out: Seq,
    messages: Queue,
    /// What the messages count against the limit.
    bytes: usize,
    cost: usize,
}

/// What a read gives: the messages after a cursor, and the cursor to read from next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    pub messages: Vec<Message>,
    pub cursor: Seq,
    /// How many of the messages, the last ones, were never handed out before.
    pub fresh: usize,
    /// Which of its peer's polls this is for; `None` for one that is over, and is to be answered as it is.
    pub poll: Option<u64>,
}

/// Messages in their order. Mostly there is none or one, which lies in the mailbox itself; memory for more is there only while
/// there are more.
#[derive(Clone, Debug, Default)]
struct Queue {
    first: Option<Message>,
    rest: VecDeque<Message>,
}

impl Queue {
    /// Places that are kept although three quarters are empty.
    const FEW: usize = 32;

    fn len(&self) -> usize {
        usize::from(self.first.is_some()) + self.rest.len()
    }

    fn iter(&self) -> impl DoubleEndedIterator<Item = &Message> {
        self.first.iter().chain(&self.rest)
    }

    fn push(&mut self, message: Message) {
        if self.first.is_none() {
            self.first = Some(message);
        } else {
            self.rest.push_back(message);
        }
    }

    /// Takes out those up to this one, of which each is told before it goes.
    fn trim(&mut self, up_to: Seq, mut going: impl FnMut(&Message)) {
        let is_old = |message: &Message| message.seq <= up_to;
        let Some(first) = self.first.take_if(|first| is_old(first)) else { return };
        going(&first);
        while let Some(next) = self.rest.front().filter(|next| is_old(next)) {
            going(next);
            self.rest.pop_front();
        }
        self.first = self.rest.pop_front();
        self.give_memory_back();
    }

    fn give_memory_back(&mut self) {
        if self.rest.is_empty() {
            self.rest = VecDeque::new();
        } else if self.rest.capacity() > Self::FEW && self.rest.len() < self.rest.capacity() / 4 {
            self.rest.shrink_to(Self::FEW.max(self.rest.len() * 2));
        }
    }
}

impl Mailbox {
    pub fn starting_at(cursor: Seq) -> Self {
        Self { acknowledged: cursor, newest: cursor, handed_out: cursor, messages: Queue::default(), bytes: 0, cost: 0 }
    }

    pub fn acknowledged(&self) -> Seq {
        self.acknowledged
    }

    pub fn newest(&self) -> Seq {
        self.newest
    }

    pub fn messages(&self) -> impl DoubleEndedIterator<Item = &Message> {
        self.messages.iter()
    }

    pub fn len(&self) -> usize {
        self.messages.len()
    }

    /// What the messages take in memory.
    pub fn cost(&self) -> usize {
        self.cost
    }

    /// Can peers put this much more in?
    pub fn has_room_for(&self, messages: usize, bytes: usize, limits: &Limits) -> bool {
        self.len() + messages <= limits.mailbox_messages && self.bytes + bytes <= limits.mailbox_bytes
    }

    /// Can somebody join whose card has `bytes`? Then every one of `members` may still leave, and the room may close.
    pub fn has_room_for_join(&self, bytes: usize, members: usize, limits: &Limits) -> bool {
        let events = 1 + members + 1;
        let event_bytes = events * Content::EVENT_BYTES + bytes;
        self.len() + events <= limits.mailbox_messages + Limits::EVENT_HEADROOM
            && self.bytes + event_bytes <= limits.mailbox_bytes + Limits::EVENT_HEADROOM_BYTES
    }

    pub fn put(&mut self, now: Timestamp, content: Content) -> Seq {
        self.newest = self.newest.next();
        let message = Message { seq: self.newest, since: now, content };
        self.bytes += message.content.bytes();
        self.cost += message.cost();
        self.messages.push(message);
        self.newest
    }

    /// Acknowledges everything up to `after` and returns what is newer, as much as one answer should carry.
    /// Without a cursor it reads on from what was acknowledged.
    pub fn read(&mut self, after: Option<Seq>) -> Result<Batch, Refusal> {
        let after = after.unwrap_or(self.acknowledged);
        if after > self.newest {
            return Err(Refusal::CursorAhead { cursor: after, newest: self.newest });
        }
        if after < self.acknowledged {
            return Err(Refusal::CursorGone { cursor: after, oldest: self.acknowledged });
        }
        self.trim(after);
        let mut size = 0;
        let mut fits = |message: &&Message| {
            let first = size == 0;
            size += message.content.bytes().max(1);
            first || size <= Limits::READ_BYTES
        };
        let messages: Vec<Message> = self.messages.iter().take_while(|message| fits(message)).cloned().collect();
        let cursor = messages.last().map_or(after, |message| message.seq);
        let fresh = messages.iter().rev().take_while(|message| message.seq > self.handed_out).count();
        self.handed_out = self.handed_out.max(cursor);
        Ok(Batch { messages, cursor, fresh, poll: None })
    }

    /// An answer that reads nothing and acknowledges nothing.
    pub fn nothing(&self, after: Option<Seq>) -> Batch {
        Batch { messages: Vec::new(), cursor: after.unwrap_or(self.acknowledged), fresh: 0, poll: None }
    }

    fn trim(&mut self, up_to: Seq) {
        self.messages.trim(up_to, |going| {
            self.bytes -= going.content.bytes();
            self.cost -= going.cost();
        });
        self.acknowledged = up_to;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holding(count: usize) -> Mailbox {
        let mut mailbox = Mailbox::starting_at(Seq::START);
        for _ in 0..count {
            mailbox.put(Timestamp::default(), Content::RoomClosed);
        }
        mailbox
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
        assert_eq!(mailbox.read(seq(0)).unwrap().fresh, 3);
        assert_eq!(seqs(&mailbox.read(seq(0)).unwrap()), [1, 2, 3]);
        assert_eq!(mailbox.read(seq(0)).unwrap().fresh, 0);
        assert_eq!(seqs(&mailbox.read(seq(2)).unwrap()), [3]);
        assert_eq!(mailbox.len(), 1);
        assert_eq!(seqs(&mailbox.read(None).unwrap()), [3]);
    }

    #[test]
    fn what_comes_when_a_part_was_read_stands_at_the_end() {
        let mut mailbox = holding(3);
        for read in 1..10 {
            assert_eq!(seqs(&mailbox.read(seq(read)).unwrap()), [read + 1, read + 2]);
            mailbox.put(Timestamp::default(), Content::RoomClosed);
            assert_eq!(
                (seqs(&mailbox.read(seq(read)).unwrap()), mailbox.len()),
                (vec![read + 1, read + 2, read + 3], 3)
            );
        }
    }

    #[test]
    fn a_cursor_ahead_or_gone_is_told_so_and_acknowledges_nothing() {
        let mut mailbox = holding(3);
        mailbox.read(seq(2)).unwrap();
        assert!(matches!(mailbox.read(seq(4)), Err(Refusal::CursorAhead { .. })));
        assert!(matches!(mailbox.read(seq(1)), Err(Refusal::CursorGone { .. })));
        assert_eq!(mailbox.len(), 1);
    }

    #[test]
    fn one_answer_carries_a_bounded_part_and_the_next_one_the_rest() {
        let mut mailbox = Mailbox::starting_at(Seq::START);
        let half = "x".repeat(Limits::READ_BYTES / 2);
        for _ in 0..3 {
            mailbox.put(
                Timestamp::default(),
                Content::Relayed {
                    from: crate::domain::PeerId::from_bytes([1; 16]),
                    payload: crate::domain::Payload::new(half.as_str()),
                },
            );
        }
        let first = mailbox.read(seq(0)).unwrap();
        assert_eq!(seqs(&first), [1, 2]);
        assert_eq!(seqs(&mailbox.read(Some(first.cursor)).unwrap()), [3]);
    }

    #[test]
    fn messages_fit_up_to_the_limit_and_not_past_it() {
        let limits = Limits { mailbox_messages: 3, mailbox_bytes: 1000, ..Limits::default() };
        let mailbox = holding(2);
        let left = 1000 - 2 * Content::EVENT_BYTES;
        assert!(mailbox.has_room_for(1, left, &limits));
        assert!(!mailbox.has_room_for(1, left + 1, &limits));
        assert!(!mailbox.has_room_for(2, 0, &limits));
    }
}

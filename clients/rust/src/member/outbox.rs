//! Messages that the server has not accepted yet, and which of them form the next batch.

use std::collections::{HashMap, VecDeque};

use serde_json::{Map, Value};
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::signal::member_of;
use crate::{Ending, Error, Receipt, Sent, Signal};

const BATCH_MESSAGES: usize = 50;
/// A little below the server's 256 KiB.
const BATCH_BYTES: usize = 250 * 1024;
/// Sends beyond this are refused: the server may be away for hours.
const WAITING_MESSAGES: usize = 50_000;
const WAITING_BYTES: usize = 16 * 1024 * 1024;

/// A message as the program gave it.
#[derive(Debug)]
pub(crate) struct Letter {
    /// None: to all.
    pub(crate) to: Option<String>,
    pub(crate) signal: Signal,
    pub(crate) more: Map<String, Value>,
}

impl Letter {
    /// As it is sent in a room that is not sealed. A missing reason is none; a missing candidate is the end of candidates.
    pub(crate) fn members(&self) -> Result<Map<String, Value>, Error> {
        let kind = self.signal.kind();
        let content = self.signal.content().and_then(|text| serde_json::from_str(&text));
        let content: Value =
            content.map_err(|error| Error::invalid(format!("This {kind} cannot be sent: {error}.")))?;
        let mut members = self.more.clone();
        members.insert("type".to_owned(), kind.into());
        if kind != "bye" || !content.is_null() {
            members.insert(member_of(kind).unwrap_or_default().to_owned(), content);
        }
        Ok(members)
    }
}

#[derive(Debug)]
struct Entry {
    letter: Letter,
    /// What is sent.
    json: String,
    done: oneshot::Sender<Result<Sent, Error>>,
    /// Was in a batch that was refused, so it is now sent separately.
    alone: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Outbox {
    queue: VecDeque<Entry>,
    /// The batch that is being sent. Its messages come before all that are queued for the same recipients.
    sending: Vec<Entry>,
    /// What is queued and being sent, as JSON.
    bytes: usize,
    /// Recipients whose mailbox is full, and when to try them again.
    blocked: HashMap<Option<String>, Instant>,
    ended: Option<Ending>,
}

impl Outbox {
    /// Refused if too much waits already, however large this one is: a message that is too large is the server's to refuse.
    pub(crate) fn put(
        &mut self,
        letter: Letter,
        encode: impl FnOnce(&Letter) -> Result<String, Error>,
    ) -> Result<oneshot::Receiver<Result<Sent, Error>>, Error> {
        let (done, waiting) = oneshot::channel();
        if let Some(ending) = self.ended {
            answer(done, Err(Error::Ended(ending)));
            return Ok(waiting);
        }
        if self.queue.len() + self.sending.len() >= WAITING_MESSAGES || self.bytes >= WAITING_BYTES {
            return Err(Error::Backlog);
        }
        let json = encode(&letter)?;
        self.bytes += json.len();
        self.queue.push_back(Entry { letter, json, done, alone: false });
        Ok(waiting)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty() && self.sending.is_empty()
    }

    /// This member has a new id, and what is queued was sealed with the one before. What cannot be sealed again is left as it is.
    pub(crate) fn reseal(&mut self, mut encode: impl FnMut(&Letter) -> Result<String, Error>) {
        for entry in self.sending.iter_mut().chain(&mut self.queue) {
            if let Ok(json) = encode(&entry.letter) {
                self.bytes = self.bytes - entry.json.len() + json.len();
                entry.json = json;
            }
        }
    }

    /// Nothing is sent from now on.
    pub(crate) fn end(&mut self, ending: Ending) {
        self.ended = Some(ending);
        for entry in self.sending.drain(..).chain(self.queue.drain(..)) {
            answer(entry.done, Err(Error::Ended(ending)));
        }
        self.bytes = 0;
    }

    /// Makes the longest batch from the front of the queue in which no message overtakes another for the same peer. False: there is
    /// nothing to send now.
    pub(crate) fn begin(&mut self, now: Instant) -> bool {
        self.blocked.retain(|_, until| *until > now);
        let (mut size, mut skipped, mut at) = (0, false, 0);
        while let Some(entry) = self.queue.get(at) {
            let is_blocked = self.blocked.contains_key(&entry.letter.to);
            if entry.letter.to.is_none() && (is_blocked || skipped) {
                break;
            }
            if is_blocked {
                skipped = true;
                at += 1;
                continue;
            }
            let is_full = self.sending.len() == BATCH_MESSAGES || size + entry.json.len() + 1 > BATCH_BYTES;
            if !self.sending.is_empty() && (entry.alone || is_full) {
                break;
            }
            let (length, alone) = (entry.json.len() + 1, entry.alone);
            size += length;
            self.sending.extend(self.queue.remove(at));
            if alone {
                break;
            }
        }
        !self.sending.is_empty()
    }

    /// When a message that waits for a full mailbox may become sendable.
    pub(crate) fn next_try(&self) -> Option<Instant> {
        if self.queue.is_empty() { None } else { self.blocked.values().min().copied() }
    }

    /// The body of the batch: the same bytes in each attempt, unless they were sealed again. Then the server has forgotten the
    /// attempts before.
    pub(crate) fn body(&self) -> Vec<u8> {
        let messages: Vec<_> = self.sending.iter().map(|entry| entry.json.as_str()).collect();
        format!(r#"{{"messages":[{}]}}"#, messages.join(",")).into_bytes()
    }

    /// Receipts are in the order of the batch. A message to all has one for each other member, and because a batch is atomic, each
    /// such message has the same number.
    pub(crate) fn accepted(&mut self, receipts: Vec<Receipt>) {
        let to_all = self.sending.iter().filter(|entry| entry.letter.to.is_none()).count();
        let others = receipts.len().saturating_sub(self.sending.len() - to_all) / to_all.max(1);
        let mut receipts = receipts.into_iter();
        for entry in self.settled() {
            let is_direct = entry.letter.to.is_some();
            let own: Vec<_> = receipts.by_ref().take(if is_direct { 1 } else { others }).collect();
            let seq = own.first().filter(|_| is_direct).map(|receipt| receipt.seq);
            answer(entry.done, Ok(Sent { seq, receipts: own }));
        }
    }

    /// The batch is refused as a whole because of one message: each is sent separately.
    pub(crate) fn split(&mut self) -> bool {
        let is_batch = self.sending.len() > 1;
        if is_batch {
            self.back(true);
        }
        is_batch
    }

    /// The mailbox of its recipient is full.
    pub(crate) fn block(&mut self, until: Instant) {
        if let Some(entry) = self.sending.first() {
            self.blocked.insert(entry.letter.to.clone(), until);
        }
        self.back(true);
    }

    /// It is refused for good.
    pub(crate) fn refused(&mut self, error: &Error) {
        for entry in self.settled() {
            answer(entry.done, Err(error.clone()));
        }
    }

    /// The batch, which waits no more.
    fn settled(&mut self) -> Vec<Entry> {
        let settled = std::mem::take(&mut self.sending);
        self.bytes -= settled.iter().map(|entry| entry.json.len()).sum::<usize>();
        settled
    }

    fn back(&mut self, alone: bool) {
        for mut entry in self.sending.drain(..).rev() {
            entry.alone = alone;
            self.queue.push_front(entry);
        }
    }
}

/// The program may have lost interest.
fn answer(done: oneshot::Sender<Result<Sent, Error>>, said: Result<Sent, Error>) {
    let _ = done.send(said);
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    type Waiting = oneshot::Receiver<Result<Sent, Error>>;

    fn offer(outbox: &mut Outbox, to: &str, text: &str) -> Result<Waiting, Error> {
        let to = (to != "*").then(|| to.to_owned());
        let letter = Letter { to, signal: Signal::Bye(None), more: Map::new() };
        outbox.put(letter, |_| Ok(text.to_owned()))
    }

    fn put(outbox: &mut Outbox, to: &str, text: &str) -> Waiting {
        offer(outbox, to, text).unwrap()
    }

    fn outbox(letters: &[(&str, &str)]) -> Outbox {
        let mut outbox = Outbox::default();
        for (to, text) in letters {
            drop(put(&mut outbox, to, text));
        }
        outbox
    }

    fn begun(outbox: &mut Outbox, now: Instant) -> String {
        outbox.begin(now);
        String::from_utf8(outbox.body()).unwrap().replace(r#"{"messages":["#, "").replace("]}", "")
    }

    #[test]
    fn a_batch_has_at_most_fifty_messages_and_250_kib() {
        let now = Instant::now();
        let mut many = outbox(&[("a", "x"); 51]);
        assert_eq!(begun(&mut many, now).matches('x').count(), 50);
        let big = "x".repeat(100 * 1024);
        let mut large = outbox(&[("a", &big), ("a", &big), ("a", &big)]);
        large.begin(now);
        assert_eq!(large.sending.len(), 2);
        let mut huge = outbox(&[("a", &"x".repeat(300 * 1024))]);
        assert!(huge.begin(now), "the server says that it is too large");
    }

    #[test]
    fn messages_of_a_refused_batch_go_one_by_one_and_keep_their_order() {
        let now = Instant::now();
        let mut outbox = outbox(&[("a", "1"), ("b", "2"), ("a", "3")]);
        assert_eq!(begun(&mut outbox, now), "1,2,3");
        assert!(outbox.split());
        drop(put(&mut outbox, "a", "4"));
        for one in ["1", "2", "3"] {
            assert_eq!(begun(&mut outbox, now), one);
            assert!(!outbox.split());
            outbox.accepted(Vec::new());
        }
        assert_eq!(begun(&mut outbox, now), "4");
    }

    #[test]
    fn a_full_mailbox_holds_up_only_what_must_not_overtake() {
        let now = Instant::now();
        let mut outbox = outbox(&[("a", "1")]);
        assert_eq!(begun(&mut outbox, now), "1");
        outbox.block(now + Duration::from_secs(1));
        for (to, text) in [("a", "2"), ("b", "3"), ("*", "4"), ("b", "5")] {
            drop(put(&mut outbox, to, text));
        }
        assert_eq!(begun(&mut outbox, now), "3");
        outbox.accepted(Vec::new());
        assert_eq!(begun(&mut outbox, now), "");
        assert_eq!(outbox.next_try(), Some(now + Duration::from_secs(1)));
        let later = now + Duration::from_secs(2);
        assert_eq!(begun(&mut outbox, later), "1");
        outbox.accepted(Vec::new());
        assert_eq!(begun(&mut outbox, later), "2,4,5");
    }

    #[test]
    fn receipts_are_told_to_those_who_wait_for_them() {
        let mut outbox = Outbox::default();
        let mut waiting: Vec<_> = ["a", "*", "b", "*"].iter().map(|to| put(&mut outbox, to, "x")).collect();
        outbox.begin(Instant::now());
        let receipt = |seq| Receipt { to: String::new(), seq };
        outbox.accepted((1..=6).map(receipt).collect());
        let mut sent = || waiting.remove(0).try_recv().unwrap().unwrap();
        assert_eq!(sent().seq, Some(1));
        assert_eq!(sent(), Sent { seq: None, receipts: vec![receipt(2), receipt(3)] });
        assert_eq!(sent().seq, Some(4));
        assert_eq!(sent().receipts.len(), 2);
    }

    #[test]
    fn the_end_is_told_to_those_who_wait() {
        let mut outbox = Outbox::default();
        let (mut one, mut two) = (put(&mut outbox, "a", "1"), put(&mut outbox, "a", "2"));
        outbox.begin(Instant::now());
        outbox.end(Ending::Kicked);
        let mut late = put(&mut outbox, "a", "3");
        for waiting in [&mut one, &mut two, &mut late] {
            assert!(matches!(waiting.try_recv(), Ok(Err(Error::Ended(Ending::Kicked)))));
        }
        assert!(outbox.is_empty());
    }

    #[test]
    fn while_too_many_messages_wait_no_more_are_queued() {
        let mut outbox = outbox(&[("a", "x"); WAITING_MESSAGES]);
        assert!(matches!(offer(&mut outbox, "a", "x"), Err(Error::Backlog)));
        outbox.begin(Instant::now());
        assert!(matches!(offer(&mut outbox, "a", "x"), Err(Error::Backlog)), "they are being sent");
        outbox.accepted(Vec::new());
        for _ in 0..BATCH_MESSAGES {
            drop(put(&mut outbox, "a", "x"));
        }
        assert!(matches!(offer(&mut outbox, "a", "x"), Err(Error::Backlog)));
        outbox.end(Ending::Closed);
        assert!(matches!(put(&mut outbox, "a", "x").try_recv(), Ok(Err(Error::Ended(Ending::Closed)))));
    }

    #[test]
    fn while_too_many_bytes_wait_no_more_are_queued() {
        let big = "x".repeat(WAITING_BYTES / 2);
        let mut outbox = outbox(&[("a", &big), ("a", &big)]);
        assert!(matches!(offer(&mut outbox, "b", "x"), Err(Error::Backlog)));
        outbox.reseal(|_| Ok("x".to_owned()));
        drop(put(&mut outbox, "b", &big));
        drop(put(&mut outbox, "b", &big));
        assert!(matches!(offer(&mut outbox, "b", "x"), Err(Error::Backlog)));
        outbox.begin(Instant::now());
        outbox.refused(&Error::Backlog);
        outbox.begin(Instant::now());
        outbox.split();
        assert!(matches!(offer(&mut outbox, "b", "x"), Err(Error::Backlog)));
        outbox.begin(Instant::now());
        outbox.accepted(Vec::new());
        drop(put(&mut outbox, "b", "x"));
    }
}

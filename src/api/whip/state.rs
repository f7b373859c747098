//! What a node must know of a session besides its URL. It is kept in the session's own mailbox, as a message from the encoder's peer
//! to itself: no other peer reads it, it is paid for like any message, it ends with the seat, and any node finds it.

use std::{borrow::Cow, time::Duration};

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    api::{
        params::parse_peer,
        whip::{
            call::{PATIENCE, Seat},
            kind::Kind,
            mark::Mark,
            signals::{self, Heard},
        },
    },
    domain::{
        Accepted, Batch, Content, KeyedRequest, Message, Page, Payload, PeerId, Post, Refusal, Seq, Target, Timestamp,
    },
};

#[derive(Clone, Debug, PartialEq)]
pub struct State {
    pub kind: Kind,
    /// Whose answer the encoder has.
    pub viewer: PeerId,
    /// Of the request that began the session.
    pub page: Page,
    /// The offer in force.
    pub offer: String,
    /// Its name, which is not made again for each goodbye that names one.
    pub mark: Mark,
    /// The name of the ICE session, without quotes.
    pub etag: String,
    /// When the viewer last said something, if that was before this was stored.
    pub heard: Option<Timestamp>,
}

/// The state, and what the mailbox has besides it.
#[derive(Debug)]
pub struct Kept {
    pub state: State,
    /// Where it is in the mailbox.
    seq: Seq,
    messages: Vec<Message>,
}

/// The outcome of storing a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored {
    Done,
    /// The viewer has left, or said goodbye, and that was not read before.
    Abandoned,
    /// Another request has replaced the earlier state first.
    Outdated,
}

#[derive(Deserialize, Serialize)]
struct Written<'a> {
    whip: &'a str,
    viewer: &'a str,
    page: u64,
    etag: &'a str,
    offer: Cow<'a, str>,
    call: Cow<'a, str>,
    heard: Option<u64>,
}

#[derive(Deserialize)]
struct WrittenMessage<'a> {
    #[serde(borrow)]
    data: Written<'a>,
}

/// Of at least 256 messages and, with default limits, a megabyte.
const MESSAGES_LEFT: usize = 16;
const BYTES_LEFT: usize = 128 * 1024;
/// After that long no request waits any more that has taken the state.
const FORGOTTEN: Duration = PATIENCE.saturating_mul(2);

impl State {
    /// Puts the state into the mailbox, and takes out what was read, which is everything up to `read`. With an earlier state only if no
    /// other request has replaced or taken that.
    pub async fn store(&self, seat: &Seat, read: Seq, earlier: Option<&Kept>) -> Result<Stored, Refusal> {
        let (payload, keyed) = (self.written(), earlier.map(Kept::key));
        let mut after = read;
        let accepted = loop {
            match to_itself(seat, payload.clone(), keyed).await {
                Err(Refusal::MailboxFull { .. }) => {}
                outcome => break outcome?,
            }
            match seat.read(Some(after)).await {
                Ok(batch) if self.was_left(&batch.messages) => return Ok(Stored::Abandoned),
                Ok(batch) => after = batch.cursor,
                Err(Refusal::CursorGone { oldest, .. }) => after = oldest,
                Err(refusal) => return Err(refusal),
            }
        };
        if accepted.repeated {
            return Ok(Stored::Outdated);
        }
        let place = accepted.positions.first().map_or(Seq::START, |(_, seq)| *seq);
        loop {
            let batch = match seat.read(Some(after)).await {
                // Somebody else has read further.
                Err(Refusal::CursorGone { .. }) => return Ok(Stored::Done),
                batch => batch?,
            };
            if self.was_left(&batch.messages) {
                return Ok(Stored::Abandoned);
            }
            // The state must be in what one read returns.
            if batch.cursor >= place || batch.messages.is_empty() {
                return Ok(Stored::Done);
            }
            after = batch.cursor;
        }
    }

    fn written(&self) -> Payload {
        let viewer = self.viewer.to_string();
        let written = Written {
            whip: self.kind.word(),
            viewer: &viewer,
            page: self.page.0,
            etag: &self.etag,
            offer: self.offer.as_str().into(),
            call: self.mark.to_text().into(),
            heard: self.heard.map(Timestamp::micros),
        };
        signals::payload("data", &json!({ "data": written }))
    }

    /// Whether the viewer has left, or said goodbye to this session.
    fn was_left(&self, messages: &[Message]) -> bool {
        messages.iter().any(|message| match &message.content {
            Content::PeerLeft { peer, .. } => peer.id == self.viewer,
            Content::Relayed { from, payload } => {
                *from == self.viewer
                    && signals::is_bye(payload.as_str())
                    && signals::heard(payload, &self.mark) != Heard::Other
            }
            Content::PeerJoined(_) | Content::RoomClosed => false,
        })
    }

    fn parse(json: &str) -> Option<Self> {
        let WrittenMessage { data } = serde_json::from_str(json).ok()?;
        let (kind, viewer) = (Kind::of(data.whip)?, parse_peer(data.viewer)?);
        let (page, heard) = (Page(data.page), data.heard.map(Timestamp::from_micros));
        let (offer, mark) = (data.offer.into_owned(), Mark::parse(&data.call)?);
        Some(Self { kind, viewer, page, offer, mark, etag: data.etag.to_owned(), heard })
    }
}

async fn to_itself(seat: &Seat, payload: Payload, keyed: Option<KeyedRequest>) -> Result<Accepted, Refusal> {
    let targets = vec![Target { to: Some(seat.peer), payload }];
    seat.api.engine.post(&seat.room, seat.peer, Post { targets, keyed }).await
}

/// Whether there is no state, and no request either that has taken it and will put it back.
pub fn is_forgotten(batch: &Batch) -> bool {
    let oldest = batch.messages.first().map(|message| message.since);
    let newest = batch.messages.last().map(|message| message.since);
    oldest.zip(newest).is_some_and(|(oldest, newest)| oldest + FORGOTTEN < newest)
}

impl Kept {
    /// The state of a session, or `None` while it is called or restarts. Renews the session's lease.
    pub async fn load(seat: &Seat) -> Result<Option<Self>, Refusal> {
        Ok(Self::find(seat.peer, &seat.read(None).await?))
    }

    pub fn find(peer: PeerId, batch: &Batch) -> Option<Self> {
        let of_state = |message: &Message| match &message.content {
            Content::Relayed { from, payload } if *from == peer => {
                State::parse(&signals::json_of(payload)).map(|state| (message.seq, state))
            }
            _ => None,
        };
        let (seq, state) = batch.messages.iter().rev().find_map(of_state)?;
        Some(Self { state, seq, messages: batch.messages.clone() })
    }

    /// Says that this request will replace the state. Only the first does that.
    pub async fn claim(&self, seat: &Seat) -> Result<bool, Refusal> {
        let payload = signals::payload("data", &json!({ "data": null }));
        Ok(!to_itself(seat, payload, Some(self.key())).await?.repeated)
    }

    /// Of posts that replace this state: an engine accepts the first. The peer has no others with a key.
    fn key(&self) -> KeyedRequest {
        KeyedRequest { key: self.seq.get().into(), request: 0 }
    }

    /// How far the mailbox was read.
    pub fn cursor(&self) -> Seq {
        self.messages.last().map_or(Seq::START, |message| message.seq)
    }

    /// The mailbox, which nobody else reads, holds so much besides the state that the state must be rewritten behind it while it still
    /// fits.
    pub fn is_crowded(&self) -> bool {
        let others = self.messages.iter().filter(|message| message.seq != self.seq);
        let bytes: usize = others.map(|message| message.content.bytes()).sum();
        self.messages.len() > MESSAGES_LEFT || bytes > BYTES_LEFT
    }

    /// The viewer has left or hung up.
    pub fn is_abandoned(&self) -> bool {
        self.state.was_left(&self.messages)
    }

    /// When the viewer last said something. The session's beginning counts.
    pub fn last_heard(&self) -> Timestamp {
        let said = |message: &Message| match &message.content {
            Content::Relayed { from, .. } if *from == self.state.viewer => Some(message.since),
            _ if message.seq == self.seq => Some(self.state.heard.unwrap_or(message.since)),
            _ => None,
        };
        self.messages.iter().filter_map(said).max().unwrap_or_default()
    }

    /// Whether the viewer has said nothing for so long, as of the newest message.
    pub fn is_silent(&self, lease: Duration) -> bool {
        let now = self.messages.iter().map(|message| message.since).max().unwrap_or_default();
        self.last_heard() + lease < now
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::{Card, LeaveReason, Metadata, Name, Payload};

    const LEASE: Duration = Duration::from_secs(45);

    fn id(number: u8) -> PeerId {
        PeerId::from_bytes([number; 16])
    }

    fn state() -> State {
        let (offer, etag) = ("v=0\r\n\"é\"".to_owned(), "x".into());
        State { kind: Kind::Player, viewer: id(1), page: Page(7), mark: Mark::of(&offer), offer, etag, heard: None }
    }

    fn message(seconds: u64, content: Content) -> Message {
        Message { seq: Seq::START, since: Timestamp::from_millis(seconds * 1000), content }
    }

    fn stored(seconds: u64, from: u8) -> Message {
        stored_with(seconds, from, None)
    }

    fn stored_with(seconds: u64, from: u8, heard: Option<u64>) -> Message {
        let heard = heard.map(|seconds| Timestamp::from_millis(seconds * 1000));
        let payload = State { heard, ..state() }.written();
        message(seconds, Content::Relayed { from: id(from), payload })
    }

    fn says(seconds: u64, from: u8) -> Message {
        message(seconds, Content::Relayed { from: id(from), payload: Payload::new(r#""type":"data","data":1"#) })
    }

    fn batch(mut messages: Vec<Message>) -> Batch {
        (1..).zip(&mut messages).for_each(|(seq, message)| message.seq = Seq::new(seq).unwrap());
        Batch { messages, cursor: Seq::START, fresh: 0, poll: None }
    }

    fn found(messages: Vec<Message>) -> Option<Kept> {
        Kept::find(id(9), &batch(messages))
    }

    #[test]
    fn only_what_the_peer_says_to_itself_is_its_state() {
        assert_eq!(found(vec![says(0, 1), stored(1, 9), says(2, 1)]).unwrap().state, state());
        assert!(found(vec![stored(0, 1), says(1, 9)]).is_none());
    }

    #[test]
    fn a_session_is_silent_when_only_others_have_spoken_for_a_lease() {
        let silent = |messages| found(messages).unwrap().is_silent(LEASE);
        assert!(!silent(vec![stored(0, 9), says(40, 2)]));
        assert!(silent(vec![stored(0, 9), says(46, 2)]));
        assert!(!silent(vec![stored(0, 9), says(30, 1), says(46, 2)]));
        assert!(!silent(vec![stored(0, 9), says(100, 1)]));
        // It was put behind what others have said.
        assert!(silent(vec![stored_with(30, 9, Some(0)), says(46, 2)]));
        assert!(!silent(vec![stored_with(30, 9, Some(10)), says(46, 2)]));
    }

    #[test]
    fn a_session_is_abandoned_when_its_viewer_leaves() {
        let left = |number| {
            let card = Card { id: id(number), name: Name::default(), metadata: Metadata::default(), order: 1 };
            message(1, Content::PeerLeft { peer: Arc::new(card), reason: LeaveReason::Expired })
        };
        assert!(found(vec![stored(0, 9), left(1)]).unwrap().is_abandoned());
        assert!(!found(vec![stored(0, 9), left(2)]).unwrap().is_abandoned());
    }

    /// Also when that was before the state was put into the mailbox, or put behind it.
    #[test]
    fn a_session_is_abandoned_when_its_viewer_says_goodbye() {
        let bye = |from| message(1, Content::Relayed { from: id(from), payload: Payload::new(r#""type":"bye""#) });
        assert!(found(vec![bye(1), stored(0, 9)]).unwrap().is_abandoned());
        assert!(found(vec![stored(0, 9), bye(1)]).unwrap().is_abandoned());
        assert!(!found(vec![stored(0, 9), bye(2), says(1, 1)]).unwrap().is_abandoned());
    }

    #[test]
    fn the_state_itself_crowds_nothing() {
        let large = State { offer: "x".repeat(BYTES_LEFT), ..state() }.written();
        let large = message(0, Content::Relayed { from: id(9), payload: large });
        assert!(!found(vec![large.clone(), says(1, 1)]).unwrap().is_crowded());
        let noise = || {
            let payload = Payload::new(format!(r#""type":"data","data":"{}""#, "x".repeat(BYTES_LEFT / 2)));
            message(1, Content::Relayed { from: id(2), payload })
        };
        assert!(found(vec![large, noise(), noise()]).unwrap().is_crowded());
        let many = std::iter::once(stored(0, 9)).chain((0..MESSAGES_LEFT).map(|_| says(1, 1)));
        assert!(found(many.collect()).unwrap().is_crowded());
    }

    /// The node that had taken it is gone.
    #[test]
    fn a_mailbox_without_a_state_is_forgotten_when_nobody_reads_it() {
        let after = |seconds| is_forgotten(&batch(vec![says(0, 1), says(seconds, 2)]));
        assert!(!after(FORGOTTEN.as_secs()) && after(FORGOTTEN.as_secs() + 1));
        assert!(!is_forgotten(&batch(vec![])));
    }
}

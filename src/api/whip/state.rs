//! What a node must know of a session besides its URL. It is kept in the session's own mailbox, as a message from the encoder's peer
//! to itself: no other peer reads it, it is paid for like any message, it ends with the seat, and any node finds it.

use std::{borrow::Cow, time::Duration};

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    api::{
        Api,
        params::parse_peer,
        whip::{kind::Kind, signals},
    },
    domain::{Batch, Content, Message, Page, PeerId, Post, Refusal, RoomName, Seq, Target, Timestamp},
    engine::PollRequest,
};

#[derive(Clone, Debug, PartialEq)]
pub struct State {
    pub kind: Kind,
    /// Whose answer the encoder has.
    pub viewer: PeerId,
    /// The offer in force.
    pub offer: String,
    /// The name of the ICE session, without quotes.
    pub etag: String,
    /// When the viewer last said something, if that was before this was stored.
    pub heard: Option<Timestamp>,
}

/// The state, and what the mailbox has besides it.
#[derive(Debug)]
pub struct Kept {
    pub state: State,
    messages: Vec<Message>,
}

#[derive(Deserialize, Serialize)]
struct Stored<'a> {
    whip: &'a str,
    viewer: &'a str,
    etag: &'a str,
    offer: Cow<'a, str>,
    heard: Option<u64>,
}

#[derive(Deserialize)]
struct StoredMessage<'a> {
    #[serde(borrow)]
    data: Stored<'a>,
}

/// Of at least 256 messages and, with default limits, a megabyte.
const MESSAGES_LEFT: usize = 16;
const BYTES_LEFT: usize = 128 * 1024;

impl State {
    /// Puts the state into the mailbox, and takes everything out that was there before.
    pub async fn store(&self, api: &Api, room: &RoomName, peer: PeerId, page: Option<Page>) -> Result<(), Refusal> {
        let viewer = self.viewer.to_string();
        let stored = Stored {
            whip: self.kind.word(),
            viewer: &viewer,
            etag: &self.etag,
            offer: self.offer.as_str().into(),
            heard: self.heard.map(Timestamp::micros),
        };
        let payload = signals::payload("data", &json!({ "data": stored }));
        let targets = vec![Target { to: Some(peer), payload }];
        let accepted = api.engine.post(room, peer, Post { targets, keyed: None }).await?;
        let before = accepted.positions.first().and_then(|(_, seq)| Seq::new(seq.get().saturating_sub(1)));
        api.engine.receive(room, peer, PollRequest { after: before, page }, Duration::ZERO).await?;
        Ok(())
    }

    /// The state of a session, or `None` while it is called or restarts. Renews the session's lease. With a page, only if that
    /// still has the seat.
    pub async fn load(api: &Api, room: &RoomName, peer: PeerId, page: Option<Page>) -> Result<Option<Kept>, Refusal> {
        let batch = api.engine.receive(room, peer, PollRequest { after: None, page }, Duration::ZERO).await?;
        Ok(Kept::find(peer, batch))
    }

    fn parse(json: &str) -> Option<Self> {
        let StoredMessage { data } = serde_json::from_str(json).ok()?;
        let (kind, viewer) = (Kind::of(data.whip)?, parse_peer(data.viewer)?);
        let heard = data.heard.map(Timestamp::from_micros);
        Some(Self { kind, viewer, offer: data.offer.into_owned(), etag: data.etag.to_owned(), heard })
    }
}

impl Kept {
    fn find(peer: PeerId, batch: Batch) -> Option<Self> {
        let of_state = |message: &Message| match &message.content {
            Content::Relayed { from, payload } if *from == peer => State::parse(&signals::json_of(payload)),
            _ => None,
        };
        let state = batch.messages.iter().rev().find_map(of_state)?;
        Some(Self { state, messages: batch.messages })
    }

    /// How far the mailbox was read.
    pub fn cursor(&self) -> Seq {
        self.messages.last().map_or(Seq::START, |message| message.seq)
    }

    /// So much is in the mailbox, where nobody else reads it, that the state must be put behind it before there is no room for it.
    pub fn is_crowded(&self) -> bool {
        let bytes: usize = self.messages.iter().map(|message| message.content.bytes()).sum();
        self.messages.len() > MESSAGES_LEFT || bytes > BYTES_LEFT
    }

    /// The viewer has left.
    pub fn is_abandoned(&self) -> bool {
        let is_viewer = |message: &Message| matches!(&message.content, Content::PeerLeft { peer, .. } if peer.id == self.state.viewer);
        self.messages.iter().any(is_viewer)
    }

    /// When the viewer last said something. The session's beginning counts.
    pub fn last_heard(&self, peer: PeerId) -> Timestamp {
        let said = |message: &Message| match &message.content {
            Content::Relayed { from, .. } if *from == self.state.viewer => Some(message.since),
            Content::Relayed { from, .. } if *from == peer => Some(self.state.heard.unwrap_or(message.since)),
            _ => None,
        };
        self.messages.iter().filter_map(said).max().unwrap_or_default()
    }

    /// Whether the viewer has said nothing for so long, as of the newest message.
    pub fn is_silent(&self, lease: Duration, peer: PeerId) -> bool {
        let now = self.messages.iter().map(|message| message.since).max().unwrap_or_default();
        self.last_heard(peer) + lease < now
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
        State { kind: Kind::Player, viewer: id(1), offer: "v=0\r\n\"é\"".into(), etag: "x".into(), heard: None }
    }

    fn message(seconds: u64, content: Content) -> Message {
        Message { seq: Seq::START, since: Timestamp::from_millis(seconds * 1000), content }
    }

    fn stored(seconds: u64, from: u8) -> Message {
        stored_with(seconds, from, None)
    }

    fn stored_with(seconds: u64, from: u8, heard: Option<u64>) -> Message {
        let heard = heard.map(|seconds| seconds * 1_000_000);
        let stored =
            Stored { whip: "player", viewer: &id(1).to_string(), etag: "x", offer: state().offer.into(), heard };
        let payload = signals::payload("data", &json!({ "data": stored }));
        message(seconds, Content::Relayed { from: id(from), payload })
    }

    fn says(seconds: u64, from: u8) -> Message {
        message(seconds, Content::Relayed { from: id(from), payload: Payload::new(r#""type":"data","data":1"#) })
    }

    fn found(messages: Vec<Message>) -> Option<Kept> {
        Kept::find(id(9), Batch { messages, cursor: Seq::START, fresh: 0, poll: None })
    }

    #[test]
    fn only_what_the_peer_says_to_itself_is_its_state() {
        assert_eq!(found(vec![says(0, 1), stored(1, 9), says(2, 1)]).unwrap().state, state());
        assert!(found(vec![stored(0, 1), says(1, 9)]).is_none());
    }

    #[test]
    fn a_session_is_silent_when_only_others_have_spoken_for_a_lease() {
        let silent = |messages| found(messages).unwrap().is_silent(LEASE, id(9));
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
}

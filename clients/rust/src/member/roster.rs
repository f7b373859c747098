//! What a member knows of its room. Each change gives the events that it causes, in order.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};
use tokio::time::Instant;

#[cfg(feature = "sealed")]
use crate::sealed::Sealing;
use crate::signal::member_of;
use crate::wire::stale::{Batch, seq};
use crate::{Event, LeaveReason, Message, Peer, Signal, Trouble, Why};

use super::session::Joined;

/// Members of a message that are not additional.
const KNOWN: [&str; 4] = ["seq", "from", "to", "type"];

/// What a message says, and its additional members.
type Opened = (Signal, Map<String, Value>);

#[derive(Debug)]
pub(crate) struct Roster {
    pub(crate) me: Arc<Peer>,
    /// The other members, by id.
    peers: HashMap<String, Arc<Peer>>,
    /// Peers that a server which lost its state has not listed again, and when to give up on each.
    unconfirmed: HashMap<String, Instant>,
    /// Up to here the mailbox has been read.
    pub(crate) cursor: u64,
    /// Signaling up to here concerns connections of a process that has ended.
    stale_through: u64,
    #[cfg(feature = "sealed")]
    pub(crate) sealing: Option<Sealing>,
}

impl Roster {
    #[cfg(feature = "sealed")]
    pub(crate) fn new(joined: &Joined, sealing: Option<Sealing>) -> Self {
        Self { sealing, ..Self::empty(joined) }.filled(joined)
    }

    #[cfg(not(feature = "sealed"))]
    pub(crate) fn new(joined: &Joined) -> Self {
        Self::empty(joined).filled(joined)
    }

    fn empty(joined: &Joined) -> Self {
        Self {
            me: Arc::new(joined.peer.clone()),
            peers: HashMap::new(),
            unconfirmed: HashMap::new(),
            cursor: joined.cursor,
            stale_through: if joined.resumed { joined.latest } else { 0 },
            #[cfg(feature = "sealed")]
            sealing: None,
        }
    }

    fn filled(mut self, joined: &Joined) -> Self {
        self.me = self.own(&joined.peer);
        self.peers = self.listed(joined);
        self
    }

    /// The other members, in the order in which they joined.
    pub(crate) fn peers(&self) -> Vec<Arc<Peer>> {
        sorted(self.peers.values())
    }

    pub(crate) fn peer(&self, id: &str) -> Option<&Arc<Peer>> {
        self.peers.get(id)
    }

    /// The same process took its seat again. With the old mailbox nothing was lost. With a new one, peers that are missing from the
    /// roster have one lease to come back, too.
    pub(crate) fn returned(&mut self, joined: &Joined, now: Instant) -> Vec<Event> {
        let is_readable = (joined.cursor..=joined.latest).contains(&self.cursor);
        let me = self.own(&joined.peer);
        let renamed = me.id != self.me.id;
        let before = std::mem::replace(&mut self.me, me);
        if renamed {
            self.forget(&before.id);
        }
        if joined.resumed && is_readable && !renamed {
            let certain = self.peers.values().filter(|peer| !self.unconfirmed.contains_key(&peer.id));
            return vec![Event::Resumed { lost: false, renamed: false, roster: sorted(certain) }];
        }
        let listed = self.listed(joined);
        let newcomers = sorted(listed.values().filter(|peer| !self.peers.contains_key(&peer.id)));
        let roster = sorted(listed.values());
        let missing: HashMap<_, _> = self.peers.drain().filter(|(id, _)| !listed.contains_key(id)).collect();
        let deadline = now + Duration::from_millis(joined.lease_ms);
        let known = std::mem::take(&mut self.unconfirmed);
        self.unconfirmed = missing.keys().map(|id| (id.clone(), known.get(id).copied().unwrap_or(deadline))).collect();
        self.peers = missing;
        self.peers.extend(listed);
        self.cursor = joined.cursor;
        self.stale_through = 0;
        let mut events: Vec<_> = newcomers.into_iter().map(Event::PeerJoined).collect();
        events.push(Event::Resumed { lost: true, renamed, roster });
        events
    }

    pub(crate) fn received(&mut self, batch: Batch) -> Vec<Event> {
        let new: Vec<_> =
            batch.messages.into_iter().filter(|message| seq(message).is_some_and(|seq| seq > self.cursor)).collect();
        let mut events: Vec<_> = new.into_iter().filter_map(|message| self.read(message)).collect();
        self.cursor = self.cursor.max(batch.cursor);
        events.extend(self.troubles());
        events
    }

    /// Gives up on peers that have not come back in time.
    pub(crate) fn elapsed(&mut self, now: Instant) -> Vec<Event> {
        let late: Vec<_> =
            self.unconfirmed.iter().filter(|(_, deadline)| **deadline <= now).map(|(id, _)| id.clone()).collect();
        late.iter().filter_map(|id| self.left(id, LeaveReason::Expired)).collect()
    }

    /// When `elapsed` has something to do next.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.unconfirmed.values().min().copied()
    }

    /// What has changed about the troubles of peers in a sealed room.
    pub(crate) fn troubles(&mut self) -> Vec<Event> {
        #[cfg(feature = "sealed")]
        if let Some(sealing) = &mut self.sealing {
            let changes = sealing.changes();
            let known = changes.iter().filter_map(|id| self.peers.get(id));
            return known
                .map(|peer| Event::Trouble { peer: peer.clone(), trouble: sealing.trouble(&peer.id) })
                .collect();
        }
        Vec::new()
    }

    /// What peers of a sealed room lack, by id.
    pub(crate) fn all_troubles(&self) -> HashMap<String, Trouble> {
        #[cfg(feature = "sealed")]
        if let Some(sealing) = &self.sealing {
            return sealing.troubles().clone();
        }
        HashMap::new()
    }

    /// A newer server may send types that this client does not know.
    fn read(&mut self, message: Map<String, Value>) -> Option<Event> {
        let text = |name: &str| message.get(name).and_then(Value::as_str);
        match text("type")? {
            "peer-joined" => {
                let peer = serde_json::from_value(message.get("peer")?.clone()).ok()?;
                self.joined(peer)
            }
            "peer-left" => self.left(text("peer")?, LeaveReason::of(text("reason").unwrap_or_default())),
            "room-closed" => Some(Event::RoomClosed),
            kind if member_of(kind).is_some() => self.signal(seq(&message)?, kind, text("from")?, &message),
            _ => None,
        }
    }

    fn signal(&mut self, seq: u64, kind: &str, from: &str, message: &Map<String, Value>) -> Option<Event> {
        let (signal, more) = match self.open(kind, from, message) {
            Ok(opened) => opened?,
            Err(why) => return Some(Event::Refused { seq, from: from.to_owned(), kind: kind.to_owned(), why }),
        };
        if kind != "data" && seq <= self.stale_through {
            return None;
        }
        Some(Event::Message(Message { seq, from: from.to_owned(), peer: self.peer(from).cloned(), signal, more }))
    }

    /// None if its content does not fit its type.
    fn open(&mut self, kind: &str, from: &str, message: &Map<String, Value>) -> Result<Option<Opened>, Why> {
        #[cfg(feature = "sealed")]
        if let Some(sealing) = &mut self.sealing {
            let opened = sealing.open(&self.me.id, kind, from, message);
            // The server can name any sender.
            if self.peers.contains_key(from) {
                sealing.heard(from, opened.as_ref().map(drop).map_err(|why| *why));
            }
            return opened.map(|signal| Some((signal, Map::new())));
        }
        let member = member_of(kind).unwrap_or_default();
        let content = message.get(member).cloned().unwrap_or_default();
        let more = message.iter().filter(|(name, _)| *name != member && !KNOWN.contains(&name.as_str()));
        let more = more.map(|(name, value)| (name.clone(), value.clone())).collect();
        let _ = from;
        Ok(Signal::from_content(kind, content).map(|signal| (signal, more)))
    }

    fn joined(&mut self, peer: Peer) -> Option<Event> {
        let peer = self.other(&peer);
        self.unconfirmed.remove(&peer.id);
        let known = self.peers.insert(peer.id.clone(), peer.clone()).is_some();
        (!known).then_some(Event::PeerJoined(peer))
    }

    fn left(&mut self, id: &str, reason: LeaveReason) -> Option<Event> {
        self.unconfirmed.remove(id);
        self.forget(id);
        self.peers.remove(id).map(|peer| Event::PeerLeft { peer, reason })
    }

    /// What only matters while it is a member.
    fn forget(&mut self, id: &str) {
        #[cfg(feature = "sealed")]
        if let Some(sealing) = &mut self.sealing {
            sealing.forget(id);
        }
        let _ = id;
    }

    fn listed(&mut self, joined: &Joined) -> HashMap<String, Arc<Peer>> {
        joined.peers.iter().map(|peer| self.other(peer)).map(|peer| (peer.id.clone(), peer)).collect()
    }

    fn other(&mut self, peer: &Peer) -> Arc<Peer> {
        let peer = peer.clone();
        #[cfg(feature = "sealed")]
        if let Some(sealing) = &mut self.sealing {
            return Arc::new(sealing.open_peer(peer));
        }
        Arc::new(peer)
    }

    fn own(&mut self, peer: &Peer) -> Arc<Peer> {
        let peer = peer.clone();
        #[cfg(feature = "sealed")]
        if let Some(sealing) = &mut self.sealing {
            return Arc::new(sealing.open_me(peer));
        }
        Arc::new(peer)
    }
}

fn sorted<'a>(peers: impl Iterator<Item = &'a Arc<Peer>>) -> Vec<Arc<Peer>> {
    let mut peers: Vec<_> = peers.cloned().collect();
    peers.sort_by_key(|peer| peer.order);
    peers
}

#[cfg(test)]
#[cfg(feature = "sealed")]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::RoomKey;

    fn roster() -> Roster {
        let peer = |id| json!({"id": id, "name": "", "metadata": {}, "order": 1});
        let joined = json!({
            "room": "tea", "created": false, "peer": peer("ben"), "token": "", "cursor": 0, "latest": 0,
            "peers": [peer("ann")], "ice_servers": [], "lease_ms": 1, "wait_max_ms": 1
        });
        let joined = serde_json::from_value(joined).unwrap();
        Roster::new(&joined, Some(Sealing::new(RoomKey::new(), "tea")))
    }

    fn received(roster: &mut Roster, message: Value) -> Vec<Event> {
        let mut message = message.as_object().unwrap().clone();
        let cursor = roster.cursor + 1;
        message.insert("seq".to_owned(), cursor.into());
        roster.received(Batch { messages: vec![message], cursor })
    }

    #[test]
    fn what_a_member_lacks_is_known_while_it_is_here() {
        let mut roster = roster();
        let bye = |from| json!({"type": "bye", "from": from, "reason": "not sealed"});
        for from in ["ann", "somebody", "else"] {
            assert!(matches!(received(&mut roster, bye(from))[0], Event::Refused { why: Why::Unsealed, .. }));
        }
        assert_eq!(roster.all_troubles(), HashMap::from([("ann".to_owned(), Trouble::NoKey)]));
        received(&mut roster, json!({"type": "peer-left", "peer": "ann", "reason": "left"}));
        received(&mut roster, bye("ann"));
        assert_eq!(roster.all_troubles(), HashMap::new());
    }
}

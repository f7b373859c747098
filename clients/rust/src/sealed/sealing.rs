//! What one member of a sealed room sends and receives, sealed and opened.

use std::collections::{HashMap, HashSet};
use std::fmt;

use serde_json::{Map, Value, json};

use super::key::RoomKey;
use super::seals::Seals;
use crate::{Error, Peer, Signal, Trouble, Why};

pub(crate) struct Sealing {
    pub(crate) key: RoomKey,
    seals: Seals,
    /// What peers lack, by id.
    troubles: HashMap<String, Trouble>,
    /// Peers whose messages say more than their cards.
    heard: HashSet<String>,
    changed: HashSet<String>,
}

/// A repeated message tells nothing about who has which key.
fn trouble_of(why: Why) -> Option<Trouble> {
    match why {
        Why::Unsealed => Some(Trouble::NoKey),
        Why::Unreadable => Some(Trouble::AnotherKey),
        _ => None,
    }
}

impl Sealing {
    pub(crate) fn new(key: RoomKey, room: &str) -> Self {
        Self::with(key.clone(), Seals::new(key, room))
    }

    fn with(key: RoomKey, seals: Seals) -> Self {
        let (troubles, heard, changed) = Default::default();
        Self { key, seals, troubles, heard, changed }
    }

    pub(crate) fn seal_card(&mut self, name: &str, metadata: &Value) -> Result<Value, Error> {
        self.seals.seal_card(name, metadata)
    }

    pub(crate) fn seal(&mut self, me: &str, to: Option<&str>, signal: &Signal) -> Result<Map<String, Value>, Error> {
        self.seals.seal(me, to, signal)
    }

    pub(crate) fn open(
        &mut self,
        me: &str,
        kind: &str,
        from: &str,
        message: &Map<String, Value>,
    ) -> Result<Signal, Why> {
        self.seals.open(me, kind, from, message)
    }

    /// What a message of a member says about it.
    pub(crate) fn heard(&mut self, id: &str, opened: Result<(), Why>) {
        let trouble = opened.err().and_then(trouble_of);
        if opened.is_err() && trouble.is_none() {
            return;
        }
        self.heard.insert(id.to_owned());
        self.set(id, trouble);
    }

    /// Somebody has left.
    pub(crate) fn forget(&mut self, id: &str) {
        self.seals.forget(id);
        self.troubles.remove(id);
        self.heard.remove(id);
        self.changed.remove(id);
    }

    /// A name that is not sealed is not shown: the server may have chosen it.
    pub(crate) fn open_peer(&mut self, peer: Peer) -> Peer {
        let (peer, why) = self.open_card(peer);
        if !self.heard.contains(&peer.id) {
            self.set(&peer.id, why.and_then(trouble_of));
        }
        peer
    }

    /// This member's own card.
    pub(crate) fn open_me(&mut self, peer: Peer) -> Peer {
        self.open_card(peer).0
    }

    pub(crate) fn trouble(&self, id: &str) -> Option<Trouble> {
        self.troubles.get(id).copied()
    }

    pub(crate) fn troubles(&self) -> &HashMap<String, Trouble> {
        &self.troubles
    }

    /// Peers whose trouble has changed since the last call of this.
    pub(crate) fn changes(&mut self) -> HashSet<String> {
        std::mem::take(&mut self.changed)
    }

    fn open_card(&mut self, peer: Peer) -> (Peer, Option<Why>) {
        match self.seals.open_card(&peer.metadata) {
            Ok((name, metadata)) => (Peer { name, metadata, ..peer }, None),
            Err(why) => (Peer { name: String::new(), metadata: json!({}), ..peer }, Some(why)),
        }
    }

    fn set(&mut self, id: &str, trouble: Option<Trouble>) {
        if self.trouble(id) == trouble {
            return;
        }
        match trouble {
            None => self.troubles.remove(id),
            Some(trouble) => self.troubles.insert(id.to_owned(), trouble),
        };
        self.changed.insert(id.to_owned());
    }
}

impl fmt::Debug for Sealing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealing").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(id: &str) -> Peer {
        Peer { id: id.to_owned(), name: "Ann".to_owned(), metadata: json!({}), order: 0 }
    }

    #[test]
    fn a_message_tells_more_about_what_a_peer_lacks_than_its_card() {
        let key = RoomKey::new();
        let mut sealing = Sealing::new(key.clone(), "tea");
        assert_eq!(sealing.open_peer(peer("ann")).name, "");
        assert_eq!(sealing.trouble("ann"), Some(Trouble::NoKey));
        assert_eq!(sealing.changes(), HashSet::from(["ann".to_owned()]));
        let message = Seals::new(key, "tea").seal("ann", Some("ben"), &Signal::Data(1.into())).unwrap();
        let hear = |sealing: &mut Sealing| {
            let opened = sealing.open("ben", "data", "ann", &message);
            sealing.heard("ann", opened.as_ref().map(drop).map_err(|why| *why));
            opened
        };
        hear(&mut sealing).unwrap();
        assert_eq!(sealing.trouble("ann"), None);
        assert_eq!(sealing.changes().len(), 1);
        sealing.open_peer(peer("ann"));
        assert_eq!((sealing.trouble("ann"), sealing.changes().len()), (None, 0));
        assert_eq!(hear(&mut sealing), Err(Why::Repeated));
        assert_eq!(sealing.trouble("ann"), None);
    }
}

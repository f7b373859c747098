//! What browsers say to encoders and players, which do not poll: done when it is posted, on any node.

use crate::{
    api::{
        Api,
        whip::{
            kind,
            signals::{self, Goodbye},
            state::State,
        },
    },
    domain::{Accepted, PeerId, Post, Refusal, RoomName, Target},
};

/// A message that may concern a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Alive,
    Bye,
    Offer,
}

/// What of a post may concern sessions: mostly nothing.
#[derive(Debug, Default)]
pub struct Notices(Vec<(Option<PeerId>, Kind)>);

/// The heartbeat (docs/whip.md), as our clients write it.
const ALIVE: &str = r#""type":"data","data":{"whip":"alive"}"#;
/// Heartbeats and events that are left in a session's mailbox, where nobody else reads them.
const LEFT: usize = 16;

impl Notices {
    pub fn of(targets: &[Target]) -> Self {
        let concerns = |target: &Target| {
            let may = target.to.is_none_or(kind::is_peer);
            may.then(|| Kind::of(target.payload.as_str())).flatten().map(|kind| (target.to, kind))
        };
        Self(targets.iter().filter_map(concerns).collect())
    }

    /// After the post was accepted.
    pub async fn act(self, api: &Api, room: &RoomName, from: PeerId, accepted: &Accepted) {
        for (to, what) in self.0 {
            let mut sessions: Vec<PeerId> = accepted.positions.iter().map(|(peer, _)| *peer).collect();
            sessions.retain(|peer| kind::is_peer(*peer) && to.is_none_or(|to| to == *peer));
            sessions.dedup();
            for session in sessions.into_iter().filter(|session| *session != from) {
                // What cannot be done now is done when the lease ends.
                let _ = hear(api, room, session, from, what).await;
            }
        }
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Kind {
    fn of(payload: &str) -> Option<Self> {
        match payload {
            ALIVE => Some(Self::Alive),
            _ if payload.starts_with(r#""type":"bye""#) => Some(Self::Bye),
            _ if payload.starts_with(r#""type":"offer""#) => Some(Self::Offer),
            _ if payload.starts_with(r#""type":"data""#) && is_alive(payload) => Some(Self::Alive),
            _ => None,
        }
    }
}

/// The heartbeat, however it is written.
fn is_alive(payload: &str) -> bool {
    #[derive(serde::Deserialize)]
    struct Message<'a> {
        #[serde(borrow)]
        data: Data<'a>,
    }
    #[derive(serde::Deserialize)]
    struct Data<'a> {
        whip: &'a str,
    }
    // Anything longer is something else.
    payload.len() < 100
        && serde_json::from_str(&["{", payload, "}"].concat()).is_ok_and(|Message { data }| data.whip == "alive")
}

async fn hear(api: &Api, room: &RoomName, session: PeerId, from: PeerId, what: Kind) -> Result<(), Refusal> {
    // While it is called, the request that waits reads its mailbox.
    let Some(kept) = State::load(api, room, session, None).await? else { return Ok(()) };
    let is_viewer = from == kept.state.viewer;
    if kept.is_abandoned() || (what == Kind::Bye && is_viewer) || kept.is_silent(api.limits.lease, session) {
        return api.engine.leave(room, session).await;
    }
    match what {
        // Reading the mailbox has renewed the lease.
        Kind::Alive if is_viewer && kept.len() > LEFT => kept.state.store(api, room, session, None).await,
        Kind::Offer if !is_viewer => {
            let payload = signals::bye(Goodbye::Taken(kept.state.viewer));
            let post = Post { targets: vec![Target { to: Some(from), payload }], keyed: None };
            api.engine.post(room, session, post).await.map(drop)
        }
        Kind::Alive | Kind::Bye | Kind::Offer => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Payload;

    #[test]
    fn only_what_may_concern_a_session_is_noticed() {
        let (encoder, browser) = (kind::peer_id(1), PeerId::from_bytes([1; 16]));
        let noticed = |to: Option<PeerId>, payload: &str| {
            let Notices(found) = Notices::of(&[Target { to, payload: Payload::new(payload) }]);
            found.first().map(|(_, kind)| *kind)
        };
        let spaced = r#""type":"data","data":{ "whip": "alive" }"#;
        for (payload, kind) in [
            (ALIVE, Some(Kind::Alive)),
            (spaced, Some(Kind::Alive)),
            (r#""type":"bye","reason":"x""#, Some(Kind::Bye)),
            (r#""type":"offer","sdp":"""#, Some(Kind::Offer)),
            (r#""type":"answer","sdp":"""#, None),
            (r#""type":"data","data":{"whip":"dead"}"#, None),
            (r#""type":"data","data":"alive""#, None),
        ] {
            assert_eq!((noticed(Some(encoder), payload), noticed(None, payload)), (kind, kind), "{payload}");
            assert_eq!(noticed(Some(browser), payload), None);
        }
    }
}

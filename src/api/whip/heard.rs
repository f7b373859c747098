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

/// A message that may concern a session. The later ones matter more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// The heartbeat, mostly. Whatever its viewer says shows that it is there.
    Other,
    Offer,
    Bye,
}

/// What of a post may concern sessions: mostly nothing.
#[derive(Debug, Default)]
pub struct Notices(Vec<(Option<PeerId>, Kind)>);

impl Notices {
    pub fn of(targets: &[Target]) -> Self {
        let concerns = |target: &Target| {
            let may = target.to.is_none_or(kind::is_peer);
            may.then(|| (target.to, Kind::of(target.payload.as_str())))
        };
        Self(targets.iter().filter_map(concerns).collect())
    }

    /// After the post was accepted. Each session is looked at once.
    pub async fn act(self, api: &Api, room: &RoomName, from: PeerId, accepted: &Accepted) {
        let mut sessions: Vec<PeerId> = accepted.positions.iter().map(|(peer, _)| *peer).collect();
        sessions.retain(|peer| kind::is_peer(*peer));
        sessions.sort_unstable();
        sessions.dedup();
        for session in sessions {
            let of_session = self.0.iter().filter(|(to, _)| to.is_none_or(|to| to == session));
            if let Some(what) = of_session.map(|(_, what)| *what).max() {
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
    fn of(payload: &str) -> Self {
        match payload {
            _ if payload.starts_with(r#""type":"bye""#) => Self::Bye,
            _ if payload.starts_with(r#""type":"offer""#) => Self::Offer,
            _ => Self::Other,
        }
    }
}

async fn hear(api: &Api, room: &RoomName, session: PeerId, from: PeerId, what: Kind) -> Result<(), Refusal> {
    // While it is called, the request that waits reads its mailbox.
    let Some(kept) = State::load(api, room, session, None).await? else { return Ok(()) };
    let is_viewer = from == kept.state.viewer;
    if kept.is_abandoned() || (what == Kind::Bye && is_viewer) || kept.is_silent(api.limits.lease, session) {
        return api.engine.leave(room, session).await;
    }
    // Reading the mailbox has renewed the lease.
    if kept.is_crowded() {
        let heard = Some(kept.last_heard(session));
        State { heard, ..kept.state.clone() }.store(api, room, session, None).await?;
    }
    if what == Kind::Offer && !is_viewer {
        let payload = signals::bye(Goodbye::Taken(kept.state.viewer));
        let post = Post { targets: vec![Target { to: Some(from), payload }], keyed: None };
        api.engine.post(room, session, post).await?;
    }
    Ok(())
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
        for (payload, kind) in [
            (r#""type":"data","data":{"whip":"alive"}"#, Kind::Other),
            (r#""type":"bye","reason":"x""#, Kind::Bye),
            (r#""type":"offer","sdp":"""#, Kind::Offer),
        ] {
            assert_eq!(
                (noticed(Some(encoder), payload), noticed(None, payload)),
                (Some(kind), Some(kind)),
                "{payload}"
            );
            assert_eq!(noticed(Some(browser), payload), None);
        }
    }
}

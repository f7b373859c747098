//! What browsers say to encoders and players, which do not poll: done when it is posted, on any node.

use std::{sync::Arc, time::Duration};

use crate::{
    api::{
        Api,
        whip::{
            call::Seat,
            kind,
            signals::{self, Goodbye},
            state::{self, Kept, State, Stored},
        },
    },
    domain::{Accepted, PeerId, Refusal, RoomName, Seq, Target},
    engine::PollRequest,
};

/// A message that may concern a session. The later ones matter more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// A broadcast. It only fills the mailbox, so only every eighth is processed.
    Noise,
    /// The heartbeat, mostly. Whatever its viewer says shows that it is there.
    Other,
    Offer,
    Bye,
}

/// The mailbox is looked at after so much noise: less than it may have before it is crowded, and its bytes are few.
const NOISE: u64 = 8;
const NOISE_BYTES: usize = 4096;

/// What of a post may concern sessions: mostly nothing.
#[derive(Debug, Default)]
pub struct Notices(Vec<(Option<PeerId>, Kind)>);

impl Notices {
    pub fn of(targets: &[Target]) -> Self {
        let concerns = |target: &Target| {
            let may = target.to.is_none_or(kind::is_peer);
            may.then(|| (target.to, Kind::of(target)))
        };
        Self(targets.iter().filter_map(concerns).collect())
    }

    /// After the post was accepted. Each session is looked at once.
    pub async fn act(self, api: &Arc<Api>, room: &RoomName, from: PeerId, accepted: &Accepted) {
        for (session, what) in self.due(&accepted.positions) {
            // What cannot be done now is done when the lease ends.
            let _ = hear(api, room, session, Some(from), what).await;
        }
    }

    fn due(&self, positions: &[(PeerId, Seq)]) -> Vec<(PeerId, Kind)> {
        let mut sessions: Vec<PeerId> = positions.iter().map(|(peer, _)| *peer).collect();
        sessions.retain(|peer| kind::is_peer(*peer));
        sessions.sort_unstable();
        sessions.dedup();
        let of_session = |session: PeerId| {
            let said = self.0.iter().filter(|(to, _)| to.is_none_or(|to| to == session));
            let what = said.map(|(_, what)| *what).max()?;
            let is_its_turn = |(peer, seq): &(PeerId, Seq)| *peer == session && seq.get().is_multiple_of(NOISE);
            (what > Kind::Noise || positions.iter().any(is_its_turn)).then_some((session, what))
        };
        sessions.into_iter().filter_map(of_session).collect()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Kind {
    fn of(Target { to, payload }: &Target) -> Self {
        match payload.as_str() {
            text if signals::is_bye(text) => Self::Bye,
            text if text.starts_with(r#""type":"offer""#) => Self::Offer,
            _ if to.is_none() && payload.len() < NOISE_BYTES => Self::Noise,
            _ => Self::Other,
        }
    }
}

/// After a post was refused because this mailbox is full, if it is a session's: nobody reads it, so this is the time to make room.
pub async fn relieve(api: &Arc<Api>, room: &RoomName, session: PeerId) {
    let _ = hear(api, room, session, None, Kind::Noise).await;
}

async fn hear(
    api: &Arc<Api>,
    room: &RoomName,
    session: PeerId,
    from: Option<PeerId>,
    what: Kind,
) -> Result<(), Refusal> {
    // This renews the lease.
    let batch = api.engine.receive(room, session, PollRequest::default(), Duration::ZERO).await?;
    let Some(kept) = Kept::find(session, &batch) else {
        // While it is called or restarts, the request that waits reads its mailbox.
        return if state::is_forgotten(&batch) { api.engine.leave(room, session).await } else { Ok(()) };
    };
    // A newer request of the same encoder may take the seat meanwhile.
    let seat = Seat { api: api.clone(), room: room.clone(), peer: session, page: kept.state.page };
    // If the post was a retry, its message may no longer be in the mailbox.
    if kept.is_abandoned() || kept.is_silent(api.limits.lease) {
        return seat.end(&[], Goodbye::Ended).await;
    }
    if kept.is_crowded() || from.is_none() {
        let state = State { heard: Some(kept.last_heard()), ..kept.state.clone() };
        if state.store(&seat, kept.cursor(), Some(&kept)).await? == Stored::Abandoned {
            return seat.end(&[], Goodbye::Ended).await;
        }
    }
    match from.filter(|from| what == Kind::Offer && *from != kept.state.viewer) {
        Some(from) => seat.send(from, vec![signals::bye(Goodbye::Taken(kept.state.viewer))]).await,
        None => Ok(()),
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
        let large = format!(r#""type":"data","data":"{}""#, "x".repeat(NOISE_BYTES));
        for (payload, kind) in [
            (r#""type":"data","data":{"whip":"alive"}"#, [Kind::Other, Kind::Noise]),
            (r#""type":"bye","reason":"x""#, [Kind::Bye; 2]),
            (r#""type":"offer","sdp":"""#, [Kind::Offer; 2]),
            (large.as_str(), [Kind::Other; 2]),
        ] {
            let both = [noticed(Some(encoder), payload), noticed(None, payload)];
            assert_eq!(both, kind.map(Some), "{payload}");
            assert_eq!(noticed(Some(browser), payload), None);
        }
    }

    /// Each look reads the session's offer.
    #[test]
    fn one_in_eight_messages_to_everybody_is_looked_at() {
        let (encoder, browser) = (kind::peer_id(1), PeerId::from_bytes([1; 16]));
        let looks = |to: Option<PeerId>, payload: &str| {
            let notices = Notices::of(&[Target { to, payload: Payload::new(payload) }]);
            let at = |seq| notices.due(&[(browser, Seq::new(seq).unwrap()), (encoder, Seq::new(seq + 3).unwrap())]);
            (0..80).filter(|seq| !at(*seq).is_empty()).count()
        };
        let (chat, bye) = (r#""type":"data","data":"hello""#, r#""type":"bye""#);
        assert_eq!((looks(None, chat), looks(Some(encoder), chat), looks(None, bye)), (10, 80, 80));
    }
}

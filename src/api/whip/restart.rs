//! ICE restarts (RFC 9725 section 4.3.3): the offer again with other credentials, and the browser's answer to it.

use std::net::IpAddr;

use uuid::Uuid;

use crate::{
    api::{
        Problem,
        whip::{
            call::{Seat, flawed, unanswered},
            description::{
                fragment::{self, Fragment},
                offer,
            },
            ringing::Ringing,
            signals::{self, Goodbye},
            state::{Kept, State},
        },
    },
    domain::{Refusal, Timestamp},
};

/// What the encoder is told.
pub struct Restarted {
    pub fragment: String,
    pub etag: String,
}

/// While the answer is waited for in the session's mailbox, its state is here. It is put back, also if the client hangs up.
struct Taken {
    seat: Seat,
    state: Option<State>,
}

impl Drop for Taken {
    fn drop(&mut self) {
        if let Some(state) = self.state.take() {
            let seat = self.seat.clone();
            actix_web::rt::spawn(async move {
                let _ = state.store(&seat.api, &seat.room, seat.peer, Some(seat.page)).await;
            });
        }
    }
}

impl Taken {
    /// The same state, or the one after the restart.
    async fn put_back(&mut self, state: State) -> Result<(), Refusal> {
        self.state = None;
        state.store(&self.seat.api, &self.seat.room, self.seat.peer, Some(self.seat.page)).await
    }
}

/// The name of a new ICE session.
pub fn new_etag() -> String {
    Uuid::new_v4().simple().to_string()
}

/// Restarts ICE with these credentials. If the browser does not answer, all stays as it is. `None` if it has left, so that the session
/// is over.
pub async fn restart(
    seat: &Seat,
    kept: Kept,
    fragment: &Fragment,
    credentials: &(String, String),
    address: IpAddr,
    until: Timestamp,
) -> Result<Option<Restarted>, Problem> {
    let cursor = kept.cursor();
    let state = kept.state;
    let offer = fragment.restart(&state.offer, credentials, address);
    let payload = signals::offer(&offer);
    match seat.send(state.viewer, vec![payload.clone()]).await {
        Err(Refusal::PeerUnknown { .. }) => {
            seat.end(&[], Goodbye::Ended).await;
            return Ok(None);
        }
        outcome => outcome?,
    }
    let mut ringing = Ringing::again(state.kind, offer::sections(&offer), state.viewer);
    let mut taken = Taken { seat: seat.clone(), state: Some(state.clone()) };
    let rung = seat.ring(&mut ringing, &payload, cursor, until).await;
    match rung {
        Ok(()) => {}
        // It was ended meanwhile, or another request has the seat.
        Err(Refusal::PeerGone | Refusal::RoomUnknown | Refusal::PollSuperseded) => {
            taken.state = None;
            return Ok(None);
        }
        Err(refusal) => {
            taken.put_back(state).await?;
            return Err(refusal.into());
        }
    }
    match ringing.answer() {
        Some((_, Ok(sdp))) => {
            let etag = new_etag();
            taken.put_back(State { offer, etag: etag.clone(), ..state }).await?;
            Ok(Some(Restarted { fragment: fragment::of_answer(&sdp), etag }))
        }
        // It hung up or left.
        None if ringing.asked().is_empty() && ringing.declined().is_none_or(|declined| !declined.is_flaw()) => {
            taken.state = None;
            seat.end(&[], Goodbye::Ended).await;
            Ok(None)
        }
        other => {
            let kind = state.kind;
            taken.put_back(state).await?;
            Err(match other {
                Some((_, Err(flaw))) => flawed(flaw, kind),
                _ => unanswered(&ringing, kind),
            })
        }
    }
}

//! ICE restarts (RFC 9725 section 4.3.3): the offer again with other credentials, and the browser's answer to it.

use std::net::IpAddr;

use uuid::Uuid;

use crate::{
    api::{
        Problem,
        whip::{
            call::{Seat, flawed, is_over, nobody, unanswered},
            description::fragment::{self, Fragment},
            kind::Kind,
            mark::Mark,
            ringing::Ringing,
            signals::{self, Goodbye},
            state::{Kept, State, Stored},
        },
    },
    domain::{Refusal, Seq, Timestamp},
};

/// What the encoder is told.
pub struct Restarted {
    pub fragment: String,
    pub etag: String,
}

/// While the answer is waited for in the session's mailbox, its state is here. It is put back, also if the client hangs up; if that
/// cannot be done, the session ends.
struct ClaimedState {
    seat: Seat,
    state: Option<State>,
    /// How far the mailbox was read.
    read: Seq,
}

impl Drop for ClaimedState {
    fn drop(&mut self) {
        if let Some(state) = self.state.take() {
            let mut taken = Self { seat: self.seat.clone(), state: None, read: self.read };
            actix_web::rt::spawn(async move { drop(taken.put_back(state).await) });
        }
    }
}

impl ClaimedState {
    /// `None` if another request has taken it.
    async fn take(seat: Seat, kept: Kept) -> Result<Option<Self>, Refusal> {
        if !kept.claim(&seat).await? {
            return Ok(None);
        }
        let state = State { heard: Some(kept.last_heard()), ..kept.state.clone() };
        let taken = Self { seat, state: Some(state), read: kept.cursor() };
        taken.seat.read(Some(taken.read)).await?;
        Ok(Some(taken))
    }

    /// The same state, or the one after the restart. Says whether the session continues.
    async fn put_back(&mut self, state: State) -> Result<bool, Refusal> {
        let outcome = state.store(&self.seat, self.read, None).await;
        self.state = None;
        if outcome != Ok(Stored::Done) {
            let _ = self.seat.end(&[], Goodbye::Ended).await;
        }
        match outcome {
            Err(refusal) if is_over(&refusal) => Ok(false),
            outcome => outcome.map(|stored| stored == Stored::Done),
        }
    }

    /// Nothing changes, if the session continues.
    async fn refuse<T>(&mut self, problem: Problem) -> Result<Option<T>, Problem> {
        let continues = match self.state.clone() {
            Some(state) => self.put_back(state).await?,
            None => false,
        };
        if continues { Err(problem) } else { Ok(None) }
    }

    async fn end(&mut self) {
        let _ = self.seat.end(&[], Goodbye::Ended).await;
        self.state = None;
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
    let state = kept.state.clone();
    // As a task, so that it is put back if the client hangs up meanwhile.
    let taking = actix_web::rt::spawn(ClaimedState::take(seat.clone(), kept)).await;
    let taken = taking.unwrap_or(Err(Refusal::EngineUnavailable { perhaps_done: true }));
    let mut taken = match taken {
        Err(refusal) if is_over(&refusal) => return Ok(None),
        taken => taken?.ok_or_else(|| restarting(state.kind))?,
    };
    // A restart that is tried again with the same credentials is another offer: the page has heard the first one, and answers none twice.
    let version = seat.api.clock.unix_millis();
    let offer = fragment.restart(&state.offer, credentials, address, version);
    let payload = signals::offer(&offer);
    let mut ringing = Ringing::again(state.kind, &offer, state.viewer);
    let rung = match seat.send(state.viewer, vec![payload.clone()]).await {
        Ok(()) => seat.ring(&mut ringing, &payload, &mut taken.read, until).await,
        refused => refused,
    };
    match rung {
        Ok(()) => {}
        Err(refusal) if is_over(&refusal) || matches!(refusal, Refusal::PeerUnknown { .. }) => {
            taken.end().await;
            return Ok(None);
        }
        Err(refusal) => return taken.refuse(refusal.into()).await,
    }
    match ringing.answer() {
        Some((_, Ok(sdp))) => {
            seat.permit_relay(state.viewer, &offer, &sdp).await;
            let etag = new_etag();
            let state = State { mark: Mark::of(&offer), offer, etag: etag.clone(), heard: None, ..state };
            taken.state = Some(state.clone());
            let continues = taken.put_back(state).await?;
            Ok(continues.then(|| Restarted { fragment: fragment::of_answer(&sdp), etag }))
        }
        Some((_, Err(flaw))) => taken.refuse(flawed(flaw, state.kind)).await,
        // It hung up or left.
        None if ringing.asked().is_empty() && ringing.declined().is_none_or(|declined| !declined.is_flaw()) => {
            taken.end().await;
            Ok(None)
        }
        None => taken.refuse(unanswered(&ringing, state.kind)).await,
    }
}

/// What a request is told while another one has the state.
pub fn restarting(kind: Kind) -> Problem {
    nobody(kind, "ICE is being restarted.")
}

//! Calling the browsers in a room, from the seat of an encoder or player, and waiting for an answer.

use std::{sync::Arc, time::Duration};

use crate::{
    api::{
        Api, Code, Problem,
        whip::{
            description::{
                answer::{self, Flaw},
                fragment,
            },
            kind::Kind,
            ringing::{Declined, Next, Ringing},
            signals::{self, Goodbye},
        },
    },
    domain::{Batch, Page, Payload, PeerId, Post, Refusal, RoomName, Seq, Target, Timestamp},
    engine::PollRequest,
};

/// How long a request waits for an answer and its candidates. OBS gives up after eight seconds.
pub const PATIENCE: Duration = Duration::from_secs(7);
/// How long an answer without candidates waits for them. A STUN server that does not answer must not cost the whole call.
const GATHERING: Duration = Duration::from_secs(2);
/// When an encoder should try again. OBS does so after two seconds anyway.
const RETRY: Duration = Duration::from_secs(2);
/// Between polls that other requests with the same page cut short.
const PAUSE: Duration = Duration::from_millis(100);

/// The seat of an encoder or player, as long as this page has it.
#[derive(Clone, Debug)]
pub struct Seat {
    pub api: Arc<Api>,
    pub room: RoomName,
    pub peer: PeerId,
    pub page: Page,
}

/// A call that has not been answered. Dropped, because its client has hung up, it frees the seat.
#[derive(Debug)]
pub struct Call {
    seat: Seat,
    ringing: Ringing,
    offer: Payload,
    kind: Kind,
    is_open: bool,
}

/// The answer, for the encoder or player.
#[derive(Debug)]
pub struct Answered {
    pub by: PeerId,
    pub sdp: String,
}

impl Seat {
    pub async fn send(&self, to: PeerId, payloads: Vec<Payload>) -> Result<(), Refusal> {
        let targets = payloads.into_iter().map(|payload| Target { to: Some(to), payload }).collect();
        self.api.engine.post(&self.room, self.peer, Post { targets, keyed: None }).await.map(drop)
    }

    /// What is in the mailbox behind `after`, or everything. Refused if a newer request of the same encoder has the seat.
    pub async fn read(&self, after: Option<Seq>) -> Result<Batch, Refusal> {
        let request = PollRequest { after, page: Some(self.page) };
        self.api.engine.receive(&self.room, self.peer, request, Duration::ZERO).await
    }

    /// Waits for an answer until `until`. `cursor` is how far the mailbox was read.
    pub async fn ring(
        &self,
        ringing: &mut Ringing,
        offer: &Payload,
        cursor: &mut Seq,
        until: Timestamp,
    ) -> Result<(), Refusal> {
        let (mut end, mut was_cut_short) = (until, false);
        while !ringing.is_over() {
            let now = self.api.clock.now();
            if now >= end {
                break;
            }
            let hold = now.until(end).min(self.api.limits.wait_max);
            let request = PollRequest { after: Some(*cursor), page: Some(self.page) };
            let batch = self.api.engine.receive(&self.room, self.peer, request, hold).await?;
            *cursor = batch.cursor;
            let is_cut_short = batch.messages.is_empty() && self.api.clock.now() < now + hold;
            if is_cut_short && was_cut_short {
                self.api.clock.sleep_until(end.min(self.api.clock.now() + PAUSE)).await;
            }
            was_cut_short = is_cut_short;
            let was_answered = ringing.is_answered();
            for message in &batch.messages {
                match ringing.hear(&message.content) {
                    Next::Nothing => {}
                    Next::Ask(peer) => self.ask(ringing, peer, offer).await?,
                    Next::Dismiss(peer) => drop(self.send(peer, vec![signals::bye(Goodbye::Failed)]).await),
                }
            }
            if ringing.is_answered() != was_answered {
                end = if was_answered { until } else { until.min(self.api.clock.now() + GATHERING) };
            }
        }
        Ok(())
    }

    /// Sends the offer. Who cannot take it is not asked.
    async fn ask(&self, ringing: &mut Ringing, peer: PeerId, offer: &Payload) -> Result<(), Refusal> {
        match self.send(peer, vec![offer.clone()]).await {
            Ok(()) => ringing.ask(peer),
            Err(Refusal::PeerUnknown { .. } | Refusal::MailboxFull { .. } | Refusal::NeverFits) => {}
            Err(refusal) => return Err(refusal),
        }
        Ok(())
    }

    /// Has the browser that gave this answer permit the encoder at its relay.
    pub async fn permit_relay(&self, browser: PeerId, offer: &str, answer: &str) {
        let credentials = fragment::credentials(offer);
        let ufrag = credentials.as_ref().map(|(ufrag, _)| ufrag.as_str());
        let relayed = answer::relayed_alike(answer);
        let payloads: Vec<_> = relayed.iter().map(|one| signals::candidate(Some(one), ufrag)).collect();
        if !payloads.is_empty() {
            let _ = self.send(browser, payloads).await;
        }
    }

    /// Ends the session: tells the browsers, and frees the seat; but not if a newer request of the same encoder has it.
    pub async fn end(&self, browsers: &[PeerId], why: Goodbye) -> Result<(), Refusal> {
        self.read(None).await?;
        for browser in browsers {
            let _ = self.send(*browser, vec![signals::bye(why)]).await;
        }
        self.api.engine.leave(&self.room, self.peer).await
    }
}

impl Call {
    pub fn new(seat: Seat, offer: &str, kind: Kind, wanted: Option<PeerId>) -> Self {
        let ringing = Ringing::new(kind, offer, wanted);
        Self { seat, ringing, offer: signals::offer(offer), kind, is_open: true }
    }

    /// Calls those who are there, and newcomers, until `until`. If nothing comes of it, the seat is free again.
    pub async fn answered(
        &mut self,
        present: impl Iterator<Item = PeerId>,
        cursor: &mut Seq,
        until: Timestamp,
    ) -> Result<Answered, Problem> {
        let outcome = self.ring(present, cursor, until).await;
        if outcome.is_err() {
            self.hang_up().await;
        }
        outcome
    }

    async fn ring(
        &mut self,
        present: impl Iterator<Item = PeerId>,
        cursor: &mut Seq,
        until: Timestamp,
    ) -> Result<Answered, Problem> {
        for peer in present {
            if self.ringing.calls(peer) {
                self.seat.ask(&mut self.ringing, peer, &self.offer).await?;
            }
        }
        self.seat.ring(&mut self.ringing, &self.offer, cursor, until).await?;
        if self.ringing.is_closed() {
            return Err(Refusal::RoomClosed.into());
        }
        match self.ringing.answer() {
            Some((by, Ok(sdp))) => Ok(Answered { by, sdp }),
            Some((_, Err(flaw))) => Err(flawed(flaw, self.kind)),
            None => Err(unanswered(&self.ringing, self.kind)),
        }
    }

    /// The session begins: those who were called in vain are told, and the seat is kept.
    pub async fn taken(mut self, by: PeerId) -> Seat {
        for other in self.ringing.asked().iter().filter(|asked| **asked != by) {
            let _ = self.seat.send(*other, vec![signals::bye(Goodbye::Taken(by))]).await;
        }
        self.is_open = false;
        self.seat.clone()
    }

    /// The outcome of what follows; if it failed, the seat is free again.
    pub async fn or_hang_up<T>(&mut self, outcome: Result<T, Refusal>) -> Result<T, Problem> {
        if outcome.is_err() {
            self.hang_up().await;
        }
        Ok(outcome?)
    }

    /// There is no seat.
    pub fn give_up(mut self) {
        self.is_open = false;
    }

    /// The one who answered has hung up before the session began.
    pub async fn abandoned(mut self, by: PeerId) -> Problem {
        self.ringing.forget(by);
        self.hang_up().await;
        nobody(self.kind, "The browser has answered, and then hung up.")
    }

    async fn hang_up(&mut self) {
        if self.is_open {
            // What fails here is done when the lease ends. If the client hangs up meanwhile, it is done again.
            let _ = self.seat.end(self.ringing.asked(), Goodbye::Failed).await;
            self.is_open = false;
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if self.is_open {
            let (seat, asked) = (self.seat.clone(), self.ringing.asked().to_vec());
            actix_web::rt::spawn(async move { drop(seat.end(&asked, Goodbye::Failed).await) });
        }
    }
}

/// The seat is free, or a newer request of the same encoder has it.
pub fn is_over(refusal: &Refusal) -> bool {
    use Refusal::{Kicked, PeerGone, PollSuperseded, RoomClosed, RoomUnknown};
    matches!(refusal, PeerGone | RoomUnknown | PollSuperseded | RoomClosed | Kicked)
}

/// Nobody is there, or in time.
pub fn unanswered(ringing: &Ringing, kind: Kind) -> Problem {
    match ringing.declined() {
        Some(Declined::With(flaw)) => flawed(flaw, kind),
        Some(Declined::ByWord) => nobody(kind, "Everybody in the room has declined."),
        None if ringing.asked().is_empty() => nobody(kind, "Nobody is in the room who could answer."),
        None => nobody(kind, "Nobody in the room has answered in time."),
    }
}

pub fn flawed(flaw: Flaw, kind: Kind) -> Problem {
    match flaw {
        Flaw::Mismatch => nobody(kind, "The answer does not fit the offer."),
        Flaw::NothingSent => nobody(kind, "Nobody in the room sends anything."),
        Flaw::NoAddress => nobody(
            kind,
            "The browser's answer has no address that the other end could reach: a STUN server or a relay would provide one.",
        ),
        Flaw::MediaRefused => Problem::new(
            Code::MediaRefused,
            "The browser cannot play all of the offer: it has none of the codecs, or does not receive.",
        ),
    }
}

/// A player is told by another status than an encoder (draft-ietf-wish-whep section 4.2).
pub fn nobody(kind: Kind, detail: &str) -> Problem {
    let code = match kind {
        Kind::Encoder => Code::NobodyAnswered,
        Kind::Player => Code::NobodySends,
    };
    Problem::new(code, detail).retry_after(RETRY)
}

//! Who was called, and what they answered. Plain values: messages in, what to do next out.

use crate::{
    api::whip::{
        description::{
            answer::{self, Flaw, Trickled},
            offer::{self, Section},
        },
        kind::{self, Kind},
        mark::Mark,
        signals::{self, Heard},
    },
    domain::{Content, PeerId},
};

/// Of all who are called together. A browser gathers some 25.
const CANDIDATES_MAX: usize = 256;

#[derive(Debug)]
pub struct Ringing {
    kind: Kind,
    /// The sections of the offer.
    sections: Vec<Section>,
    /// The name of the offer.
    mark: Mark,
    /// Whom to call; without one, everybody.
    wanted: Option<PeerId>,
    /// Who has the offer and has not declined.
    asked: Vec<PeerId>,
    /// What came from whom, because candidates may be earlier than their answer.
    candidates: Vec<(PeerId, Trickled)>,
    /// Whose candidates are complete.
    gathered: Vec<PeerId>,
    answer: Option<(PeerId, String)>,
    /// Why the most recent refusal happened.
    declined: Option<Declined>,
    is_closed: bool,
    /// A connection exists already, and stays up if the restart fails.
    is_restart: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Declined {
    ByWord,
    With(Flaw),
}

impl Declined {
    pub fn is_flaw(self) -> bool {
        matches!(self, Self::With(_))
    }
}

/// What to do about a message.
#[derive(Debug, PartialEq)]
pub enum Next {
    Nothing,
    /// Send the offer.
    Ask(PeerId),
    /// The answer is of no use: tell its sender.
    Dismiss(PeerId),
}

impl Ringing {
    pub fn new(kind: Kind, offer: &str, wanted: Option<PeerId>) -> Self {
        let (sections, mark) = (offer::sections(offer), Mark::of(offer));
        let (asked, candidates, gathered) = (Vec::new(), Vec::new(), Vec::new());
        let (answer, declined, is_closed, is_restart) = (None, None, false, false);
        Self { kind, sections, mark, wanted, asked, candidates, gathered, answer, declined, is_closed, is_restart }
    }

    /// Asks the current viewer again (ICE restart).
    pub fn again(kind: Kind, offer: &str, viewer: PeerId) -> Self {
        Self { asked: vec![viewer], is_restart: true, ..Self::new(kind, offer, Some(viewer)) }
    }

    /// Whether a peer that is there is to get the offer.
    pub fn calls(&self, peer: PeerId) -> bool {
        self.answer.is_none()
            && !self.asked.contains(&peer)
            && !kind::is_peer(peer)
            && self.wanted.is_none_or(|wanted| wanted == peer)
    }

    /// It has the offer.
    pub fn ask(&mut self, peer: PeerId) {
        self.asked.push(peer);
    }

    pub fn hear(&mut self, content: &Content) -> Next {
        match content {
            Content::PeerJoined(card) if self.calls(card.id) => return Next::Ask(card.id),
            Content::PeerLeft { peer, .. } => self.forget(peer.id),
            Content::RoomClosed => self.is_closed = true,
            Content::Relayed { from, payload } if self.asked.contains(from) => {
                return self.hear_from(*from, signals::heard(payload, &self.mark));
            }
            Content::PeerJoined(_) | Content::Relayed { .. } => {}
        }
        Next::Nothing
    }

    fn hear_from(&mut self, from: PeerId, heard: Heard) -> Next {
        match heard {
            Heard::Answer(sdp) if self.answer.is_none() => match answer::check(&sdp, self.kind, &self.sections) {
                Ok(()) => self.answer = Some((from, sdp)),
                Err(flaw) => {
                    self.forget(from);
                    self.declined = Some(Declined::With(flaw));
                    return if self.is_restart { Next::Nothing } else { Next::Dismiss(from) };
                }
            },
            Heard::Candidate(Some(candidate)) if self.candidates.len() < CANDIDATES_MAX => {
                self.candidates.push((from, candidate))
            }
            Heard::Candidate(None) => self.gathered.push(from),
            // The offer went to the page as it was before.
            Heard::Reloaded if !self.is_restart => {
                self.forget(from);
                return if self.calls(from) { Next::Ask(from) } else { Next::Nothing };
            }
            Heard::Bye | Heard::Reloaded => {
                self.forget(from);
                self.declined = self.declined.or(Some(Declined::ByWord));
            }
            Heard::Answer(_) | Heard::Candidate(Some(_)) | Heard::Other => {}
        }
        Next::Nothing
    }

    /// It left, or does not want to.
    pub fn forget(&mut self, peer: PeerId) {
        self.asked.retain(|asked| *asked != peer);
        self.candidates.retain(|(from, _)| *from != peer);
        self.gathered.retain(|from| *from != peer);
        self.answer.take_if(|(from, _)| *from == peer);
    }

    /// Who has the offer, and has not declined.
    pub fn asked(&self) -> &[PeerId] {
        &self.asked
    }

    pub fn declined(&self) -> Option<Declined> {
        self.declined
    }

    pub fn is_closed(&self) -> bool {
        self.is_closed
    }

    pub fn is_answered(&self) -> bool {
        self.answer.is_some()
    }

    /// Nothing needs to be waited for: there is an answer with its candidates, or everybody has declined.
    pub fn is_over(&self) -> bool {
        let is_whole = |(from, sdp): &(PeerId, String)| self.gathered.contains(from) || answer::is_whole(sdp);
        match &self.answer {
            Some(answer) => is_whole(answer),
            None => self.is_closed || (self.asked.is_empty() && self.declined.is_some()),
        }
    }

    /// Whose answer it is, and the answer with the candidates that are known.
    pub fn answer(&self) -> Option<(PeerId, Result<String, Flaw>)> {
        let (by, sdp) = self.answer.as_ref()?;
        let theirs = self.candidates.iter().filter(|(from, _)| from == by).map(|(_, candidate)| candidate.clone());
        Some((*by, answer::merged(sdp, &theirs.collect::<Vec<_>>(), self.kind)))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::{Card, LeaveReason, Metadata, Name, Payload};

    const OFFER: &str = "v=0\r\nm=video 9 X 96\r\na=mid:0\r\n";
    const ANSWER: &str = r"v=0\r\nm=video 9 X 96\r\na=mid:0\r\na=recvonly\r\n";
    const CANDIDATE: &str = "candidate:1 1 udp 1 192.0.2.1 4000 typ host";

    fn id(number: u8) -> PeerId {
        PeerId::from_bytes([number; 16])
    }

    fn says(from: u8, payload: &str) -> Content {
        Content::Relayed { from: id(from), payload: Payload::new(payload) }
    }

    fn answers(from: u8, sdp: &str) -> Content {
        says(from, &format!(r#""type":"answer","sdp":"{sdp}""#))
    }

    fn card(number: PeerId) -> Arc<Card> {
        Arc::new(Card { id: number, name: Name::default(), metadata: Metadata::default(), order: 1 })
    }

    fn left(number: u8) -> Content {
        Content::PeerLeft { peer: card(id(number)), reason: LeaveReason::Left }
    }

    fn ringing(asked: &[u8]) -> Ringing {
        let mut ringing = Ringing::new(Kind::Encoder, OFFER, None);
        asked.iter().for_each(|number| ringing.ask(id(*number)));
        ringing
    }

    #[test]
    fn the_first_answer_counts_and_only_of_those_who_were_asked() {
        let mut ringing = ringing(&[1, 2]);
        assert_eq!(ringing.hear(&answers(3, ANSWER)), Next::Nothing);
        assert!(!ringing.is_answered());
        ringing.hear(&answers(2, ANSWER));
        ringing.hear(&answers(1, ANSWER));
        assert!(ringing.is_answered() && !ringing.is_over());
        assert_eq!(ringing.answer(), Some((id(2), Err(Flaw::NoAddress))));
    }

    #[test]
    fn candidates_are_collected_before_and_after_the_answer_until_they_end() {
        let mut ringing = ringing(&[1, 2]);
        let candidate = |text: &str| format!(r#""type":"candidate","candidate":{{"candidate":"{text}","sdpMid":"0"}}"#);
        ringing.hear(&says(1, &candidate(CANDIDATE)));
        ringing.hear(&answers(1, ANSWER));
        ringing.hear(&says(1, &candidate(&CANDIDATE.replace("4000", "4001"))));
        ringing.hear(&says(2, &candidate(&CANDIDATE.replace("4000", "4002"))));
        assert!(!ringing.is_over());
        ringing.hear(&says(1, r#""type":"candidate","candidate":null"#));
        assert!(ringing.is_over());
        let (_, answer) = ringing.answer().unwrap();
        let answer = answer.unwrap();
        assert!(answer.contains("4000") && answer.contains("4001") && !answer.contains("4002"), "{answer}");
        for _ in 0..1000 {
            ringing.hear(&says(1, &candidate(CANDIDATE)));
        }
        assert_eq!(ringing.candidates.len(), CANDIDATES_MAX);
    }

    #[test]
    fn newcomers_are_called_but_no_encoder_and_only_the_one_wanted() {
        let mut everybody = ringing(&[]);
        assert_eq!(everybody.hear(&Content::PeerJoined(card(id(1)))), Next::Ask(id(1)));
        assert_eq!(everybody.hear(&Content::PeerJoined(card(kind::peer_id(1)))), Next::Nothing);
        let mut wanted = Ringing::new(Kind::Encoder, OFFER, Some(id(2)));
        assert_eq!(wanted.hear(&Content::PeerJoined(card(id(1)))), Next::Nothing);
        assert_eq!(wanted.hear(&Content::PeerJoined(card(id(2)))), Next::Ask(id(2)));
        wanted.ask(id(2));
        assert!(!wanted.calls(id(2)));
    }

    #[test]
    fn it_is_over_when_everybody_has_declined_and_not_when_they_have_left() {
        let mut ringing = ringing(&[1, 2]);
        ringing.hear(&left(1));
        assert!(!ringing.is_over());
        assert_eq!(ringing.hear(&answers(2, &ANSWER.replace("recvonly", "inactive"))), Next::Dismiss(id(2)));
        assert!(ringing.is_over());
        assert_eq!(ringing.declined(), Some(Declined::With(Flaw::MediaRefused)));
    }

    /// OBS notices a reload at once, and calls while the page is still loading.
    #[test]
    fn a_page_that_was_loaded_again_is_called_again() {
        let reloaded = says(1, r#""type":"bye","reason":"reloaded""#);
        let mut call = ringing(&[1]);
        assert_eq!(call.hear(&reloaded), Next::Ask(id(1)));
        call.ask(id(1));
        assert!(!call.is_over());
        call.hear(&answers(1, ANSWER));
        assert!(call.is_answered());
        // Its connection is gone, so there is nothing to restart.
        let mut restart = Ringing::again(Kind::Encoder, OFFER, id(1));
        assert_eq!(restart.hear(&reloaded), Next::Nothing);
        assert!(restart.is_over());
    }

    #[test]
    fn an_answer_is_void_if_its_sender_leaves_or_hangs_up() {
        for end in [left(1), says(1, r#""type":"bye""#)] {
            let mut ringing = ringing(&[1]);
            ringing.hear(&answers(1, ANSWER));
            ringing.hear(&end);
            assert!(!ringing.is_answered() && ringing.asked().is_empty());
        }
        let mut closed = ringing(&[1]);
        closed.hear(&Content::RoomClosed);
        assert!(closed.is_over() && closed.is_closed());
    }
}

//! The name of an offer, its member `call`. Who is called repeats it, so that what is said about an earlier offer of the same encoder is
//! not taken for what is said about this one: the encoder's peer id, and so the mailbox, is the same for all of its calls.
//!
//! It is made of the offer itself: if a request is repeated, the answer to either offer fits both, and browsers answer only one.

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::api::whip::description::offer;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The connection: an ICE restart offers it again.
    connection: String,
    offer: String,
}

impl Mark {
    pub fn of(offer: &str) -> Self {
        Self { connection: digest(&offer::connection(offer)), offer: digest(offer) }
    }

    /// Reads what `to_text` wrote.
    pub fn parse(text: &str) -> Option<Self> {
        let (connection, offer) = text.split_once('-')?;
        Some(Self { connection: connection.to_owned(), offer: offer.to_owned() })
    }

    pub fn to_text(&self) -> String {
        format!("{}-{}", self.connection, self.offer)
    }

    /// Whether an answer or candidate with this member `call` may be for this offer. Clients that repeat none are believed.
    pub fn is_of_offer(&self, call: Option<&Value>) -> bool {
        call.and_then(Value::as_str).is_none_or(|call| call == self.to_text())
    }

    /// Whether a goodbye concerns this connection, whichever of its offers it names.
    pub fn is_of_connection(&self, call: Option<&Value>) -> bool {
        let names = |call: &str| call.split('-').next() == Some(self.connection.as_str());
        call.and_then(Value::as_str).is_none_or(names)
    }
}

fn digest(text: &str) -> String {
    let bytes: [u8; 32] = Sha256::digest(text).into();
    bytes[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OFFER: &str =
        "v=0\r\no=rtc 5 1 IN IP4 0.0.0.0\r\na=fingerprint:sha-256 AB\r\nm=video 9 X 96\r\na=ice-ufrag:u\r\n";

    /// Whether what names `other` concerns the offer, and its connection.
    fn concerns(other: &str) -> (bool, bool) {
        let (mark, other) = (Mark::of(OFFER), Value::from(Mark::of(other).to_text()));
        (mark.is_of_offer(Some(&other)), mark.is_of_connection(Some(&other)))
    }

    #[test]
    fn an_answer_names_its_offer_and_a_goodbye_its_connection() {
        assert_eq!(concerns(OFFER), (true, true));
        let restarted = OFFER.replace(" 5 1 ", " 5 2 ").replace("ufrag:u", "ufrag:v");
        assert_eq!(concerns(&restarted), (false, true));
        for other in [OFFER.replace(" 5 1 ", " 6 1 "), OFFER.replace("AB", "CD"), String::new()] {
            assert_eq!(concerns(&other), (false, false), "{other}");
        }
    }

    #[test]
    fn who_names_none_is_believed() {
        for none in [None, Some(Value::Null), Some(Value::from(1))] {
            let mark = Mark::of(OFFER);
            assert!(mark.is_of_offer(none.as_ref()) && mark.is_of_connection(none.as_ref()));
        }
    }
}

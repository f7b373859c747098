//! Encoders and players, and how the others in a room recognize them.

use crate::domain::{Metadata, PeerId};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Sends (WHIP).
    Encoder,
    /// Receives (WHEP).
    Player,
}

impl Kind {
    pub fn word(self) -> &'static str {
        match self {
            Self::Encoder => "encoder",
            Self::Player => "player",
        }
    }

    pub fn of(word: &str) -> Option<Self> {
        [Self::Encoder, Self::Player].into_iter().find(|kind| kind.word() == word)
    }

    pub fn default_name(self) -> &'static str {
        match self {
            Self::Encoder => "Encoder",
            Self::Player => "Player",
        }
    }

    /// What the card says: `rtc` is a convention for all peers (docs/clients.md).
    pub fn metadata(self) -> Metadata {
        let direction = match self {
            Self::Encoder => "sendonly",
            Self::Player => "recvonly",
        };
        let rtc = format!(r#"{{"trickle":false,"renegotiates":false,"channel":false,"direction":"{direction}"}}"#);
        Metadata::new(&format!(r#"{{"whip":"{}","rtc":{rtc}}}"#, self.word()))
    }
}

/// A peer's id made of a random number: a UUID of version 8 (RFC 9562 section 5.8), which no other peer has. So nobody else can
/// pass for an encoder, and messages to encoders are recognized without a lookup.
pub fn peer_id(number: u128) -> PeerId {
    let mut bytes = number.to_be_bytes();
    bytes[6] = bytes[6] & 0x0f | 0x80;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    PeerId::from_bytes(bytes)
}

pub fn is_peer(peer: PeerId) -> bool {
    peer.as_bytes()[6] >> 4 == 8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_encoders_are_uuids_that_nobody_else_has() {
        for number in [0, u128::MAX, 0x1234_5678_9abc_def0_1234_5678_9abc_def0] {
            let id = peer_id(number);
            assert!(is_peer(id), "{id}");
            assert_eq!(uuid::Uuid::from_bytes(*id.as_bytes()).get_variant(), uuid::Variant::RFC4122);
        }
        assert!(!is_peer(PeerId::from_bytes(uuid::Uuid::new_v4().into_bytes())));
    }

    #[test]
    fn the_card_is_valid_json() {
        for kind in [Kind::Encoder, Kind::Player] {
            let card: serde_json::Value = serde_json::from_str(kind.metadata().as_str()).unwrap();
            assert_eq!((&card["whip"], &card["rtc"]["trickle"]), (&kind.word().into(), &false.into()));
            assert_eq!(Kind::of(kind.word()), Some(kind));
        }
    }
}

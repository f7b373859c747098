//! What the others in a room are shown of a peer.

use std::sync::Arc;

use crate::domain::PeerId;

/// A display name: at most 64 characters, no control characters. It may be empty: a name is a courtesy. Then there is
/// nothing to keep.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Name(Option<Arc<str>>);

impl Name {
    pub const MAX_CHARS: usize = 64;

    pub fn parse(text: &str) -> Option<Self> {
        let fits = text.chars().count() <= Self::MAX_CHARS && !text.chars().any(char::is_control);
        fits.then(|| Self((!text.is_empty()).then(|| text.into())))
    }

    pub fn as_str(&self) -> &str {
        self.0.as_deref().unwrap_or_default()
    }
}

/// Whatever an app wants the others to know of a peer: the text of one JSON value, relayed as it was given.
/// The edge has checked that it is JSON; here only its size matters. Mostly there is none, and nothing to keep.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metadata(Option<Arc<str>>);

impl Metadata {
    const NONE: &str = "{}";

    pub fn new(json: &str) -> Self {
        Self((json != Self::NONE).then(|| json.into()))
    }

    pub fn as_str(&self) -> &str {
        self.0.as_deref().unwrap_or(Self::NONE)
    }
}

/// A peer as the roster shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    pub id: PeerId,
    pub name: Name,
    pub metadata: Metadata,
    /// Rises with each join of the room: of any two peers the one with the larger order came later, and is the polite
    /// one in perfect negotiation (W3C WebRTC 1.0, section 10.7).
    pub order: u64,
}

impl Card {
    /// What a card costs in a mailbox, in bytes.
    pub fn bytes(&self) -> usize {
        self.name.as_str().len() + self.metadata.as_str().len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_at_most_64_characters_of_text() {
        assert_eq!(Name::parse("").as_ref().map(Name::as_str), Some(""));
        assert!(Name::parse(&"é".repeat(64)).is_some());
        assert!(Name::parse(&"é".repeat(65)).is_none());
        assert!(Name::parse("a\u{0}b").is_none());
    }

    #[test]
    fn metadata_is_kept_as_it_was_given_and_empty_when_it_was_not() {
        for json in ["{}", "{ }", r#"{"a":1}"#] {
            assert_eq!(Metadata::new(json).as_str(), json);
        }
        assert_eq!(Metadata::default(), Metadata::new("{}"));
    }
}

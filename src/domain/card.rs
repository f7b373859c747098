//! What other peers see of a peer.

use std::sync::Arc;

use crate::domain::PeerId;

/// A display name: at most 64 characters, no control characters. It may be empty, which needs no allocation.
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

/// What an application tells the other peers about a peer: the text of one JSON value, relayed unchanged. The API has checked
/// that it is JSON. The default `{}` needs no allocation.
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

/// A peer's entry in the roster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    pub id: PeerId,
    pub name: Name,
    pub metadata: Metadata,
    /// Rises with each join. Of two peers, the one with the larger order joined later and is the polite one in perfect negotiation
    /// (W3C WebRTC 1.0, section 10.7).
    pub order: u64,
}

impl Card {
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
    fn metadata_is_unchanged_and_an_empty_object_by_default() {
        for json in ["{}", "{ }", r#"{"a":1}"#] {
            assert_eq!(Metadata::new(json).as_str(), json);
        }
        assert_eq!(Metadata::default(), Metadata::new("{}"));
    }
}

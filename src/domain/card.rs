//! What the others in a room are shown of a peer.

use std::sync::Arc;

use super::PeerId;

/// A display name: at most 64 characters, no control characters. It may be empty: a name is a courtesy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Name(Arc<str>);

impl Name {
    pub const MAX_CHARS: usize = 64;

    pub fn parse(text: &str) -> Option<Self> {
        let fits = text.chars().count() <= Self::MAX_CHARS && !text.chars().any(char::is_control);
        fits.then(|| Self(text.into()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whatever an app wants the others to know of a peer: the text of one JSON value, relayed as it was given.
/// The edge has checked that it is JSON; here only its size matters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata(Arc<str>);

impl Metadata {
    pub fn new(json: &str) -> Self {
        Self(json.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Metadata {
    fn default() -> Self {
        Self("{}".into())
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
        assert!(Name::parse("").is_some());
        assert!(Name::parse(&"é".repeat(64)).is_some());
        assert!(Name::parse(&"é".repeat(65)).is_none());
        assert!(Name::parse("a\u{0}b").is_none());
    }
}

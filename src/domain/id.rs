//! Rooms are identified by a name that people choose, peers and creators by a random number.

use std::{
    fmt,
    hash::{Hash, Hasher},
    sync::Arc,
};

/// The name of a room: 1–64 unreserved characters (RFC 3986 section 2.3), so that a name is the same text in a path, in a log
/// and in a link. `.` and `..` are refused: a URL parser would remove them (RFC 3986 section 5.2.4).
#[derive(Clone)]
pub struct RoomName(Text);

/// Most names are short and stored inline: with many rooms, each pointer that is followed is a cache miss.
#[derive(Clone)]
enum Text {
    Short { length: u8, bytes: [u8; RoomName::SHORT] },
    Long(Arc<str>),
}

impl RoomName {
    pub const MAX_LEN: usize = 64;
    /// Makes a name as large as three pointers.
    const SHORT: usize = 22;

    pub fn parse(text: &str) -> Option<Self> {
        let length_fits = (1..=Self::MAX_LEN).contains(&text.len());
        let alphabet_fits = text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'~' | b'-'));
        let is_dots = text == "." || text == "..";
        (length_fits && alphabet_fits && !is_dots).then(|| Self(Text::new(text)))
    }

    pub fn as_str(&self) -> &str {
        match &self.0 {
            Text::Short { .. } => std::str::from_utf8(self.as_bytes()).unwrap_or_default(),
            Text::Long(text) => text,
        }
    }

    pub fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Text::Short { length, bytes } => &bytes[..usize::from(*length)],
            Text::Long(text) => text.as_bytes(),
        }
    }
}

impl Text {
    fn new(text: &str) -> Self {
        let mut bytes = [0; RoomName::SHORT];
        match (bytes.get_mut(..text.len()), u8::try_from(text.len())) {
            (Some(place), Ok(length)) => {
                place.copy_from_slice(text.as_bytes());
                Self::Short { length, bytes }
            }
            _ => Self::Long(text.into()),
        }
    }
}

impl PartialEq for RoomName {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for RoomName {}

impl Hash for RoomName {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write(self.as_bytes());
        state.write_u8(0xff);
    }
}

impl fmt::Display for RoomName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for RoomName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RoomName({})", self.as_str())
    }
}

/// A random UUID, never given to a second peer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerId([u8; 16]);

/// Identifies the creation of a room. The room token carries it, and lets its holder lock and close the room and kick peers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CreatorId([u8; 16]);

impl PeerId {
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl CreatorId {
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

/// Who an app's login says somebody is: a digest of the `sub` of a ticket.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Subject([u8; 16]);

impl Subject {
    pub const fn from_digest(digest: [u8; 16]) -> Self {
        Self(digest)
    }

    pub const fn as_digest(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Subject(…)")
    }
}

/// The 8-4-4-4-12 form of RFC 9562 section 4.
impl fmt::Display for PeerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        let mut text = [b'-'; 36];
        let mut at = 0;
        for (index, byte) in self.0.iter().enumerate() {
            if matches!(index, 4 | 6 | 8 | 10) {
                at += 1;
            }
            text[at] = HEX[usize::from(byte >> 4)];
            text[at + 1] = HEX[usize::from(byte & 15)];
            at += 2;
        }
        f.write_str(std::str::from_utf8(&text).unwrap_or_default())
    }
}

impl fmt::Debug for PeerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_name_is_1_to_64_unreserved_characters() {
        for good in ["a", "tea", "A-Za-z0-9._~-", "...", &"x".repeat(64)] {
            assert!(RoomName::parse(good).is_some(), "{good}");
        }
        for bad in ["", ".", "..", "a b", "a/b", "a%2Fb", "tée", &"x".repeat(65)] {
            assert!(RoomName::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn short_and_long_names_are_stored_alike() {
        for length in [1, 21, 22, 23, 64] {
            let text = "x".repeat(length);
            let name = RoomName::parse(&text).unwrap();
            assert_eq!((name.as_str(), name.as_bytes()), (text.as_str(), text.as_bytes()));
            assert_eq!(name, name.clone());
            assert_ne!(Some(name), RoomName::parse(&text.replacen('x', "y", 1)));
        }
        assert_eq!(size_of::<RoomName>(), 24);
    }

    #[test]
    fn a_peer_id_prints_as_a_uuid() {
        let id = PeerId::from_bytes([
            0x12, 0x3e, 0x45, 0x67, 0xe8, 0x9b, 0x12, 0xd3, 0xa4, 0x56, 0x42, 0x66, 0x14, 0x17, 0x40, 0x00,
        ]);
        assert_eq!(id.to_string(), "123e4567-e89b-12d3-a456-426614174000");
    }
}

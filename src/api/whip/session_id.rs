//! What the URL of a session says. It is verified without a lookup, so a forged one costs nothing, and any node knows it.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use subtle::ConstantTimeEq;

use crate::{
    api::auth::token::TokenKey,
    domain::{Page, PeerId, RoomName},
};

/// Written as base64url(peer ‖ viewer ‖ page ‖ bearer ‖ HMAC).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionId {
    /// The encoder or player.
    pub peer: PeerId,
    /// Whose answer it has.
    pub viewer: PeerId,
    /// Of the request that began the session. A later one takes the seat, and this session is over.
    pub page: Page,
    /// A keyed digest of the bearer token of that request.
    bearer: [u8; 8],
}

const CONTENT: usize = 48;

impl SessionId {
    pub fn new(key: &TokenKey, peer: PeerId, viewer: PeerId, page: Page, bearer: Option<&str>) -> Self {
        Self { peer, viewer, page, bearer: digest(key, bearer) }
    }

    pub fn to_text(self, key: &TokenKey, room: &RoomName) -> String {
        let content = self.content();
        URL_SAFE_NO_PAD.encode([&content[..], &mac(key, room, &content)].concat())
    }

    pub fn verify(key: &TokenKey, room: &RoomName, text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (content, tag) = bytes.split_first_chunk::<CONTENT>()?;
        if !bool::from(mac(key, room, content).ct_eq(tag)) {
            return None;
        }
        let (peer, rest) = content.split_first_chunk()?;
        let (viewer, rest) = rest.split_first_chunk()?;
        let (page, rest) = rest.split_first_chunk()?;
        Some(Self {
            peer: PeerId::from_bytes(*peer),
            viewer: PeerId::from_bytes(*viewer),
            page: Page(u64::from_be_bytes(*page)),
            bearer: rest.try_into().ok()?,
        })
    }

    /// Whether this is the token of the request that began the session.
    pub fn is_of(&self, key: &TokenKey, bearer: Option<&str>) -> bool {
        digest(key, bearer).ct_eq(&self.bearer).into()
    }

    fn content(&self) -> [u8; CONTENT] {
        let mut content = [0; CONTENT];
        content[..16].copy_from_slice(self.peer.as_bytes());
        content[16..32].copy_from_slice(self.viewer.as_bytes());
        content[32..40].copy_from_slice(&self.page.0.to_be_bytes());
        content[40..].copy_from_slice(&self.bearer);
        content
    }
}

fn mac(key: &TokenKey, room: &RoomName, content: &[u8]) -> [u8; 16] {
    key.derive(b"whip-session", &[room.as_bytes(), b"\0", content].concat()).to_be_bytes()
}

fn digest(key: &TokenKey, bearer: Option<&str>) -> [u8; 8] {
    // No token differs from an empty one, which there is not.
    let digest = key.derive(b"whip-bearer", bearer.unwrap_or_default().as_bytes());
    (digest as u64).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_known_in_its_room_with_its_key_and_nowhere_else() {
        let key = TokenKey::from_bytes(b"sixteen letters!");
        let [room, other] = ["tea", "te"].map(|name| RoomName::parse(name).unwrap());
        let [peer, viewer] = [1, 2].map(|byte| PeerId::from_bytes([byte; 16]));
        let id = SessionId::new(&key, peer, viewer, Page(7), Some("token"));
        let text = id.to_text(&key, &room);
        assert_eq!(SessionId::verify(&key, &room, &text), Some(id));
        assert!(id.is_of(&key, Some("token")) && !id.is_of(&key, None) && !id.is_of(&key, Some("tokem")));
        assert_eq!(SessionId::verify(&key, &other, &text), None);
        assert_eq!(SessionId::verify(&TokenKey::from_bytes(b"another sixteen!"), &room, &text), None);
        for at in 0..text.len() {
            let letter = if &text[at..=at] == "A" { "B" } else { "A" };
            let forged = [&text[..at], letter, &text[at + 1..]].concat();
            assert_eq!(SessionId::verify(&key, &room, &forged), None, "{at}");
        }
        for bad in ["", "x", &text[1..], &text[..64], &format!("{text}A")] {
            assert_eq!(SessionId::verify(&key, &room, bad), None, "{bad}");
        }
    }
}

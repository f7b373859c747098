//! Tokens speak for a peer or manage a room. They are verified without a lookup, so any node with the key can verify any
//! token.
//!
//! A peer's token is base64url(peer id ‖ HMAC-SHA256(key, room ‖ peer id)) (RFC 2104, RFC 4648 section 5). A room
//! token is `room.` and the same with the creator's id, where the MAC covers a prefix that no room name can have.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use crate::domain::{CreatorId, PeerId, RoomName};

/// The key that signs and verifies tokens.
#[derive(Clone)]
pub struct TokenKey(Hmac<Sha256>);

const ROOM_TOKEN_PREFIX: &str = "room.";
const ROOM_MAC_PREFIX: &[u8] = b"\0room-token\0";

impl TokenKey {
    /// 128 bits as text, too many to guess.
    pub const MIN_LEN: usize = 16;
    /// An id of 16 bytes and a MAC of 32, in base64.
    pub const PEER_TOKEN_LEN: usize = 64;

    /// A key from the operator's secret, or `None` if that is too short.
    pub fn from_secret(secret: &SecretString) -> Option<Self> {
        let bytes = secret.expose_secret().trim().as_bytes();
        (bytes.len() >= Self::MIN_LEN).then(|| Self::from_bytes(bytes))
    }

    /// A key for the life of this process.
    pub fn random() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes)?;
        Ok(Self::from_bytes(&bytes))
    }

    fn from_bytes(bytes: &[u8]) -> Self {
        // HMAC takes a zero-padded block; hashing makes any secret fit into it.
        let mut block = [0; 64];
        block[..32].copy_from_slice(&Sha256::digest(bytes));
        Self(Hmac::new(&block.into()))
    }

    pub fn peer_token(&self, room: &RoomName, peer: PeerId) -> String {
        encode(peer.as_bytes(), self.mac(&[room.as_bytes(), peer.as_bytes()]))
    }

    pub fn room_token(&self, room: &RoomName, creator: CreatorId) -> String {
        let mac = self.mac(&[ROOM_MAC_PREFIX, room.as_bytes(), creator.as_bytes()]);
        format!("{ROOM_TOKEN_PREFIX}{}", encode(creator.as_bytes(), mac))
    }

    /// The token's peer, if it is valid for this room.
    pub fn verify_peer(&self, room: &RoomName, token: &str) -> Option<PeerId> {
        let (id, tag) = decode(token)?;
        self.mac(&[room.as_bytes(), &id]).verify_slice(&tag).ok()?;
        Some(PeerId::from_bytes(id))
    }

    pub fn verify_room(&self, room: &RoomName, token: &str) -> Option<CreatorId> {
        let (id, tag) = decode(token.strip_prefix(ROOM_TOKEN_PREFIX)?)?;
        self.mac(&[ROOM_MAC_PREFIX, room.as_bytes(), &id]).verify_slice(&tag).ok()?;
        Some(CreatorId::from_bytes(id))
    }

    /// A pseudorandom number from the key, the label and the bytes.
    pub fn derive(&self, label: &[u8], bytes: &[u8]) -> u128 {
        let digest = self.mac(&[b"\0", label, b"\0", bytes]).finalize().into_bytes();
        digest.iter().take(16).fold(0, |number, byte| (number << 8) | u128::from(*byte))
    }

    fn mac(&self, parts: &[&[u8]]) -> Hmac<Sha256> {
        parts.iter().fold(self.0.clone(), |mac, part| mac.chain_update(part))
    }
}

impl std::fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TokenKey(…)")
    }
}

fn encode(id: &[u8; 16], mac: Hmac<Sha256>) -> String {
    let mut bytes = [0; 48];
    bytes[..16].copy_from_slice(id);
    bytes[16..].copy_from_slice(&mac.finalize().into_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

fn decode(token: &str) -> Option<([u8; 16], [u8; 32])> {
    let mut bytes = [0; 48];
    let length = URL_SAFE_NO_PAD.decode_slice(token, &mut bytes).ok()?;
    let (id, tag) = bytes.split_at(16);
    (length == bytes.len()).then_some((id.try_into().ok()?, tag.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> TokenKey {
        TokenKey::from_secret(&text.to_string().into()).unwrap()
    }

    fn room(name: &str) -> RoomName {
        RoomName::parse(name).unwrap()
    }

    #[test]
    fn a_token_opens_its_own_room_with_its_own_key_and_nothing_else() {
        let ours = key("sixteen letters!");
        let peer = PeerId::from_bytes([7; 16]);
        let token = ours.peer_token(&room("tea"), peer);
        assert_eq!(token.len(), TokenKey::PEER_TOKEN_LEN);
        assert_eq!(ours.verify_peer(&room("tea"), &token), Some(peer));
        assert_eq!(ours.verify_peer(&room("coffee"), &token), None);
        assert_eq!(key("another sixteen letters").verify_peer(&room("tea"), &token), None);
        assert_eq!(ours.verify_room(&room("tea"), &token), None);
        assert_eq!(ours.verify_room(&room("tea"), &format!("room.{token}")), None);
        for bad in ["", "x", &token[1..], &token[..63], &format!("{token}A"), "…"] {
            assert_eq!(ours.verify_peer(&room("tea"), bad), None, "{bad}");
        }
    }

    #[test]
    fn a_room_token_is_not_a_peers() {
        let ours = key("sixteen letters!");
        let creator = CreatorId::from_bytes([7; 16]);
        let token = ours.room_token(&room("tea"), creator);
        assert_eq!(ours.verify_room(&room("tea"), &token), Some(creator));
        assert_eq!(ours.verify_room(&room("te"), &token), None);
        assert_eq!(ours.verify_peer(&room("tea"), token.trim_start_matches("room.")), None);
    }

    #[test]
    fn a_short_key_is_refused() {
        assert!(TokenKey::from_secret(&"fifteen letters".to_string().into()).is_none());
    }
}

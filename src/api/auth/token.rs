//! Tokens speak for a peer or manage a room. They are verified without a lookup, so any node with the key can verify any
//! token.
//!
//! A peer's token is base64url(seat ‖ HMAC-SHA256(key, room ‖ seat)) (RFC 2104, RFC 4648 section 5), where the seat is the peer's
//! id, the creator's id and the digest of the room's secret. So a peer that creates the room anew, after a restart, creates it
//! with its secret and its creator. A room token is `room.` and the same with only the creator's id, where the MAC covers a
//! prefix that no room name can have.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use twox_hash::XxHash3_64;

use crate::{
    api::auth::key_strength::check_key,
    domain::{CreatorId, PeerId, RoomName, Secret, Source, Subject},
    transport::client_address::AddressKey,
};

/// The key that signs and verifies tokens.
#[derive(Clone)]
pub struct TokenKey {
    mac: Hmac<Sha256>,
    /// Makes numbers of addresses.
    seed: u64,
}

/// What a peer's token says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeatClaim {
    pub peer: PeerId,
    pub creator: CreatorId,
    pub secret: Option<Secret>,
}

const ID_LEN: usize = 16;
const SEAT_LEN: usize = 2 * ID_LEN + Secret::LEN;
const NO_SECRET: [u8; Secret::LEN] = [0; Secret::LEN];
const PSEUDONYM_PREFIX: &[u8] = b"\0pseudonym\0";
const SUBJECT_PREFIX: &[u8] = b"\0subject\0";
const SECRET_PREFIX: &[u8] = b"\0room-secret\0";
const ROOM_TOKEN_PREFIX: &str = "room.";
const ROOM_MAC_PREFIX: &[u8] = b"\0room-token\0";

impl TokenKey {
    /// 128 bits as text, too many to guess.
    const MIN_LEN: usize = 16;
    /// A seat of 46 bytes and a MAC of 32, in base64.
    pub const PEER_TOKEN_LEN: usize = 104;

    /// A key from the operator's secret. An error says why that does not do.
    pub fn from_secret(secret: &SecretString) -> Result<Self, String> {
        let bytes = secret.expose_secret().trim().as_bytes();
        check_key(bytes, Self::MIN_LEN)?;
        Ok(Self::from_bytes(bytes))
    }

    /// A key for the life of this process.
    pub fn random() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes)?;
        Ok(Self::from_bytes(&bytes))
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Self {
        // HMAC takes a zero-padded block; hashing makes any secret fit into it.
        let mut block = [0; 64];
        block[..32].copy_from_slice(&Sha256::digest(bytes));
        let key = Self { mac: Hmac::new(&block.into()), seed: 0 };
        Self { seed: key.derive(b"sources", b"") as u64, ..key }
    }

    pub fn peer_token(&self, room: &RoomName, claim: &SeatClaim) -> String {
        let secret = claim.secret.as_ref().map_or(&NO_SECRET, Secret::as_digest);
        let seat = [claim.peer.as_bytes(), claim.creator.as_bytes(), &secret[..]].concat();
        encode(&seat, self.mac(&[room.as_bytes(), &seat]))
    }

    pub fn room_token(&self, room: &RoomName, creator: CreatorId) -> String {
        let mac = self.mac(&[ROOM_MAC_PREFIX, room.as_bytes(), creator.as_bytes()]);
        format!("{ROOM_TOKEN_PREFIX}{}", encode(creator.as_bytes(), mac))
    }

    /// What the token says, if it is valid for this room.
    pub fn verify_peer(&self, room: &RoomName, token: &str) -> Option<SeatClaim> {
        let (seat, tag) = decode::<SEAT_LEN>(token)?;
        self.mac(&[room.as_bytes(), &seat]).verify_slice(&tag).ok()?;
        let (peer, rest) = seat.split_first_chunk()?;
        let (creator, secret) = rest.split_first_chunk()?;
        let secret: [u8; Secret::LEN] = secret.try_into().ok()?;
        Some(SeatClaim {
            peer: PeerId::from_bytes(*peer),
            creator: CreatorId::from_bytes(*creator),
            secret: (secret != NO_SECRET).then(|| Secret::from_digest(secret)),
        })
    }

    pub fn verify_room(&self, room: &RoomName, token: &str) -> Option<CreatorId> {
        let (id, tag) = decode::<ID_LEN>(token.strip_prefix(ROOM_TOKEN_PREFIX)?)?;
        self.mac(&[ROOM_MAC_PREFIX, room.as_bytes(), &id]).verify_slice(&tag).ok()?;
        Some(CreatorId::from_bytes(id))
    }

    /// What is stored of a room's secret. Without the key it cannot be guessed from it.
    pub fn digest_secret(&self, room: &RoomName, secret: &str) -> Secret {
        let mac = self.mac(&[SECRET_PREFIX, room.as_bytes(), b"\0", secret.as_bytes()]).finalize().into_bytes();
        let mut digest = NO_SECRET;
        digest.copy_from_slice(&mac[..Secret::LEN]);
        Secret::from_digest(digest)
    }

    /// What is stored of the `sub` of a ticket, which may be an e-mail address.
    pub fn digest_subject(&self, subject: &str) -> Subject {
        let mac = self.mac(&[SUBJECT_PREFIX, subject.as_bytes()]).finalize().into_bytes();
        let mut digest = [0; 16];
        digest.copy_from_slice(&mac[..16]);
        Subject::from_digest(digest)
    }

    /// A name that does not reveal what it stands for.
    pub fn pseudonym(&self, label: &[u8], bytes: &[u8]) -> String {
        let mac = self.mac(&[PSEUDONYM_PREFIX, label, b"\0", bytes]).finalize().into_bytes();
        URL_SAFE_NO_PAD.encode(&mac[..12])
    }

    /// A pseudorandom number from the key, the label and the bytes.
    pub fn derive(&self, label: &[u8], bytes: &[u8]) -> u128 {
        let digest = self.mac(&[b"\0", label, b"\0", bytes]).finalize().into_bytes();
        digest.iter().take(16).fold(0, |number, byte| (number << 8) | u128::from(*byte))
    }

    /// A key for another purpose, the same on each node with this key.
    pub fn derive_key(&self, label: &[u8]) -> [u8; 32] {
        self.mac(&[b"\0", label]).finalize().into_bytes().into()
    }

    /// What a client's address is called in rooms and in the store: the same on each node with this key. A keyed hash, so that
    /// the store has no addresses.
    pub fn source(&self, address: AddressKey) -> Source {
        let hash = |seed, number: u64| XxHash3_64::oneshot_with_seed(seed, &number.to_be_bytes());
        Source { address: hash(self.seed, address.number()), network: hash(!self.seed, address.network().number()) }
    }

    fn mac(&self, parts: &[&[u8]]) -> Hmac<Sha256> {
        parts.iter().fold(self.mac.clone(), |mac, part| mac.chain_update(part))
    }
}

impl std::fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TokenKey(…)")
    }
}

fn encode(content: &[u8], mac: Hmac<Sha256>) -> String {
    URL_SAFE_NO_PAD.encode([content, &mac.finalize().into_bytes()].concat())
}

fn decode<const LEN: usize>(token: &str) -> Option<([u8; LEN], [u8; 32])> {
    let mut bytes = [0; SEAT_LEN + 32];
    let length = URL_SAFE_NO_PAD.decode_slice(token, &mut bytes).ok()?;
    let (content, tag) = bytes[..length].split_first_chunk()?;
    Some((*content, tag.try_into().ok()?))
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

    const CLAIM: SeatClaim = SeatClaim {
        peer: PeerId::from_bytes([7; 16]),
        creator: CreatorId::from_bytes([8; 16]),
        secret: Some(Secret::from_digest([9; Secret::LEN])),
    };

    #[test]
    fn a_token_opens_its_own_room_with_its_own_key_and_nothing_else() {
        let ours = key("kZ3vq9TfWm1x8LrP0aYdBc");
        for claim in [CLAIM, SeatClaim { secret: None, ..CLAIM }] {
            let token = ours.peer_token(&room("tea"), &claim);
            assert_eq!(token.len(), TokenKey::PEER_TOKEN_LEN);
            assert_eq!(ours.verify_peer(&room("tea"), &token), Some(claim));
            assert_eq!(ours.verify_peer(&room("coffee"), &token), None);
            assert_eq!(key("9f86d081884c7d659a2feaa0c55ad015").verify_peer(&room("tea"), &token), None);
            assert_eq!(ours.verify_room(&room("tea"), &token), None);
            assert_eq!(ours.verify_room(&room("tea"), &format!("room.{token}")), None);
            for bad in ["", "x", &token[1..], &token[..103], &token[..64], &format!("{token}A"), "…"] {
                assert_eq!(ours.verify_peer(&room("tea"), bad), None, "{bad}");
            }
        }
    }

    #[test]
    fn a_room_token_is_not_a_peers() {
        let ours = key("kZ3vq9TfWm1x8LrP0aYdBc");
        let token = ours.room_token(&room("tea"), CLAIM.creator);
        assert_eq!(ours.verify_room(&room("tea"), &token), Some(CLAIM.creator));
        assert_eq!(ours.verify_room(&room("te"), &token), None);
        assert_eq!(ours.verify_peer(&room("tea"), token.trim_start_matches("room.")), None);
    }

    #[test]
    fn a_secret_has_another_digest_in_another_room_or_with_another_key() {
        let ours = key("kZ3vq9TfWm1x8LrP0aYdBc");
        let digest = ours.digest_secret(&room("tea"), "two lumps");
        assert_eq!(digest, ours.digest_secret(&room("tea"), "two lumps"));
        assert_ne!(digest, ours.digest_secret(&room("tea"), "two lump"));
        assert_ne!(digest, ours.digest_secret(&room("te"), "two lumps"));
        assert_ne!(digest, key("9f86d081884c7d659a2feaa0c55ad015").digest_secret(&room("tea"), "two lumps"));
    }

    #[test]
    fn a_key_that_can_be_guessed_is_refused() {
        assert!(TokenKey::from_secret(&"changemechangeme".to_string().into()).is_err());
    }
}

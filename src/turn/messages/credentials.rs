//! Credentials for this server's own relay, and nonces. Nothing is stored for either.
//!
//! The user name is `expiry:sealed`, with the expiry in Unix seconds as in draft-uberti-behave-turn-rest-00; what is sealed
//! (ChaCha20-Poly1305, RFC 8439) says whose it is: room, peer and address. So any node that has the key knows a member from the
//! request alone, and nobody on the transport, who sees the name over UDP, learns the name of a room. The password is
//! base64(HMAC-SHA1(key, user name)), and the key of MESSAGE-INTEGRITY that of long-term credentials (RFC 8489 section 9.2.2).

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use hmac::{Hmac, KeyInit, Mac};
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use secrecy::{ExposeSecret, SecretString};
use sha1::Sha1;
use sha2::Sha256;
use stun_types::message::{IntegrityAlgorithm, IntegrityKey, LongTermKeyCredentials};
use subtle::ConstantTimeEq;

use crate::{
    domain::{PeerId, RoomName},
    transport::client_address::AddressKey,
};

/// Short, because it is in every challenge, and those go to addresses that may be forged.
pub const REALM: &str = "turn";
/// After this, clients get a new nonce (438) and repeat the request.
const NONCE_SECONDS: u32 = 3600;
const NONCE_MAC_BYTES: usize = 8;
/// What is sealed: peer, address, room name.
const PEER_BYTES: usize = 16;
const ADDRESS_BYTES: usize = 16;
const USERNAME_MAX: usize = 256;

/// Who an allocation belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    pub room: RoomName,
    pub peer: PeerId,
    /// From which it got the credentials, as limits count it.
    pub address: AddressKey,
}

/// Credentials that are valid until a time, and whose they are.
#[derive(Debug, PartialEq, Eq)]
pub struct Claim {
    pub member: Member,
    pub expires_unix: u64,
}

pub struct Credentials {
    password_key: SecretString,
    seal: LessSafeKey,
    nonce_key: [u8; 32],
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credentials")
    }
}

impl Credentials {
    /// From a key that all nodes have. Nonces are only for this process.
    pub fn new(key: &[u8; 32]) -> std::io::Result<Self> {
        let derived = |label: &str| mac(key, &[label.as_bytes()]);
        let seal =
            UnboundKey::new(&CHACHA20_POLY1305, &derived("seal")).map_err(|_| std::io::ErrorKind::InvalidInput)?;
        let mut nonce_key = [0; 32];
        getrandom::fill(&mut nonce_key)?;
        Ok(Self { password_key: STANDARD.encode(derived("password")).into(), seal: LessSafeKey::new(seal), nonce_key })
    }

    /// The user name and password of a member.
    pub fn issue(&self, member: &Member, expires_unix: u64) -> (String, String) {
        let expiry = expires_unix.to_string();
        let mut sealed = vec![0; NONCE_LEN];
        // Without randomness, the nonce would repeat; such a name fails to open, and the client goes without the relay.
        let has_nonce = getrandom::fill(&mut sealed).is_ok();
        let mut plain = Vec::with_capacity(PEER_BYTES + ADDRESS_BYTES + RoomName::MAX_LEN);
        plain.extend(member.peer.as_bytes());
        plain.extend(member.address.to_bytes());
        plain.extend(member.room.as_bytes());
        if let (true, Ok(nonce)) = (has_nonce, Nonce::try_assume_unique_for_key(&sealed))
            && self.seal.seal_in_place_append_tag(nonce, Aad::from(expiry.as_bytes()), &mut plain).is_ok()
        {
            sealed.extend(plain);
        }
        let username = format!("{expiry}:{}", URL_SAFE_NO_PAD.encode(sealed));
        let password = password(&self.password_key, &username);
        (username, password)
    }

    /// Whose credentials these are, if this server or another node issued them.
    pub fn open(&self, username: &str) -> Option<Claim> {
        let (expiry, sealed) = username.split_once(':').filter(|_| username.len() <= USERNAME_MAX)?;
        let mut sealed = URL_SAFE_NO_PAD.decode(sealed).ok()?;
        let (nonce, sealed) = sealed.split_at_mut_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let plain = self.seal.open_in_place(nonce, Aad::from(expiry.as_bytes()), sealed).ok()?;
        let (peer, rest) = plain.split_first_chunk::<PEER_BYTES>()?;
        let (address, room) = rest.split_first_chunk::<ADDRESS_BYTES>()?;
        let member = Member {
            room: RoomName::parse(std::str::from_utf8(room).ok()?)?,
            peer: PeerId::from_bytes(*peer),
            address: IpAddr::from(Ipv6Addr::from(*address)).into(),
        };
        Some(Claim { member, expires_unix: expiry.parse().ok()? })
    }

    /// The key for MESSAGE-INTEGRITY.
    pub fn integrity_key(&self, username: &str) -> IntegrityKey {
        let password = password(&self.password_key, username);
        LongTermKeyCredentials::new(username.into(), password, REALM.into()).make_key(IntegrityAlgorithm::Sha1)
    }

    /// A nonce for one client address, which nobody else can use.
    pub fn nonce(&self, client: SocketAddr, unix_seconds: u64) -> String {
        // The time in seconds modulo 136 years.
        let time = (unix_seconds as u32).to_be_bytes();
        let mac = self.nonce_mac(client, time);
        STANDARD.encode([&time[..], &mac[..]].concat())
    }

    pub fn is_fresh(&self, nonce: &str, client: SocketAddr, unix_seconds: u64) -> bool {
        let Ok(bytes) = STANDARD.decode(nonce) else { return false };
        let Some((time, mac)) = bytes.split_first_chunk::<4>() else { return false };
        let is_ours = bool::from(self.nonce_mac(client, *time).ct_eq(mac));
        is_ours && (unix_seconds as u32).wrapping_sub(u32::from_be_bytes(*time)) < NONCE_SECONDS
    }

    fn nonce_mac(&self, client: SocketAddr, time: [u8; 4]) -> [u8; NONCE_MAC_BYTES] {
        let ip = match client.ip() {
            IpAddr::V4(ip) => ip.to_ipv6_mapped(),
            IpAddr::V6(ip) => ip,
        };
        let full = mac(&self.nonce_key, &[&time, &ip.octets(), &client.port().to_be_bytes()]);
        let mut short = [0; NONCE_MAC_BYTES];
        short.copy_from_slice(&full[..NONCE_MAC_BYTES]);
        short
    }
}

/// The password for a user name (draft-uberti-behave-turn-rest-00).
pub fn password(secret: &SecretString, username: &str) -> String {
    // HMAC accepts keys of any length (RFC 2104), so this cannot fail.
    let mac = Hmac::<Sha1>::new_from_slice(secret.expose_secret().as_bytes());
    mac.map(|mac| STANDARD.encode(mac.chain_update(username.as_bytes()).finalize().into_bytes())).unwrap_or_default()
}

fn mac(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    // HMAC accepts keys of any length (RFC 2104), so this cannot fail.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return [0; 32] };
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed with `openssl dgst -sha1 -hmac north -binary | base64`.
    #[test]
    fn the_password_is_the_hmac_sha1_of_the_user_name() {
        assert_eq!(password(&"north".to_string().into(), "1433895918:12334"), "D2z3GKCuvPnlJaCR4joJ/GuCSzM=");
    }

    fn member(room: &str) -> Member {
        let address = "192.0.2.7".parse::<IpAddr>().unwrap().into();
        Member { room: RoomName::parse(room).unwrap(), peer: PeerId::from_bytes([7; 16]), address }
    }

    #[test]
    fn any_node_with_the_key_knows_whose_credentials_they_are() {
        let [one, other] = [Credentials::new(&[1; 32]).unwrap(), Credentials::new(&[1; 32]).unwrap()];
        for room in ["tea", &"x".repeat(64)] {
            let (username, password) = one.issue(&member(room), 1_800_000_000);
            assert_eq!(other.open(&username), Some(Claim { member: member(room), expires_unix: 1_800_000_000 }));
            assert_eq!(other.integrity_key(&username), one.integrity_key(&username));
            assert_eq!(password.len(), 28);
            assert!(username.starts_with("1800000000:") && username.len() <= USERNAME_MAX, "{username}");
            assert!(!username.contains(room));
        }
    }

    #[test]
    fn nothing_else_is_a_user_name() {
        let credentials = Credentials::new(&[1; 32]).unwrap();
        let (username, _) = credentials.issue(&member("tea"), 1_800_000_000);
        assert_eq!(Credentials::new(&[2; 32]).unwrap().open(&username), None);
        for position in 0..username.len() {
            let mut bytes = username.clone().into_bytes();
            bytes[position] ^= 1;
            let forged = String::from_utf8(bytes).unwrap();
            assert_eq!(credentials.open(&forged), None, "{forged}");
        }
        for odd in ["", ":", "1800000000", "1800000000:", "1800000000:AAAA", &"9".repeat(600)] {
            assert_eq!(credentials.open(odd), None, "{odd}");
        }
    }

    #[test]
    fn a_nonce_is_for_one_address_for_an_hour() {
        let credentials = Credentials::new(&[1; 32]).unwrap();
        let [a, b] = ["192.0.2.1:5", "192.0.2.1:6"].map(|text| text.parse().unwrap());
        let nonce = credentials.nonce(a, 1_000_000);
        assert!(credentials.is_fresh(&nonce, a, 1_003_599));
        for (client, now) in [(b, 1_000_000), (a, 1_003_600), (a, 999_999)] {
            assert!(!credentials.is_fresh(&nonce, client, now));
        }
        for odd in ["", "é", "AAAA", &nonce[..12], &nonce.replace(&nonce[..2], "//")] {
            assert!(!credentials.is_fresh(odd, a, 1_000_000), "{odd}");
        }
        assert_eq!(nonce.len(), 16);
    }
}

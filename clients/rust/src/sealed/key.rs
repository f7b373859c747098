//! The key of a sealed room.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use ring::aead::{AES_256_GCM, LessSafeKey, UnboundKey};
use ring::hkdf::{HKDF_SHA256, KeyType, Salt};
use ring::pbkdf2::{self, PBKDF2_HMAC_SHA256};
use ring::rand::{SecureRandom, SystemRandom};
use unicode_normalization::UnicodeNormalization as _;

use super::base64url;
use crate::Error;

const LABEL: &str = "signalpost/sealed/1";
const BYTES: usize = 32;
const ITERATIONS: NonZeroU32 = NonZeroU32::new(600_000).unwrap();

/// What everybody in a sealed room has and the server has not. Its `Debug` does not show it.
///
/// ```
/// use signalpost_client::RoomKey;
///
/// let key = RoomKey::new();
/// // For a link, whose fragment is sent to no server: https://example.org/?room=tea#key=…
/// let text = key.to_text();
/// assert_eq!(text.parse::<RoomKey>()?, key);
/// # Ok::<(), signalpost_client::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct RoomKey([u8; BYTES]);

impl RoomKey {
    /// A new one.
    ///
    /// # Panics
    ///
    /// If the operating system has no random numbers.
    #[allow(clippy::new_without_default, reason = "a default is not random")]
    pub fn new() -> Self {
        Self(random())
    }

    /// From a text on which people agree; anybody who can guess it can read everything. It takes a good part of a second, so do
    /// it where that may block, or let [`Join::passphrase`](crate::Join::passphrase) do it.
    ///
    /// # Errors
    ///
    /// If the passphrase is empty.
    pub fn from_passphrase(passphrase: &str, room: &str) -> Result<Self, Error> {
        if passphrase.is_empty() {
            return Err(Error::invalid("The passphrase is empty."));
        }
        // The same text may be typed as different code points (RFC 8265, section 4.2).
        let passphrase: String = passphrase.nfc().collect();
        let mut key = [0; BYTES];
        pbkdf2::derive(
            PBKDF2_HMAC_SHA256,
            ITERATIONS,
            format!("{LABEL}/{room}").as_bytes(),
            passphrase.as_bytes(),
            &mut key,
        );
        Ok(Self(key))
    }

    /// As base64url: what the others need.
    pub fn to_text(&self) -> String {
        base64url::encode(&self.0)
    }

    /// The key for messages from one peer to another, or to all if `to` is empty.
    pub(crate) fn pair(&self, room: &str, from: &str, to: &str) -> [u8; BYTES] {
        let info = [room.as_bytes(), b"\0", from.as_bytes(), b"\0", to.as_bytes()];
        let mut key = [0; BYTES];
        let extracted = Salt::new(HKDF_SHA256, LABEL.as_bytes()).extract(&self.0);
        let filled = extracted.expand(&info, Length).and_then(|expanded| expanded.fill(&mut key));
        debug_assert!(filled.is_ok(), "HKDF gives up to 255 times as much");
        key
    }

    pub(crate) fn cipher(&self, room: &str, from: &str, to: &str) -> LessSafeKey {
        #[allow(clippy::expect_used, reason = "it fails only for another length")]
        LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &self.pair(room, from, to)).expect("the length is right"))
    }
}

impl FromStr for RoomKey {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let bytes = base64url::decode(text).and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or_else(|| Error::invalid("A room key is 43 characters of base64url."))
    }
}

impl fmt::Debug for RoomKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RoomKey").finish_non_exhaustive()
    }
}

struct Length;

impl KeyType for Length {
    fn len(&self) -> usize {
        BYTES
    }
}

pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    #[allow(clippy::expect_used, reason = "without random numbers nothing can be sealed")]
    SystemRandom::new().fill(&mut bytes).expect("the operating system has no random numbers");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_exactly_32_bytes_of_base64url() {
        let text = RoomKey::new().to_text();
        assert_eq!(text.parse::<RoomKey>().unwrap().to_text(), text);
        let [most, last] = [&text[..42], &text[42..]];
        assert_ne!(last, "9");
        for odd in [
            "",
            most,
            &format!("{text}A"),
            &format!("{text}="),
            &format!("{most}9"),
            &"+".repeat(43),
            &base64url::encode(&[0; 31]),
        ] {
            assert!(odd.parse::<RoomKey>().is_err(), "{odd}");
        }
        assert!(RoomKey::from_passphrase("", "tea").is_err());
    }

    #[test]
    fn it_is_not_shown() {
        let key = RoomKey::new();
        assert!(!format!("{key:?}").contains(&key.to_text()));
    }
}

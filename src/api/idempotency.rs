//! The `Idempotency-Key` header.

use sha2::{Digest, Sha256};
use twox_hash::XxHash3_128;

use crate::{
    api::{
        operation::{Call, FromRequest},
        problem::{Code, Problem},
    },
    domain::KeyedRequest,
    transport::known_header::KnownHeader,
};

/// The request's key, if it has one.
///
/// Whoever knows the key of a join can have the join's answer again, token and all: so a key is as long as a secret.
#[derive(Clone, Debug)]
pub struct IdempotencyKey(Option<String>);

impl IdempotencyKey {
    /// The key together with what was asked: `parts` tell this request from any other.
    pub fn keyed(&self, parts: &[&[u8]]) -> Option<KeyedRequest> {
        let key = self.0.as_deref()?;
        let key = Sha256::digest(key.as_bytes()).iter().take(16).fold(0, |key, byte| (key << 8) | u128::from(*byte));
        Some(KeyedRequest { key, request: fingerprint(parts) })
    }

    pub fn parse(value: &[u8]) -> Option<Self> {
        let fits = (16..=64).contains(&value.len()) && value.iter().all(u8::is_ascii_graphic);
        fits.then(|| String::from_utf8(value.to_vec()).ok()).flatten().map(|key| Self(Some(key)))
    }

    pub fn as_deref(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

impl FromRequest for IdempotencyKey {
    fn from_request(call: &Call<'_>) -> Result<Self, Problem> {
        let Some(value) = call.headers().get(KnownHeader::IdempotencyKey) else { return Ok(Self(None)) };
        Self::parse(value).ok_or_else(|| {
            Problem::new(Code::MalformedRequest, "`Idempotency-Key` has 16 to 64 visible ASCII characters; use a UUID.")
        })
    }
}

/// Tells a client's own requests apart. Nobody gains by making two that look the same, so it need not withstand that,
/// and the bodies may be long.
fn fingerprint(parts: &[&[u8]]) -> u128 {
    let mut hash = XxHash3_128::new();
    for part in parts {
        hash.write(&part.len().to_le_bytes());
        hash.write(part);
    }
    hash.finish_128()
}

//! The `Idempotency-Key` header.

use sha2::{Digest, Sha256};
use twox_hash::XxHash3_128;
use utoipa::IntoParams;

use crate::{
    api::{Call, Code, FromRequest, Problem},
    domain::KeyedRequest,
    transport::known_header::KnownHeader,
};

/// The request's key, if it has one.
///
/// The key of a join gives access to its response, including the token, so a key is as long as a secret.
#[derive(Clone, Debug, IntoParams)]
#[into_params(names("Idempotency-Key"), parameter_in = Header)]
pub struct IdempotencyKey(
    /// A UUID. A repeated request with the same key gets the first response again and has no further effect.
    #[param(nullable = false, pattern = "^[!-~]{16,64}$")]
    Option<String>,
);

impl IdempotencyKey {
    /// The key, together with a fingerprint of the request's `parts`.
    pub fn keyed(&self, parts: &[&[u8]]) -> Option<KeyedRequest> {
        let key = self.0.as_deref()?;
        let key = Sha256::digest(key.as_bytes()).iter().take(16).fold(0, |key, byte| (key << 8) | u128::from(*byte));
        Some(KeyedRequest { key, request: fingerprint(parts) })
    }

    pub fn parse(value: &[u8]) -> Option<Self> {
        let is_valid = (16..=64).contains(&value.len()) && value.iter().all(u8::is_ascii_graphic);
        is_valid.then(|| Self(String::from_utf8(value.to_vec()).ok()))
    }

    pub fn as_deref(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

impl FromRequest for IdempotencyKey {
    const PROBLEMS: &[Code] = &[Code::MalformedRequest, Code::KeyReused];

    fn from_request(call: &Call<'_>) -> Result<Self, Problem> {
        let Some(value) = call.headers().get(KnownHeader::IdempotencyKey) else { return Ok(Self(None)) };
        let detail = "`Idempotency-Key` must have 16 to 64 visible ASCII characters; use a UUID.";
        Self::parse(value).ok_or_else(|| Problem::new(Code::MalformedRequest, detail))
    }
}

/// Tells one client's requests apart. A collision harms only that client, so a fast hash will do.
fn fingerprint(parts: &[&[u8]]) -> u128 {
    let mut hash = XxHash3_128::new();
    for part in parts {
        hash.write(&part.len().to_le_bytes());
        hash.write(part);
    }
    hash.finish_128()
}

//! The `Idempotency-Key` header.

use std::future::{Ready, ready};

use actix_web::{
    FromRequest, HttpRequest,
    dev::Payload,
    http::header::{HeaderMap, HeaderValue},
};
use sha2::{Digest, Sha256};

use super::problem::{Code, Problem};
use crate::domain::Keyed;

/// The request's key, if it has one.
///
/// Whoever knows the key of a join can have the join's answer again, token and all: so a key is as long as a secret.
#[derive(Clone, Debug)]
pub struct IdempotencyKey(Option<String>);

impl IdempotencyKey {
    /// The key together with what was asked: `parts` tell this request from any other.
    pub fn keyed(&self, parts: &[&[u8]]) -> Option<Keyed> {
        let key = self.0.as_deref()?;
        Some(Keyed { key: digest(&[key.as_bytes()]), request: digest(parts) })
    }

    pub fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        let Some(value) = headers.get("idempotency-key") else { return Ok(Self(None)) };
        Self::parse(value).ok_or_else(|| {
            Problem::new(Code::MalformedRequest, "`Idempotency-Key` has 16 to 64 visible ASCII characters; use a UUID.")
        })
    }

    pub fn parse(value: &HeaderValue) -> Option<Self> {
        let key = value.to_str().ok()?;
        let fits = (16..=64).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
        fits.then(|| Self(Some(key.to_owned())))
    }

    pub fn as_deref(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

impl FromRequest for IdempotencyKey {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::of(request.headers()))
    }
}

fn digest(parts: &[&[u8]]) -> u128 {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().iter().take(16).fold(0, |number, byte| (number << 8) | u128::from(*byte))
}

//! One sealed text: `1.` and base64url of nonce, ciphertext and tag.

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce};
use serde_json::Value;

use super::base64url;
use crate::Why;

/// Up to here every reader's numbers are exact (RFC 8259, section 6).
const MAX_NUMBER: u64 = (1 << 53) - 1;

/// What was sealed.
#[derive(Debug)]
pub(crate) struct Content {
    pub(crate) epoch: String,
    pub(crate) number: u64,
    pub(crate) value: Value,
}

pub(crate) fn context(kind: &str, from: &str, to: &str) -> Vec<u8> {
    [kind.as_bytes(), from.as_bytes(), to.as_bytes()].join(&0)
}

/// `value` is JSON.
pub(crate) fn seal(
    cipher: &LessSafeKey,
    nonce: [u8; NONCE_LEN],
    context: &[u8],
    epoch: &str,
    number: u64,
    value: &str,
) -> String {
    let mut text = format!(r#"{{"e":"{epoch}","n":{number},"v":{value}}}"#).into_bytes();
    let sealed = cipher.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(context), &mut text);
    debug_assert!(sealed.is_ok(), "it fails only beyond 64 GiB");
    format!("1.{}", base64url::encode(&[&nonce[..], &text].concat()))
}

/// The bytes of a sealed text.
pub(crate) fn bytes(sealed: Option<&str>) -> Result<Vec<u8>, Why> {
    let (version, text) = sealed.and_then(|sealed| sealed.split_once('.')).ok_or(Why::Unsealed)?;
    if version.is_empty() || !version.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Why::Unsealed);
    }
    let bytes = if version == "1" { base64url::decode(text) } else { None };
    bytes.filter(|bytes| bytes.len() >= NONCE_LEN + AES_256_GCM.tag_len()).ok_or(Why::Unreadable)
}

/// None if it was sealed with another key, or is for somebody else.
pub(crate) fn open(cipher: &LessSafeKey, context: &[u8], bytes: &[u8]) -> Option<Vec<u8>> {
    let (nonce, rest) = bytes.split_first_chunk()?;
    let mut text = rest.to_vec();
    let length = cipher.open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(context), &mut text).ok()?.len();
    text.truncate(length);
    Some(text)
}

/// `serde_json` refuses what the server would, too: lone surrogates, and numbers out of range.
pub(crate) fn parse(plain: &[u8]) -> Result<Content, Why> {
    let Ok(Value::Object(mut document)) = serde_json::from_slice(plain) else { return Err(Why::Malformed) };
    let is_epoch = |text: &str| text.len() == 16 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let epoch = document.get("e").and_then(Value::as_str).filter(|text| is_epoch(text)).map(str::to_owned);
    let number = document.get("n").and_then(Value::as_u64).filter(|number| (1..=MAX_NUMBER).contains(number));
    match (epoch, number, document.remove("v")) {
        (Some(epoch), Some(number), Some(value)) => Ok(Content { epoch, number, value }),
        _ => Err(Why::Malformed),
    }
}

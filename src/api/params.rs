//! Validates the parameters that several operations share.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use serde_json::value::RawValue;
use twox_hash::XxHash3_64;
use uuid::Uuid;

use crate::{
    api::{Code, Problem, problem::DOT_SEGMENT_HINT},
    domain::{Limits, Metadata, Name, Page, PeerId, Refusal, RoomName},
};

pub fn parse_room(text: &str) -> Result<RoomName, Problem> {
    RoomName::parse(text).ok_or_else(|| {
        let detail = match text {
            "." | ".." => DOT_SEGMENT_HINT.trim_start(),
            _ => "A room name has 1 to 64 of the characters A-Z a-z 0-9 . _ ~ -",
        };
        Problem::new(Code::RoomNameInvalid, detail)
    })
}

/// The parameters of a query (`application/x-www-form-urlencoded`). Mostly nothing is escaped, and nothing is copied, which
/// takes two thirds of the instructions of `form_urlencoded`.
pub fn query_pairs(query: &str) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
    query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (unescaped(name), unescaped(value))
    })
}

fn unescaped(text: &str) -> Cow<'_, str> {
    if !text.bytes().any(|byte| matches!(byte, b'%' | b'+')) {
        return text.into();
    }
    percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned().into()
}

/// A peer id in hyphenated form, as the server writes it.
pub fn parse_peer(text: &str) -> Option<PeerId> {
    let hyphenated = text.len() == 36;
    hyphenated.then(|| Uuid::try_parse(text).ok()).flatten().map(|uuid| PeerId::from_bytes(uuid.into_bytes()))
}

/// The requested number of seats. It must be valid even if the room exists already.
pub fn parse_capacity(capacity: Option<f64>, limits: &Limits) -> Result<Option<usize>, Problem> {
    let max = limits.room_capacity_max;
    // JSON Schema regards 2.0 as an integer, too.
    let fits = capacity.is_none_or(|seats| seats.fract() == 0.0 && (1.0..=max as f64).contains(&seats));
    if fits { Ok(capacity.map(|seats| seats as usize)) } else { Err(Refusal::CapacityInvalid { max }.into()) }
}

/// The page's identifier, hashed to a number.
pub fn parse_page(text: &str) -> Result<Page, Problem> {
    if !(1..=64).contains(&text.chars().count()) {
        return Err(Problem::invalid("`page` must have 1 to 64 characters."));
    }
    Ok(Page(XxHash3_64::oneshot(text.as_bytes())))
}

pub fn parse_name(text: Option<&str>) -> Result<Name, Problem> {
    Name::parse(text.unwrap_or_default()).ok_or_else(|| {
        Problem::invalid(format!(
            "`name` must have at most {} characters, none of them control characters.",
            Name::MAX_CHARS
        ))
    })
}

pub fn parse_metadata(json: Option<&RawValue>, limits: &Limits) -> Result<Metadata, Problem> {
    let Some(json) = json.map(RawValue::get) else { return Ok(Metadata::default()) };
    if json.len() > limits.metadata_bytes {
        return Err(Problem::invalid(format!("`metadata` must have at most {} bytes.", limits.metadata_bytes)));
    }
    if !json.starts_with('{') {
        return Err(Problem::invalid("`metadata` must be an object."));
    }
    Ok(Metadata::new(json))
}

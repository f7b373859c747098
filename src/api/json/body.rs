//! Bodies of the API: bounded, declared as JSON, and fit for every reader, before anything else looks at them.

use actix_web::web::Bytes;
use serde::{Deserialize, de::DeserializeSeed};

use crate::{
    api::{
        json::strict::StrictJson,
        operation::{Call, FromRequest},
        problem::{Code, Problem},
    },
    transport::{
        body::{BODY_TIMEOUT, Body, BodyError},
        known_header::KnownHeader,
        limits::memory_budget::Reservation,
    },
};

/// A JSON body; empty if there was none.
pub struct JsonBody {
    unread: Unread,
    depth_max: usize,
}

/// A message, which its own parser checks.
pub struct MessageBody(Unread);

/// A batch of them, which may be longer.
pub struct BatchBody(Unread);

/// The body of a beacon. A page that goes away can choose neither headers nor, in effect, the content type.
pub struct BeaconBody(Unread);

const BEACON_BYTES: usize = 1024;

/// A body that has not been read, and what is known of it without its request.
struct Unread {
    body: Body,
    limit: usize,
    content_length: Option<usize>,
    is_acceptable: bool,
    reservation: Reservation,
}

impl FromRequest for JsonBody {
    fn from_request(call: &Call<'_>) -> Result<Self, Problem> {
        let limits = &call.api.limits;
        Ok(Self { unread: Unread::json(call, limits.body_bytes), depth_max: limits.json_depth })
    }
}

impl FromRequest for MessageBody {
    fn from_request(call: &Call<'_>) -> Result<Self, Problem> {
        Ok(Self(Unread::json(call, call.api.limits.body_bytes)))
    }
}

impl FromRequest for BatchBody {
    fn from_request(call: &Call<'_>) -> Result<Self, Problem> {
        Ok(Self(Unread::json(call, call.api.limits.batch_bytes)))
    }
}

impl FromRequest for BeaconBody {
    fn from_request(call: &Call<'_>) -> Result<Self, Problem> {
        Ok(Self(Unread { is_acceptable: true, ..Unread::json(call, BEACON_BYTES) }))
    }
}

impl JsonBody {
    pub async fn read(self) -> Result<Bytes, Problem> {
        let bytes = self.unread.read().await?;
        if !bytes.is_empty() {
            check(&bytes, self.depth_max)?;
        }
        Ok(bytes)
    }
}

impl MessageBody {
    pub async fn read(self) -> Result<Bytes, Problem> {
        self.0.read().await
    }
}

impl BatchBody {
    pub async fn read(self) -> Result<Bytes, Problem> {
        self.0.read().await
    }
}

impl BeaconBody {
    pub async fn read(self) -> Result<Bytes, Problem> {
        self.0.read().await
    }
}

impl Unread {
    fn json(call: &Call<'_>, limit: usize) -> Self {
        let kind = call.headers().text(KnownHeader::ContentType).and_then(|kind| kind.split(';').next());
        Self {
            body: call.request.take_body(),
            limit,
            content_length: call.request.content_length(),
            is_acceptable: kind.is_some_and(|kind| is_json(kind.trim())),
            reservation: call.api.connections.memory.reservation(),
        }
    }

    async fn read(self) -> Result<Bytes, Problem> {
        let Self { body, limit, content_length, is_acceptable, reservation } = self;
        if content_length.is_some_and(|length| length > limit) {
            return Err(unread(BodyError::TooLong, limit));
        }
        let bytes = body.read(limit, reservation).await.map_err(|error| unread(error, limit))?;
        if !bytes.is_empty() && !is_acceptable {
            let detail =
                "The body needs `Content-Type: application/json` (curl: `-H 'content-type: application/json'`).";
            return Err(Problem::new(Code::UnsupportedMediaType, detail));
        }
        Ok(bytes)
    }
}

fn unread(error: BodyError, limit: usize) -> Problem {
    match error {
        BodyError::TooLong => Problem::new(Code::BodyTooLarge, format!("At most {limit} bytes are taken here.")),
        BodyError::TimedOut => {
            Problem::new(Code::BodyTimeout, format!("It took longer than {} s.", BODY_TIMEOUT.as_secs()))
        }
        BodyError::Incomplete(why) => Problem::new(Code::MalformedBody, format!("It broke off: {why}.")),
        BodyError::OutOfMemory => Problem::memory_exhausted(),
    }
}

pub fn is_json(content_type: &str) -> bool {
    const APPLICATION: usize = "application/".len();
    let Some((application, kind)) = content_type.split_at_checked(APPLICATION) else { return false };
    let suffix = kind.len().checked_sub("+json".len()).and_then(|length| kind.split_at_checked(length));
    application.eq_ignore_ascii_case("application/")
        && (kind.eq_ignore_ascii_case("json") || suffix.is_some_and(|(_, suffix)| suffix.eq_ignore_ascii_case("+json")))
}

/// Whether every reader of this text could parse it: it is whole and no deeper than allowed, and also in what is only
/// relayed there are no halves of characters and no numbers beyond all bounds (RFC 7493 section 2).
pub fn check(body: &[u8], depth_max: usize) -> Result<(), Problem> {
    check_text(utf8(body)?, depth_max)
}

/// The same of a value that is known to be JSON. In a string nothing can be wrong but halves of characters, which can only
/// be written by their numbers.
pub fn check_value(json: &str, depth_max: usize) -> Result<(), Problem> {
    let may_have_halves = || json.contains("\\uD") || json.contains("\\ud");
    if json.starts_with('"') && !may_have_halves() { Ok(()) } else { check_text(json, depth_max) }
}

fn check_text(text: &str, depth_max: usize) -> Result<(), Problem> {
    let mut json = serde_json::Deserializer::from_str(text);
    StrictJson { depth_left: depth_max }.deserialize(&mut json).and_then(|()| json.end()).map_err(unreadable)
}

pub fn utf8(body: &[u8]) -> Result<&str, Problem> {
    std::str::from_utf8(body).map_err(|_| Problem::new(Code::MalformedBody, "The body is not UTF-8."))
}

/// Reads a JSON body: what is not JSON is malformed, what is JSON of another shape is invalid.
pub fn parse<'de, T: Deserialize<'de>>(body: &'de [u8]) -> Result<T, Problem> {
    parse_text(utf8(body)?)
}

pub fn parse_text<'de, T: Deserialize<'de>>(text: &'de str) -> Result<T, Problem> {
    // Serde would take an array for an object, field by field.
    if !text.trim_start().starts_with('{') {
        serde_json::from_str::<serde::de::IgnoredAny>(text).map_err(unreadable)?;
        return Err(Problem::invalid("The body must be a JSON object."));
    }
    serde_json::from_str(text).map_err(unreadable)
}

fn unreadable(error: serde_json::Error) -> Problem {
    match error.classify() {
        serde_json::error::Category::Data => Problem::invalid(format!("{error}.")),
        _ => Problem::new(Code::MalformedBody, format!("{error}.")),
    }
}

/// The same for a body that may be left out.
pub fn parse_or_default<'de, T: Deserialize<'de> + Default>(body: &'de [u8]) -> Result<T, Problem> {
    if body.is_empty() { Ok(T::default()) } else { parse(body) }
}

//! Request bodies: bounded, declared as JSON, and valid for any JSON reader before anything else parses them.

use actix_web::web::Bytes;
use serde::{Deserialize, de::DeserializeSeed};

use crate::{
    api::{Call, Code, FromRequest, Problem, json::strict::StrictJson},
    domain::Limits,
    transport::{
        body::{BODY_TIMEOUT, Body, BodyError},
        headers::Headers,
        known_header::KnownHeader,
        limits::memory_budget::Reservation,
    },
};

/// A JSON body that has not been read yet.
pub struct JsonBody {
    body: Body,
    content_length: Option<usize>,
    is_declared_json: bool,
    reservation: Reservation,
}

/// The body of a beacon. A page that is being unloaded cannot set header fields, so any content type is accepted.
pub struct BeaconBody(JsonBody);

const BEACON_BYTES: usize = 1024;

impl FromRequest for JsonBody {
    const PROBLEMS: &[Code] =
        &[Code::MalformedBody, Code::BodyTimeout, Code::BodyTooLarge, Code::UnsupportedMediaType, Code::Invalid];

    fn from_request(call: &Call<'_>) -> Result<Self, Problem> {
        check_encoding(call.headers(), Code::UnsupportedMediaType)?;
        Ok(Self::unread(call))
    }
}

impl FromRequest for BeaconBody {
    const PROBLEMS: &[Code] = &[Code::MalformedBody, Code::BodyTimeout, Code::BodyTooLarge];

    fn from_request(call: &Call<'_>) -> Result<Self, Problem> {
        Ok(Self(JsonBody { is_declared_json: true, ..JsonBody::unread(call) }))
    }
}

impl JsonBody {
    fn unread(call: &Call<'_>) -> Self {
        let headers = call.headers();
        // Nearly every client sends exactly this.
        let is_plain = headers.get(KnownHeader::ContentType) == Some(b"application/json");
        let content_type = || headers.text(KnownHeader::ContentType).and_then(|text| text.split(';').next());
        Self {
            body: call.request.take_body(),
            content_length: call.request.content_length(),
            is_declared_json: is_plain || content_type().is_some_and(|content_type| is_json(content_type.trim())),
            reservation: call.api.connections.memory.reservation(Some(call.address())),
        }
    }

    /// The body, not validated; empty if there is none.
    pub async fn read(self, limit: usize) -> Result<Bytes, Problem> {
        if self.content_length.is_some_and(|length| length > limit) {
            return Err(body_problem(BodyError::TooLong, limit));
        }
        let bytes = self.body.read(limit, self.reservation).await.map_err(|error| body_problem(error, limit))?;
        if !bytes.is_empty() && !self.is_declared_json {
            let detail =
                "The body needs `Content-Type: application/json` (curl: `-H 'content-type: application/json'`).";
            return Err(Problem::new(Code::UnsupportedMediaType, detail));
        }
        Ok(bytes)
    }

    /// The body as valid JSON; empty if there is none.
    pub async fn read_valid(self, limits: &Limits) -> Result<Bytes, Problem> {
        let bytes = self.read(limits.body_bytes).await?;
        if !bytes.is_empty() {
            check(&bytes, limits.json_depth)?;
        }
        Ok(bytes)
    }
}

impl BeaconBody {
    pub async fn read(self) -> Result<Bytes, Problem> {
        self.0.read(BEACON_BYTES).await
    }
}

pub fn body_problem(error: BodyError, limit: usize) -> Problem {
    match error {
        BodyError::TooLong => Problem::new(Code::BodyTooLarge, format!("The body may have at most {limit} bytes.")),
        BodyError::TimedOut => {
            Problem::new(Code::BodyTimeout, format!("The body took longer than {} seconds.", BODY_TIMEOUT.as_secs()))
        }
        BodyError::Incomplete(error) => Problem::new(Code::MalformedBody, format!("The body is incomplete: {error}.")),
        BodyError::OutOfMemory => Problem::memory_exhausted(),
    }
}

/// Refuses compressed bodies (RFC 9110 sections 8.4 and 15.5.16).
pub fn check_encoding(headers: Headers<'_>, code: Code) -> Result<(), Problem> {
    let is_none = |coding: &&str| coding.trim().is_empty() || coding.trim().eq_ignore_ascii_case("identity");
    if headers.get(KnownHeader::ContentEncoding).is_none()
        || headers.list(KnownHeader::ContentEncoding).iter().all(is_none)
    {
        return Ok(());
    }
    let detail = "The server does not decode bodies: send it as it is, without `Content-Encoding`.";
    Err(Problem::new(code, detail).with_field("accept-encoding", "identity"))
}

pub fn is_json(content_type: &str) -> bool {
    const APPLICATION: usize = "application/".len();
    let Some((application, kind)) = content_type.split_at_checked(APPLICATION) else { return false };
    let suffix = kind.len().checked_sub("+json".len()).and_then(|length| kind.split_at_checked(length));
    application.eq_ignore_ascii_case("application/")
        && (kind.eq_ignore_ascii_case("json") || suffix.is_some_and(|(_, suffix)| suffix.eq_ignore_ascii_case("+json")))
}

/// Checks that any JSON reader can parse the text, including what is only relayed: bounded nesting, no lone surrogates, no
/// out-of-range numbers (RFC 7493 section 2).
pub fn check(body: &[u8], depth_max: usize) -> Result<(), Problem> {
    check_text(utf8(body)?, depth_max)
}

/// The same for a value that is known to be JSON. A string can only be wrong by an escaped lone surrogate.
pub fn check_value(json: &str, depth_max: usize) -> Result<(), Problem> {
    let may_have_surrogates = || json.contains("\\uD") || json.contains("\\ud");
    if json.starts_with('"') && !may_have_surrogates() { Ok(()) } else { check_text(json, depth_max) }
}

fn check_text(text: &str, depth_max: usize) -> Result<(), Problem> {
    let mut json = serde_json::Deserializer::from_str(text);
    StrictJson { depth_left: depth_max }.deserialize(&mut json).and_then(|()| json.end()).map_err(json_problem)
}

pub fn utf8(body: &[u8]) -> Result<&str, Problem> {
    std::str::from_utf8(body).map_err(|_| Problem::new(Code::MalformedBody, "The body is not UTF-8."))
}

/// Text that is not JSON is malformed; JSON of another shape is invalid.
pub fn parse<'de, T: Deserialize<'de>>(body: &'de [u8]) -> Result<T, Problem> {
    parse_text(utf8(body)?)
}

pub fn parse_text<'de, T: Deserialize<'de>>(text: &'de str) -> Result<T, Problem> {
    // Serde would accept an array in place of an object, field by field.
    if !text.trim_start().starts_with('{') {
        serde_json::from_str::<serde::de::IgnoredAny>(text).map_err(json_problem)?;
        return Err(Problem::invalid("The body must be a JSON object."));
    }
    serde_json::from_str(text).map_err(json_problem)
}

fn json_problem(error: serde_json::Error) -> Problem {
    let code = if error.is_data() { Code::Invalid } else { Code::MalformedBody };
    Problem::new(code, format!("{error}."))
}

/// [`parse`] for an optional body.
pub fn parse_or_default<'de, T: Deserialize<'de> + Default>(body: &'de [u8]) -> Result<T, Problem> {
    if body.is_empty() { Ok(T::default()) } else { parse(body) }
}

//! The header fields that somebody here asks for.

use actix_web::http::header::{self, HeaderMap, HeaderName};

use crate::transport::http1::head::Plain;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    Authorization,
    ContentLength,
    ContentType,
    Forwarded,
    Host,
    IdempotencyKey,
    LastEventId,
    XForwardedFor,
}

/// The fields of one request, wherever they are kept.
#[derive(Clone, Copy)]
pub enum Fields<'a> {
    /// Where they stand in what has come. Each is there once.
    Plain(&'a Plain),
    /// In actix's table.
    Map(&'a HeaderMap),
}

impl Field {
    pub const ALL: [Self; 8] = [
        Self::Authorization,
        Self::ContentLength,
        Self::ContentType,
        Self::Forwarded,
        Self::Host,
        Self::IdempotencyKey,
        Self::LastEventId,
        Self::XForwardedFor,
    ];

    pub const fn name(self) -> HeaderName {
        match self {
            Self::Authorization => header::AUTHORIZATION,
            Self::ContentLength => header::CONTENT_LENGTH,
            Self::ContentType => header::CONTENT_TYPE,
            Self::Forwarded => header::FORWARDED,
            Self::Host => header::HOST,
            Self::IdempotencyKey => HeaderName::from_static("idempotency-key"),
            Self::LastEventId => HeaderName::from_static("last-event-id"),
            Self::XForwardedFor => header::X_FORWARDED_FOR,
        }
    }
}

impl<'a> Fields<'a> {
    /// The field's value, or the first if there are several.
    pub fn get(self, field: Field) -> Option<&'a [u8]> {
        match self {
            Self::Plain(plain) => plain.field(field).map(str::as_bytes),
            Self::Map(map) => map.get(field.name()).map(|value| value.as_bytes()),
        }
    }

    /// The same, if it is text: visible ASCII and blanks.
    pub fn text(self, field: Field) -> Option<&'a str> {
        self.get(field).and_then(text)
    }

    /// The entries of all lists of this name, from left to right.
    pub fn listed(self, field: Field) -> Vec<&'a str> {
        let values: Vec<&[u8]> = match self {
            Self::Plain(plain) => plain.field(field).into_iter().map(str::as_bytes).collect(),
            Self::Map(map) => map.get_all(field.name()).map(|value| value.as_bytes()).collect(),
        };
        values.into_iter().filter_map(text).flat_map(|value| value.split(',')).collect()
    }
}

fn text(value: &[u8]) -> Option<&str> {
    let is_text = value.iter().all(|byte| matches!(byte, b' '..=b'~' | b'\t'));
    is_text.then(|| std::str::from_utf8(value).ok()).flatten()
}

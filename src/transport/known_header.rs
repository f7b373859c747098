//! Header fields that are needed in most requests.

use actix_web::http::header::{self, HeaderName};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KnownHeader {
    Authorization,
    ContentEncoding,
    ContentLength,
    ContentType,
    Forwarded,
    Host,
    IdempotencyKey,
    LastEventId,
    Origin,
    SecFetchMode,
    SecFetchSite,
    XForwardedFor,
}

impl KnownHeader {
    pub const ALL: [Self; 12] = [
        Self::Authorization,
        Self::ContentEncoding,
        Self::ContentLength,
        Self::ContentType,
        Self::Forwarded,
        Self::Host,
        Self::IdempotencyKey,
        Self::LastEventId,
        Self::Origin,
        Self::SecFetchMode,
        Self::SecFetchSite,
        Self::XForwardedFor,
    ];

    pub const fn name(self) -> HeaderName {
        match self {
            Self::Authorization => header::AUTHORIZATION,
            Self::ContentEncoding => header::CONTENT_ENCODING,
            Self::ContentLength => header::CONTENT_LENGTH,
            Self::ContentType => header::CONTENT_TYPE,
            Self::Forwarded => header::FORWARDED,
            Self::Host => header::HOST,
            Self::IdempotencyKey => HeaderName::from_static("idempotency-key"),
            Self::LastEventId => HeaderName::from_static("last-event-id"),
            Self::Origin => header::ORIGIN,
            Self::SecFetchMode => HeaderName::from_static("sec-fetch-mode"),
            Self::SecFetchSite => HeaderName::from_static("sec-fetch-site"),
            Self::XForwardedFor => header::X_FORWARDED_FOR,
        }
    }
}

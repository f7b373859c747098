//! Cross-origin access (the CORS protocol of the Fetch standard).

use actix_web::http::StatusCode;

use crate::{
    api::whip::media_type::MediaType,
    transport::{
        Request, Response,
        headers::Headers,
        known_header::KnownHeader,
        response::{NO_STORE, SharedFields},
    },
};

/// How long browsers may cache a preflight, in seconds: the most that Chromium honours.
const PREFLIGHT_SECONDS: &str = "7200";
const METHODS: &str = "GET, POST, PATCH, DELETE, OPTIONS";
/// Response headers that scripts may read.
const EXPOSED: &str = "accept-patch, etag, link, location, retry-after";

/// The response depends on the origin, and this one is not allowed.
const DENIED: SharedFields = &[("vary", "Origin")];
const ANY: SharedFields =
    &[("access-control-allow-origin", "*"), ("access-control-expose-headers", EXPOSED), ("vary", "Origin")];

/// The allowed origins.
#[derive(Clone, Debug)]
pub enum Cors {
    /// Same-origin only: no header fields are added.
    Off,
    Any,
    /// Each as browsers send it, with the fields of a response to it.
    Origins(Vec<(&'static str, SharedFields)>),
}

impl Cors {
    pub fn new(origins: Vec<String>) -> Self {
        match origins.iter().any(|origin| origin == "*") {
            _ if origins.is_empty() => Self::Off,
            true => Self::Any,
            false => Self::Origins(origins.into_iter().map(with_fields).collect()),
        }
    }

    /// Whether pages of this origin may use the server.
    pub fn allows(&self, origin: &[u8]) -> bool {
        match self {
            Self::Off => false,
            Self::Any => true,
            Self::Origins(origins) => origins.iter().any(|(allowed, _)| allowed.as_bytes() == origin),
        }
    }

    pub fn allows_any(&self) -> bool {
        matches!(self, Self::Any)
    }

    /// What to add to the response.
    pub fn fields(&self, headers: Headers<'_>) -> SharedFields {
        match self {
            Self::Off => &[],
            Self::Any => ANY,
            Self::Origins(origins) => {
                let origin = headers.get(KnownHeader::Origin);
                let allowed = origins.iter().find(|(allowed, _)| origin == Some(allowed.as_bytes()));
                allowed.map_or(DENIED, |(_, fields)| fields)
            }
        }
    }

    /// The response to a preflight, if the request is one and CORS is on.
    pub fn preflight(&self, request: &Request) -> Option<Response> {
        let headers = request.headers();
        let asks = request.method() == "OPTIONS"
            && headers.get(KnownHeader::Origin).is_some()
            && !headers.get_all("access-control-request-method").is_empty();
        if !asks || matches!(self, Self::Off) {
            return None;
        }
        let mut response = Response::text(StatusCode::OK, &[("cache-control", NO_STORE)], "");
        if self.fields(headers) != DENIED {
            response.add("access-control-allow-methods", METHODS);
            response.add("access-control-max-age", PREFLIGHT_SECONDS);
            // Requested fields are echoed. Tracing and monitoring add their own to each request of a page (traceparent, baggage,
            // sentry-trace, x-datadog-…), and an unlisted one would fail the preflight. A list would protect nothing: access
            // depends on the token, which no browser adds by itself. `*` would not cover `Authorization`.
            let asked = headers.get_all("access-control-request-headers").join(", ");
            if !asked.is_empty() {
                response.add("access-control-allow-headers", asked);
            }
        }
        if let Some(accepted) = MediaType::at(request.path()) {
            // RFC 9725 section 4.2: in the response to any OPTIONS.
            response.add(accepted.field, accepted.name);
        }
        response.add("vary", "Access-Control-Request-Method, Access-Control-Request-Headers");
        Some(response)
    }
}

/// Leaked, because the configuration lives as long as the process.
fn with_fields(origin: String) -> (&'static str, SharedFields) {
    let origin: &'static str = origin.leak();
    let fields = [("access-control-allow-origin", origin), ANY[1], ANY[2]];
    (origin, Box::leak(Box::new(fields)))
}

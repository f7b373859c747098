//! Cross-origin access (the CORS protocol of the Fetch standard).

use std::borrow::Cow;

use actix_web::http::StatusCode;

use crate::transport::{Request, Response, headers::Headers, known_header::KnownHeader, response::NO_STORE};

/// How long browsers may cache a preflight, in seconds: the most that Chromium honours.
const PREFLIGHT_SECONDS: &str = "7200";
const METHODS: &str = "GET, POST, PATCH, DELETE";
/// Response headers that scripts may read.
const EXPOSED: &str = "retry-after";

/// The allowed origins, as browsers send them.
#[derive(Clone, Debug)]
pub enum Cors {
    /// Same-origin only: no header fields are added.
    Off,
    Any,
    Origins(Vec<String>),
}

/// What the response says about the request's origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Grant {
    Nothing,
    /// The origin is not allowed; caches must know that the response depends on it.
    Denied,
    Any,
    Origin(String),
}

impl Cors {
    pub fn new(origins: Vec<String>) -> Self {
        match origins.iter().any(|origin| origin == "*") {
            _ if origins.is_empty() => Self::Off,
            true => Self::Any,
            false => Self::Origins(origins),
        }
    }

    pub fn grant(&self, headers: Headers<'_>) -> Grant {
        let Self::Origins(origins) = self else {
            return if matches!(self, Self::Any) { Grant::Any } else { Grant::Nothing };
        };
        let origin = headers.text(KnownHeader::Origin).filter(|origin| origins.iter().any(|known| known == origin));
        origin.map_or(Grant::Denied, |origin| Grant::Origin(origin.to_owned()))
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
        if !matches!(self.grant(headers), Grant::Denied) {
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
        response.add("vary", "Access-Control-Request-Method, Access-Control-Request-Headers");
        Some(response)
    }
}

impl Grant {
    pub fn add_to(self, response: &mut Response) {
        let allowed = match self {
            Self::Nothing => return,
            Self::Denied => None,
            Self::Any => Some("*".into()),
            Self::Origin(origin) => Some(Cow::Owned(origin)),
        };
        if let Some(allowed) = allowed {
            response.add("access-control-allow-origin", allowed);
            response.add("access-control-expose-headers", EXPOSED);
        }
        response.add("vary", "Origin");
    }
}

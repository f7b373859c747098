//! Which pages of other origins may use the server (the CORS protocol of the Fetch standard).

use std::borrow::Cow;

use actix_web::http::StatusCode;

use crate::transport::{Request, Response, headers::Headers, known_header::KnownHeader, response::NO_STORE};

/// How long browsers may cache a preflight, in seconds: the most that Chromium honours.
const PREFLIGHT_SECONDS: &str = "7200";
const METHODS: &str = "GET, POST, PATCH, DELETE";
/// What scripts may read besides the body.
const EXPOSED: &str = "retry-after";

/// The origins that are let in, as browsers send them.
#[derive(Clone, Debug)]
pub enum Cors {
    /// Only the server's own pages: no header fields are added.
    Off,
    Any,
    Origins(Vec<String>),
}

/// What is added to the response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Grant {
    Nothing,
    /// The response depends on the origin, and this one is given nothing.
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

    /// The response to a preflight, if this is one and pages of other origins are a matter at all.
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
            // Tracing and monitoring add fields to each request of a page (traceparent, baggage, sentry-trace, x-datadog-…),
            // and one that is not listed fails the preflight, and with it the call. A list would protect nothing: who may do
            // what is told by the token, which no browser adds by itself, and unknown fields are ignored. They are echoed,
            // because `*` would not cover `Authorization`.
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

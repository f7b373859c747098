//! Requests, in one form however they were parsed.

use std::{cell::Cell, fmt, net::SocketAddr, sync::Arc};

use actix_http::{HttpMessage, Request as DecodedRequest};
use actix_web::http::{
    Method, Uri, Version,
    header::{self, HeaderMap},
    uri::Authority,
};

use crate::transport::{body::Body, headers::Headers, http1::head::RequestHead, limits::connection::Connection};

/// A request with its body, which may still be arriving.
pub struct Request {
    head: Head,
    body: Cell<Body>,
    peer: SocketAddr,
    connection: Arc<Connection>,
}

enum Head {
    InPlace(RequestHead),
    /// Decoded by actix-http. Boxed, because it is larger and rarer.
    Decoded(Box<DecodedRequest>),
}

impl Request {
    pub fn in_place(head: RequestHead, body: Body, peer: SocketAddr, connection: Arc<Connection>) -> Self {
        Self { head: Head::InPlace(head), body: Cell::new(body), peer, connection }
    }

    pub fn decoded(mut request: DecodedRequest, peer: SocketAddr, connection: Arc<Connection>) -> Self {
        let body = Cell::new(Body::Stream(request.take_payload()));
        Self { head: Head::Decoded(Box::new(request)), body, peer, connection }
    }

    pub fn method(&self) -> &str {
        match &self.head {
            Head::InPlace(head) => head.method(),
            Head::Decoded(request) => request.method().as_str(),
        }
    }

    /// The path as sent, without the query.
    pub fn path(&self) -> &str {
        match &self.head {
            Head::InPlace(head) => head.path(),
            Head::Decoded(request) => request.path(),
        }
    }

    /// The query without its question mark; empty if there is none.
    pub fn query(&self) -> &str {
        match &self.head {
            Head::InPlace(head) => head.query(),
            Head::Decoded(request) => request.uri().query().unwrap_or_default(),
        }
    }

    pub fn headers(&self) -> Headers<'_> {
        match &self.head {
            Head::InPlace(head) => Headers::InPlace(head),
            Head::Decoded(request) => Headers::Map(request.headers()),
        }
    }

    /// The authority of the request target, or `:authority`.
    pub fn authority(&self) -> Option<&Authority> {
        match &self.head {
            Head::InPlace(_) => None,
            Head::Decoded(request) => request.uri().authority(),
        }
    }

    /// The address at the other end of the connection: the client's, or a proxy's.
    pub fn peer(&self) -> SocketAddr {
        self.peer
    }

    pub fn connection(&self) -> &Arc<Connection> {
        &self.connection
    }

    pub fn is_in_place(&self) -> bool {
        matches!(self.head, Head::InPlace(_))
    }

    /// The request as actix-http decoded it, if it did.
    pub fn as_decoded(&self) -> Option<&DecodedRequest> {
        match &self.head {
            Head::InPlace(_) => None,
            Head::Decoded(request) => Some(request),
        }
    }

    /// Frees the header map. actix-http would reuse it, and its capacity may be thousands of fields over HTTP/2.
    pub fn drop_headers(&mut self) {
        if let Head::Decoded(request) = &mut self.head {
            request.head_mut().headers = HeaderMap::new();
        }
    }

    /// The length of the body, if known in advance.
    pub fn content_length(&self) -> Option<usize> {
        match &self.head {
            Head::InPlace(head) => Some(head.content_length()),
            Head::Decoded(request) => content_length(request),
        }
    }

    /// The body; empty from the second call on.
    pub fn take_body(&self) -> Body {
        self.body.take()
    }

    /// The request for an actix-web application, without `base` at the start of the path. `HEAD` becomes `GET`: actix-http
    /// omits the body of the response (RFC 9110 section 9.3.2).
    pub fn into_decoded(self, base: &str) -> DecodedRequest {
        let mut request = match self.head {
            Head::InPlace(head) => head.decoded(),
            Head::Decoded(request) => *request,
        };
        let head = request.head_mut();
        if let Some(uri) = strip_base(&head.uri, base) {
            head.uri = uri;
        }
        head.peer_addr = Some(self.peer);
        if head.method == Method::HEAD {
            head.method = Method::GET;
        }
        *request.payload() = self.body.into_inner().into_payload();
        request
    }
}

/// Without paths and fields, which contain tokens and addresses.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Request({})", self.method())
    }
}

/// The target without the base at the start of its path, if that is whole segments.
fn strip_base(uri: &Uri, base: &str) -> Option<Uri> {
    let target = uri.path_and_query()?.as_str();
    let rest = target.strip_prefix(base).filter(|rest| !base.is_empty() && rest.starts_with('/'))?;
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(rest.parse().ok()?);
    Uri::from_parts(parts).ok()
}

/// `Content-Length`, unless the body is chunked.
fn content_length(request: &DecodedRequest) -> Option<usize> {
    let headers = request.headers();
    let chunked = request.version() != Version::HTTP_2 && headers.contains_key(header::TRANSFER_ENCODING);
    let length = || headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    if chunked { None } else { Some(length().unwrap_or(0)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_base_is_stripped_from_a_target() {
        for (target, rest) in [
            ("/signal/v1/rooms/te%61?wait=0&after=%31", Some("/v1/rooms/te%61?wait=0&after=%31")),
            ("https://h.example/signal/?room=tea", Some("https://h.example/?room=tea")),
            ("/?room=tea", None),
            ("/signals", None),
        ] {
            let stripped = strip_base(&target.parse().unwrap(), "/signal").map(|uri| uri.to_string());
            assert_eq!(stripped.as_deref(), rest);
        }
        assert_eq!(strip_base(&"/a".parse().unwrap(), ""), None);
    }
}

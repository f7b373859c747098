//! A request, in one form however it was read.

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
    /// HTTP/1.1 with nothing unusual about it, read where it arrived.
    InPlace(RequestHead),
    /// Decoded by actix-http, which copes with everything else. Boxed, because few requests of a call are like that.
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

    /// The path as it was sent, without the query.
    pub fn path(&self) -> &str {
        match &self.head {
            Head::InPlace(head) => head.path(),
            Head::Decoded(request) => request.path(),
        }
    }

    /// What follows the question mark; empty if there is none.
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

    /// The server's name, where the request line or `:authority` says it and not `Host`.
    pub fn authority(&self) -> Option<&Authority> {
        match &self.head {
            Head::InPlace(_) => None,
            Head::Decoded(request) => request.uri().authority(),
        }
    }

    /// Who is at the other end of the connection: the client, or a proxy.
    pub fn peer(&self) -> SocketAddr {
        self.peer
    }

    pub fn connection(&self) -> &Arc<Connection> {
        &self.connection
    }

    pub fn is_in_place(&self) -> bool {
        matches!(self.head, Head::InPlace(_))
    }

    /// As actix-http decoded it, if it did.
    pub fn as_decoded(&self) -> Option<&DecodedRequest> {
        match &self.head {
            Head::InPlace(_) => None,
            Head::Decoded(request) => Some(request),
        }
    }

    /// Frees the table of header fields. actix-http keeps it for the next request, with all the places in it, and over HTTP/2
    /// there may be thousands.
    pub fn drop_headers(&mut self) {
        if let Head::Decoded(request) = &mut self.head {
            request.head_mut().headers = HeaderMap::new();
        }
    }

    /// The length of the body as far as it is known beforehand.
    pub fn content_length(&self) -> Option<usize> {
        match &self.head {
            Head::InPlace(head) => Some(head.content_length()),
            Head::Decoded(request) => content_length(request),
        }
    }

    /// The body, once; then it is empty.
    pub fn take_body(&self) -> Body {
        self.body.take()
    }

    /// The same request for an actix-web application. `HEAD` becomes `GET`, because their answers differ only in that the
    /// body stays behind (RFC 9110 section 9.3.2), which actix-http sees to.
    ///
    /// `base` is taken off the path, if it begins so.
    pub fn into_decoded(self, base: &str) -> DecodedRequest {
        let mut request = match self.head {
            Head::InPlace(head) => head.decoded(),
            Head::Decoded(request) => *request,
        };
        let head = request.head_mut();
        if let Some(uri) = below(&head.uri, base) {
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

/// Nothing of what was sent: tokens and addresses are in it.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Request({})", self.method())
    }
}

/// The same target without the beginning of its path, if that is whole segments of it.
fn below(uri: &Uri, base: &str) -> Option<Uri> {
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
    fn the_rest_of_a_target_stays_when_a_base_is_taken_off() {
        for (target, rest) in [
            ("/signal/v1/rooms/te%61?wait=0&after=%31", Some("/v1/rooms/te%61?wait=0&after=%31")),
            ("https://h.example/signal/?room=tea", Some("https://h.example/?room=tea")),
            ("/?room=tea", None),
            ("/signals", None),
        ] {
            let below = below(&target.parse().unwrap(), "/signal").map(|uri| uri.to_string());
            assert_eq!(below.as_deref(), rest);
        }
        assert_eq!(below(&"/a".parse().unwrap(), ""), None);
    }
}

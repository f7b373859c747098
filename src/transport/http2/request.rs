//! Turns the head of an HTTP/2 request into a [`Request`].

use std::{net::SocketAddr, sync::Arc};

use actix_http::{Request as DecodedRequest, Version};
use actix_web::http::{
    Method, Uri,
    header::{HeaderName, HeaderValue},
    uri::PathAndQuery,
};

use crate::transport::{
    Request, body::Body, http1::head::RequestHead, http2::head::Head, limits::connection::Connection,
};

/// The request, or nothing if its target or method is none.
pub fn request(head: &Head, body: Body, peer: SocketAddr, connection: Arc<Connection>) -> Option<Request> {
    let fields = head.fields().filter(|(name, _)| *name != "host");
    let fields = fields.map(|(name, value)| (name.as_bytes(), value));
    let authority = head.authority().filter(|authority| !authority.is_empty());
    let simple = authority.and_then(|authority| {
        RequestHead::compose(head.method(), head.path().as_bytes(), authority.as_bytes(), fields)
    });
    if let Some(simple) = simple {
        return Some(Request::in_place(simple, body, peer, connection));
    }
    let mut request = decoded(head)?;
    *request.payload() = body.into_payload();
    Some(Request::decoded(request, peer, connection))
}

fn decoded(head: &Head) -> Option<DecodedRequest> {
    let mut request = DecodedRequest::new();
    let decoded = request.head_mut();
    decoded.version = Version::HTTP_2;
    decoded.method = Method::from_bytes(head.method().as_bytes()).ok()?;
    let target = PathAndQuery::try_from(head.path()).ok()?;
    let mut uri = Uri::builder().path_and_query(target);
    if let Some(authority) = head.authority() {
        uri = uri.scheme(head.scheme()).authority(authority);
    }
    decoded.uri = uri.build().ok()?;
    for (name, value) in head.fields() {
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        decoded.headers.append(name, HeaderValue::from_bytes(value).ok()?);
    }
    Some(request)
}

//! What a connection hands over, and what it gets back.

use std::{net::SocketAddr, sync::Arc};

use actix_http::{Request, Response};
use actix_web::{HttpResponse, body::EitherBody};

use crate::transport::{
    http1::head::Plain,
    limits::{connection::Connection, registry::Begun},
    response::Answer,
};

/// A request, and the connection that it came on.
#[derive(Debug)]
pub enum Received {
    /// One that calls consist of, read in place.
    Plain { plain: Plain, from: SocketAddr, connection: Arc<Connection> },
    /// Any other, and all over HTTP/2.
    Any { request: Request, connection: Option<Arc<Connection>> },
}

/// The answer to it.
pub enum Answered<B> {
    /// To a plain request. What has begun is over when the answer is sent.
    Plain(Answer, Option<Begun>),
    Any(Response<B>),
}

impl<B> Answered<B> {
    /// For HTTP/2, over which nothing is plain.
    pub fn into_response(self) -> Response<EitherBody<B>> {
        match self {
            Self::Plain(answer, _) => {
                Response::from(HttpResponse::from(answer)).map_body(|_, body| EitherBody::right(body))
            }
            Self::Any(response) => response.map_body(|_, body| EitherBody::left(body)),
        }
    }
}

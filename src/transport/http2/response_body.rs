//! The body of a response while it is being sent.

use std::{
    error::Error,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use actix_web::{
    body::{BodySize, BoxBody, MessageBody},
    web::Bytes,
};

use crate::transport::{
    http2::frame_budget::RESPONSE_PIECE,
    limits::{connection::Connection, registry::InFlight},
};

/// The largest piece: each is copied into a buffer of h2's.
const PIECE_MAX: usize = 16 * 1024;

/// A body in small pieces, whose request is in flight until the last one has been sent.
pub struct ResponseBody {
    body: BoxBody,
    rest: Bytes,
    _in_flight: Option<InFlight>,
    connection: Option<Arc<Connection>>,
}

impl ResponseBody {
    pub fn new(body: BoxBody, in_flight: Option<InFlight>, connection: Option<Arc<Connection>>) -> Self {
        Self { body, rest: Bytes::new(), _in_flight: in_flight, connection }
    }
}

impl MessageBody for ResponseBody {
    type Error = Box<dyn Error>;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let this = self.get_mut();
        if this.rest.is_empty() {
            match ready!(Pin::new(&mut this.body).poll_next(context)) {
                Some(Ok(bytes)) => this.rest = bytes,
                end => return Poll::Ready(end),
            }
        }
        if let Some(connection) = &this.connection {
            connection.earn(RESPONSE_PIECE);
        }
        let piece = this.rest.split_to(this.rest.len().min(PIECE_MAX));
        Poll::Ready(Some(Ok(piece)))
    }
}

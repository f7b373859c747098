//! The body of a response while it is sent: in small pieces, counted until the last one is taken.

use std::{
    error::Error,
    pin::Pin,
    task::{Context, Poll, ready},
};

use actix_web::{
    body::{BodySize, BoxBody, MessageBody},
    web::Bytes,
};

use crate::transport::limits::registry::InFlight;

/// A piece. It is copied into a buffer on its way, so it is not given all at once.
const PIECE: usize = 16 * 1024;

/// Keeps its request on the connection until it is sent.
pub struct ResponseBody {
    body: BoxBody,
    rest: Bytes,
    _begun: Option<InFlight>,
}

impl ResponseBody {
    pub fn new(body: BoxBody, in_flight: Option<InFlight>) -> Self {
        Self { body, rest: Bytes::new(), _begun: in_flight }
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
        let piece = this.rest.split_to(this.rest.len().min(PIECE));
        Poll::Ready(Some(Ok(piece)))
    }
}

//! An answer on its way: in small pieces, counted until the last one is taken.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use actix_web::{
    body::{BodySize, MessageBody},
    web::Bytes,
};

use super::connections::Begun;

/// A piece. actix copies what it is given into a buffer that it may keep, so it is not given all at once.
const PIECE: usize = 16 * 1024;
/// A client has a second more for each so many bytes of an answer.
const BYTES_PER_SECOND: usize = 2048;

/// Keeps its request on the connection until it is sent.
pub struct Sent<B> {
    body: Pin<Box<B>>,
    rest: Bytes,
    _begun: Option<Begun>,
}

impl<B: MessageBody> Sent<B> {
    /// An answer to a request; `None` if there is no memory for it.
    pub fn new(body: B, mut begun: Option<Begun>) -> Option<Self> {
        let size = match body.size() {
            BodySize::Sized(size) => usize::try_from(size).unwrap_or(usize::MAX),
            BodySize::None | BodySize::Stream => 0,
        };
        if let Some(begun) = &mut begun {
            if !begun.share.grow(size) {
                return None;
            }
            begun.in_request.answer_due(begun.patience + Duration::from_secs((size / BYTES_PER_SECOND) as u64));
        }
        Some(Self { body: Box::pin(body), rest: Bytes::new(), _begun: begun })
    }
}

impl<B: MessageBody> MessageBody for Sent<B> {
    type Error = B::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, B::Error>>> {
        let this = self.get_mut();
        if this.rest.is_empty() {
            match ready!(this.body.as_mut().poll_next(context)) {
                Some(Ok(bytes)) => this.rest = bytes,
                end => return Poll::Ready(end),
            }
        }
        let piece = this.rest.split_to(this.rest.len().min(PIECE));
        Poll::Ready(Some(Ok(piece)))
    }
}

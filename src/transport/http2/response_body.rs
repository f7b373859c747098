//! An answer on its way: in small pieces, counted until the last one is taken.

use std::{
    error::Error,
    pin::Pin,
    task::{Context, Poll, ready},
};

use actix_http::Response;
use actix_web::{
    HttpResponse, ResponseError,
    body::{BodySize, BoxBody, MessageBody},
    web::Bytes,
};

use crate::{api::problem::Problem, transport::limits::registry::Begun};

/// A piece. It is copied into a buffer on its way, so it is not given all at once.
const PIECE: usize = 16 * 1024;

/// Keeps its request on the connection until it is sent.
pub struct Sent {
    body: BoxBody,
    rest: Bytes,
    _begun: Option<Begun>,
}

impl Sent {
    /// An answer on its way, or that there is no memory to send it.
    pub fn answer(answer: HttpResponse, mut begun: Option<Begun>) -> Response<Self> {
        let size = match answer.body().size() {
            BodySize::Sized(size) => usize::try_from(size).unwrap_or(usize::MAX),
            BodySize::None | BodySize::Stream => 0,
        };
        let fits = begun.as_mut().is_none_or(|begun| begun.answer(size));
        let answer = if fits { answer } else { Problem::memory_exhausted().error_response() };
        let answer: Response<BoxBody> = answer.into();
        answer.map_body(|_, body| Self { body, rest: Bytes::new(), _begun: begun })
    }
}

impl MessageBody for Sent {
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

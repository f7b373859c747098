//! A request over HTTP/2 and its response: what happens on one stream.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use actix_web::{
    body::{BodySize, BoxBody, MessageBody},
    web::Bytes,
};
use futures_util::future::LocalBoxFuture;

use crate::transport::{
    Response, http2::frame_budget::read_by_handler, limits::registry::InFlight, payload::PayloadSender,
};

/// DATA frames that are ignored after a request whose method has no body: some clients end a request with an empty one.
const UNWANTED_MAX: usize = 8;

pub struct Exchange {
    pub stream: u32,
    /// The response has no body (RFC 9110 section 9.3.2).
    pub is_head: bool,
    pub incoming: Incoming,
    pub stage: Stage,
    /// Until the response has been sent.
    pub in_flight: Option<InFlight>,
}

/// The body of the request.
pub enum Incoming {
    Ended,
    Arriving(Arriving),
    /// The method has none. How many frames of one have arrived nevertheless.
    Unwanted(usize),
}

/// A body that is passed on to the handler.
pub struct Arriving {
    sender: PayloadSender,
    /// The client sends it once it is told to continue.
    awaits_continue: bool,
    /// Bytes whose window the client has not got back.
    unreleased: u32,
    /// What the frames of these bytes will have earned.
    earned: usize,
}

pub enum Stage {
    Answering(LocalBoxFuture<'static, Response>),
    Sending(Outgoing),
}

/// The rest of a response.
pub enum Outgoing {
    Text { response: Box<Response>, sent: usize },
    Body { body: BoxBody, piece: Bytes, ended: bool },
}

impl Incoming {
    pub fn arriving(sender: PayloadSender, awaits_continue: bool) -> Self {
        Self::Arriving(Arriving { sender, awaits_continue, unreleased: 0, earned: 0 })
    }

    /// Whether the client is to be told now to continue, because the handler waits for the body.
    pub fn take_continue(&mut self) -> bool {
        let Self::Arriving(Arriving { sender, awaits_continue, .. }) = self else { return false };
        sender.is_wanted() && std::mem::take(awaits_continue)
    }

    /// Takes a piece of the body. False if the client keeps sending one where there is none.
    #[must_use]
    pub fn take(&mut self, piece: Bytes, ended: bool, context: &Context<'_>) -> bool {
        match self {
            Self::Ended => {}
            Self::Unwanted(frames) => {
                *frames += 1;
                return *frames <= UNWANTED_MAX;
            }
            Self::Arriving(Arriving { sender, awaits_continue, unreleased, earned }) => {
                *awaits_continue = false;
                *unreleased += u32::try_from(piece.len()).unwrap_or_default();
                if sender.has_receiver() {
                    *earned += read_by_handler(piece.len());
                }
                if !piece.is_empty() {
                    sender.push(piece, Some(context));
                }
                if ended {
                    sender.finish(Ok(()), Some(context));
                }
            }
        }
        true
    }

    /// The bytes whose window can be given back, and what they have earned, if the handler reads the body.
    pub fn released(&mut self, context: &Context<'_>) -> Option<(u32, usize)> {
        let Self::Arriving(Arriving { sender, unreleased, earned, .. }) = self else { return None };
        let is_read = *unreleased > 0 && sender.has_room(context);
        is_read.then(|| (std::mem::take(unreleased), std::mem::take(earned)))
    }
}

impl Outgoing {
    pub fn text(response: Response) -> Self {
        Self::Text { response: Box::new(response), sent: 0 }
    }

    pub fn body(body: BoxBody) -> Self {
        Self::Body { body, piece: Bytes::new(), ended: false }
    }

    /// The next bytes, and whether they are the last.
    pub fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Result<(&[u8], bool), ()>> {
        match self {
            Self::Text { response, sent } => {
                let text = response.as_text().unwrap_or_default().as_bytes();
                Poll::Ready(Ok((text.get(*sent..).unwrap_or_default(), true)))
            }
            Self::Body { body, piece, ended } => {
                while piece.is_empty() && !*ended {
                    match Pin::new(&mut *body).poll_next(context) {
                        Poll::Pending => return Poll::Pending,
                        Poll::Ready(Some(Ok(next))) => *piece = next,
                        Poll::Ready(Some(Err(_))) => return Poll::Ready(Err(())),
                        Poll::Ready(None) => *ended = true,
                    }
                }
                Poll::Ready(Ok((piece, *ended)))
            }
        }
    }

    /// `length` bytes have been sent.
    pub fn advance(&mut self, length: usize) {
        match self {
            Self::Text { sent, .. } => *sent += length,
            Self::Body { piece, .. } => drop(piece.split_to(length)),
        }
    }
}

pub fn has_body(body: &BoxBody) -> bool {
    !matches!(body.size(), BodySize::None | BodySize::Sized(0))
}

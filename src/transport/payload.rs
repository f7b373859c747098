//! Passes the body of a request from its connection to its handler.

use std::{
    cell::RefCell,
    collections::VecDeque,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, Waker},
};

use actix_http::error::PayloadError;
use actix_web::{dev::Payload, web::Bytes};
use futures_util::Stream;

/// Bytes buffered before reading stops.
const BUFFERED_MAX: usize = 32 * 1024;

#[derive(Default)]
struct Shared {
    pieces: VecDeque<Bytes>,
    buffered: usize,
    end: Option<Result<(), PayloadError>>,
    /// The handler waits for more.
    wanted: bool,
    handler: Option<Waker>,
    connection: Option<Waker>,
}

pub struct PayloadSender(Rc<RefCell<Shared>>);

struct PayloadReceiver(Rc<RefCell<Shared>>);

impl PayloadSender {
    pub fn open() -> (Self, Payload) {
        let shared = Rc::<RefCell<Shared>>::default();
        let body = PayloadReceiver(shared.clone());
        (Self(shared), Payload::Stream { payload: Box::pin(body) })
    }

    /// Does nothing if the handler has dropped the body.
    pub fn push(&self, piece: Bytes, context: Option<&Context<'_>>) {
        if !self.has_receiver() {
            return;
        }
        let mut shared = self.0.borrow_mut();
        shared.buffered += piece.len();
        shared.pieces.push_back(piece);
        shared.wake_handler(context);
    }

    /// Whether the handler has not dropped the body.
    pub fn has_receiver(&self) -> bool {
        Rc::strong_count(&self.0) > 1
    }

    pub fn finish(&self, outcome: Result<(), PayloadError>, context: Option<&Context<'_>>) {
        let mut shared = self.0.borrow_mut();
        shared.end = Some(outcome);
        shared.wake_handler(context);
    }

    /// Whether more may be read. If not, the connection is woken when that changes.
    pub fn has_room(&self, context: &Context<'_>) -> bool {
        let mut shared = self.0.borrow_mut();
        let room = shared.buffered < BUFFERED_MAX;
        if !room {
            shared.connection = Some(context.waker().clone());
        }
        room
    }

    pub fn is_wanted(&self) -> bool {
        self.0.borrow().wanted
    }
}

impl Drop for PayloadSender {
    fn drop(&mut self) {
        let mut shared = self.0.borrow_mut();
        if shared.end.is_none() {
            shared.end = Some(Err(PayloadError::Incomplete(None)));
            shared.wake_handler(None);
        }
    }
}

impl Shared {
    /// A handler in the task being polled is polled again anyway.
    fn wake_handler(&mut self, context: Option<&Context<'_>>) {
        self.wanted = false;
        if let Some(handler) = self.handler.take()
            && !context.is_some_and(|context| handler.will_wake(context.waker()))
        {
            handler.wake();
        }
    }
}

impl Stream for PayloadReceiver {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut shared = self.0.borrow_mut();
        if let Some(piece) = shared.pieces.pop_front() {
            shared.buffered -= piece.len();
            if let Some(connection) = shared.connection.take() {
                connection.wake();
            }
            return Poll::Ready(Some(Ok(piece)));
        }
        match shared.end.take() {
            None => {
                shared.wanted = true;
                shared.handler = Some(context.waker().clone());
                Poll::Pending
            }
            Some(Ok(())) => {
                shared.end = Some(Ok(()));
                Poll::Ready(None)
            }
            Some(Err(error)) => {
                shared.end = Some(Ok(()));
                Poll::Ready(Some(Err(error)))
            }
        }
    }
}

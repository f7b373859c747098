//! The body of a request, on its way from its connection to its handler.

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

/// What may wait until the handler takes it; then nothing more is read.
const WAITING_BYTES: usize = 32 * 1024;

#[derive(Default)]
struct Arriving {
    /// Nearly always all there is.
    first: Option<Bytes>,
    others: VecDeque<Bytes>,
    waiting: usize,
    end: Option<Result<(), PayloadError>>,
    /// The handler has asked, and there was nothing.
    wanted: bool,
    handler: Option<Waker>,
    connection: Option<Waker>,
}

/// The connection's end.
pub struct Source(Rc<RefCell<Arriving>>);

/// The handler's end.
struct Body(Rc<RefCell<Arriving>>);

impl Source {
    /// A body of which nothing has come yet.
    pub fn open() -> (Self, Payload) {
        let arriving = Rc::<RefCell<Arriving>>::default();
        let body = Body(arriving.clone());
        (Self(arriving), Payload::Stream { payload: Box::pin(body) })
    }

    /// Passes on what has come. Nobody may be there to take it any more.
    pub fn give(&self, piece: Bytes, context: Option<&Context<'_>>) {
        if Rc::strong_count(&self.0) == 1 {
            return;
        }
        let mut arriving = self.0.borrow_mut();
        arriving.waiting += piece.len();
        if arriving.first.is_none() && arriving.others.is_empty() {
            arriving.first = Some(piece);
        } else {
            arriving.others.push_back(piece);
        }
        arriving.wake_handler(context);
    }

    pub fn end(&self, outcome: Result<(), PayloadError>, context: Option<&Context<'_>>) {
        let mut arriving = self.0.borrow_mut();
        arriving.end = Some(outcome);
        arriving.wake_handler(context);
    }

    /// Whether more may be read. If not, the connection hears when that changes.
    pub fn has_room(&self, context: &Context<'_>) -> bool {
        let mut arriving = self.0.borrow_mut();
        let room = arriving.waiting < WAITING_BYTES;
        if !room {
            arriving.connection = Some(context.waker().clone());
        }
        room
    }

    /// Whether the handler waits for it.
    pub fn is_wanted(&self) -> bool {
        self.0.borrow().wanted
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        let mut arriving = self.0.borrow_mut();
        if arriving.end.is_none() {
            arriving.end = Some(Err(PayloadError::Incomplete(None)));
            arriving.wake_handler(None);
        }
    }
}

impl Arriving {
    /// A handler in the connection's own task, which is having its turn, is polled again anyway.
    fn wake_handler(&mut self, context: Option<&Context<'_>>) {
        self.wanted = false;
        if let Some(handler) = self.handler.take()
            && !context.is_some_and(|context| handler.will_wake(context.waker()))
        {
            handler.wake();
        }
    }
}

impl Stream for Body {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut arriving = self.0.borrow_mut();
        let first = arriving.first.take();
        if let Some(piece) = first.or_else(|| arriving.others.pop_front()) {
            arriving.waiting -= piece.len();
            if let Some(connection) = arriving.connection.take() {
                connection.wake();
            }
            return Poll::Ready(Some(Ok(piece)));
        }
        match arriving.end.take() {
            None => {
                arriving.wanted = true;
                arriving.handler = Some(context.waker().clone());
                Poll::Pending
            }
            Some(Ok(())) => {
                arriving.end = Some(Ok(()));
                Poll::Ready(None)
            }
            Some(Err(error)) => {
                arriving.end = Some(Ok(()));
                Poll::Ready(Some(Err(error)))
            }
        }
    }
}

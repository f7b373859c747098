//! The body of a request: whole, or still arriving; read within a length, a time and the memory there is.

use std::{
    future::{Future, poll_fn, ready},
    task::Poll,
    time::Duration,
};

use actix_web::{
    dev::Payload,
    web::{Bytes, BytesMut},
};
use futures_util::{StreamExt, stream};

use crate::transport::limits::memory_budget::Reservation;

/// A whole body takes no longer than this to arrive.
pub const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// A body, as far as it has arrived.
pub enum Body {
    Whole(Bytes),
    Stream(Payload),
}

/// Why a body was not read to its end.
#[derive(Debug)]
pub enum BodyError {
    TooLong,
    TimedOut,
    Incomplete(String),
    OutOfMemory,
}

impl Default for Body {
    fn default() -> Self {
        Self::Whole(Bytes::new())
    }
}

impl Body {
    /// All of it, if it has at most `limit` bytes and arrives in time.
    pub async fn read(self, limit: usize, mut reservation: Reservation) -> Result<Bytes, BodyError> {
        match self {
            Self::Whole(bytes) if bytes.len() > limit => Err(BodyError::TooLong),
            Self::Whole(bytes) => {
                if reservation.grow(bytes.len()) {
                    Ok(bytes)
                } else {
                    Err(BodyError::OutOfMemory)
                }
            }
            Self::Stream(payload) => read_in_time(payload, limit, reservation).await,
        }
    }

    pub fn into_payload(self) -> Payload {
        match self {
            Self::Whole(bytes) if bytes.is_empty() => Payload::None,
            Self::Whole(bytes) => Payload::Stream { payload: Box::pin(stream::once(ready(Ok(bytes)))) },
            Self::Stream(payload) => payload,
        }
    }
}

async fn read_in_time(payload: Payload, limit: usize, reservation: Reservation) -> Result<Bytes, BodyError> {
    let mut reading = std::pin::pin!(read_whole(payload, limit, reservation));
    // Mostly it has arrived already, and needs no timer.
    if let Poll::Ready(read) = poll_fn(|context| Poll::Ready(reading.as_mut().poll(context))).await {
        return read;
    }
    tokio::time::timeout(BODY_TIMEOUT, reading).await.unwrap_or(Err(BodyError::TimedOut))
}

/// A body that comes in one piece is not copied.
async fn read_whole(mut payload: Payload, limit: usize, mut reservation: Reservation) -> Result<Bytes, BodyError> {
    let (mut first, mut all) = (Bytes::new(), BytesMut::new());
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|error| BodyError::Incomplete(error.to_string()))?;
        if first.len().max(all.len()) + chunk.len() > limit {
            return Err(BodyError::TooLong);
        }
        if !reservation.grow(chunk.len()) {
            return Err(BodyError::OutOfMemory);
        }
        if first.is_empty() {
            first = chunk;
            continue;
        }
        if all.is_empty() {
            all.extend_from_slice(&first);
        }
        all.extend_from_slice(&chunk);
    }
    Ok(if all.is_empty() { first } else { all.freeze() })
}

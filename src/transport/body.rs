//! Request bodies, read within limits of length, time and memory.

use std::{future::ready, time::Duration};

use actix_web::{
    dev::Payload,
    web::{Bytes, BytesMut},
};
use futures_util::{StreamExt, stream};

use crate::transport::limits::memory_budget::Reservation;

/// How long a body may take to arrive.
pub const BODY_TIMEOUT: Duration = Duration::from_secs(10);

pub enum Body {
    Whole(Bytes),
    Stream(Payload),
}

/// Why a body was not read.
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
    /// The whole body, if it has at most `limit` bytes and arrives in time.
    pub async fn read(self, limit: usize, mut reservation: Reservation) -> Result<Bytes, BodyError> {
        match self {
            Self::Whole(bytes) if bytes.len() > limit => Err(BodyError::TooLong),
            Self::Whole(bytes) if reservation.grow(bytes.len()) => Ok(bytes),
            Self::Whole(_) => Err(BodyError::OutOfMemory),
            Self::Stream(payload) => {
                let reading = read_stream(payload, limit, reservation);
                tokio::time::timeout(BODY_TIMEOUT, reading).await.unwrap_or(Err(BodyError::TimedOut))
            }
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

/// A body in one piece is not copied.
async fn read_stream(mut payload: Payload, limit: usize, mut reservation: Reservation) -> Result<Bytes, BodyError> {
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

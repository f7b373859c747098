//! A client that goes away ends its request, over HTTP/2, too.
//!
//! Over HTTP/1 the connection notices, and drops the work. actix-http does not drop the work of a stream that was reset, but
//! the stream of the request's body tells, if it is asked.

use std::{future::Future, time::Duration};

use actix_web::dev::Payload;
use futures_util::StreamExt;

use crate::transport::Overload;

/// How soon a client that has gone is noticed after its request has ended.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Some clients end a request by an empty frame; more is nobody's habit.
const FRAMES_MAX: usize = 8;

/// Why the work was given up.
pub enum Abandoned {
    Gone,
    Refused(Overload),
}

/// Works for as long as the client is there. `body` is that of a request that has none: what arrives all the same is read,
/// or it would pile up.
pub async fn while_there<T>(mut body: Payload, work: impl Future<Output = T>) -> Result<T, Abandoned> {
    let mut work = std::pin::pin!(work);
    let mut look = tokio::time::interval(LOOK_EVERY);
    let (mut ended, mut frames) = (false, 0);
    loop {
        let piece = tokio::select! {
            result = &mut work => return Ok(result),
            piece = body.next(), if !ended => piece,
            // After its end the stream wakes nobody any more.
            _ = look.tick(), if ended => body.next().await,
        };
        match piece {
            None => ended = true,
            Some(Ok(_)) => frames += 1,
            Some(Err(_)) => return Err(Abandoned::Gone),
        }
        if frames > FRAMES_MAX {
            return Err(Abandoned::Refused(Overload::Body));
        }
    }
}

//! Drops the work for a request when its client resets the HTTP/2 stream, as closing the connection does over HTTP/1.
//!
//! actix-http does not drop the work of a stream that was reset, but its body's stream reports the reset when polled.

use std::time::Duration;

use futures_util::StreamExt;

use crate::transport::{Overload, Request, Response, Service};

/// How often the body's stream is polled once it has ended: from then on it wakes nobody.
const POLL_INTERVAL: Duration = Duration::from_secs(1);
/// Some clients end a request with an empty DATA frame; none sends more of them.
const FRAMES_MAX: usize = 8;

/// Answers a request without a body while its client is there. A body that arrives nevertheless is read, or it would pile
/// up.
pub async fn respond<S: Service>(service: &S, request: Request) -> Response {
    let mut body = request.take_body().into_payload();
    let mut work = std::pin::pin!(service.call(request));
    let mut interval = tokio::time::interval(POLL_INTERVAL);
    let (mut ended, mut frames) = (false, 0);
    loop {
        let piece = tokio::select! {
            response = &mut work => return response,
            piece = body.next(), if !ended => piece,
            _ = interval.tick(), if ended => body.next().await,
        };
        match piece {
            None => ended = true,
            Some(Ok(_)) => frames += 1,
            // Nobody reads this response.
            Some(Err(_)) => return Response::no_content(&[]),
        }
        if frames > FRAMES_MAX {
            return service.refuse(Overload::Body);
        }
    }
}

//! Where every request comes in. It is counted, held against what its connection may have, and answered: by actix's
//! routes, or, if it is for a mailbox, without them.
//!
//! Nearly all requests are for mailboxes, and finding a route, with all that actix makes ready for a handler, takes longer
//! than what a mailbox has to do. A waiting poll keeps nothing of its request.

use std::sync::Arc;

use actix_http::{Request, Response};
use actix_web::{
    Error, HttpResponse, ResponseError,
    body::MessageBody,
    dev::{Service, ServiceResponse},
    http::{Method, header},
    web::Data,
};
use futures_util::future::Either;

use super::{
    Api,
    body::Incoming,
    caller::{Addressee, Call, Caller, Member, Reader, Sender},
    connection::Connection,
    idempotency::IdempotencyKey,
    messages::{Poll, put_batch, put_one},
    methods::has_head,
    problem::Problem,
    sent::Sent,
};
use crate::domain::PeerId;

#[derive(Clone, Debug)]
pub struct Front {
    pub api: Data<Api>,
    /// Answers to other origins have headers of their own, which actix-cors adds.
    pub has_cors: bool,
}

/// A call to a mailbox, taken from its request.
enum Mail {
    Poll(Poll, actix_http::Payload),
    One(Member, PeerId, IdempotencyKey, Incoming),
    Batch(Member, IdempotencyKey, Incoming),
}

/// What a path of a mailbox names.
#[derive(Debug, PartialEq, Eq)]
struct Address<'a> {
    room: &'a str,
    /// Of nobody's mailbox in particular: a batch.
    peer: Option<&'a str>,
}

impl Front {
    /// Answers a request, if need be by the routes.
    pub fn call<S, B>(
        &self,
        mut request: Request,
        routes: &S,
    ) -> impl Future<Output = Result<Response<Sent>, Error>> + use<S, B>
    where
        S: Service<Request, Response = ServiceResponse<B>, Error = Error>,
        B: MessageBody + 'static,
    {
        if *request.method() == Method::HEAD && has_head(request.path()) {
            // Answered as a GET; the body of the answer stays behind (RFC 9110 section 9.3.2).
            request.head_mut().method = Method::GET;
        }
        let under_way = self.api.observed.begin(&request);
        let begun = self.api.connections.begin(&mut request).map(|begun| {
            let answering = match self.mail(&mut request) {
                Some(mail) => Either::Left(answer(self.api.clone(), mail)),
                None => Either::Right(routes.call(request)),
            };
            (begun, answering)
        });
        async move {
            let (answer, begun) = match begun {
                Ok((begun, Either::Left(mail))) => (mail.await, begun),
                Ok((begun, Either::Right(routed))) => (routed.await?.into_parts().1.map_into_boxed_body(), begun),
                Err(problem) => (problem.error_response(), None),
            };
            let mut answer = Sent::answer(answer, begun);
            under_way.end(&mut answer);
            Ok(answer)
        }
    }

    /// The call, if this is one to a mailbox. The request's payload goes with it.
    fn mail(&self, request: &mut Request) -> Option<Result<Mail, Problem>> {
        if self.has_cors && request.head().headers().contains_key(header::ORIGIN) {
            return None;
        }
        let is_poll = *request.method() == Method::GET;
        if !is_poll && *request.method() != Method::POST {
            return None;
        }
        let payload = request.take_payload();
        let head = request.head();
        let Some(address) = Address::parse(head.uri.path()).filter(|address| !is_poll || address.peer.is_some()) else {
            *request.payload() = payload;
            return None;
        };
        let connection = request.conn_data::<Arc<Connection>>().map(Arc::as_ref);
        let (room, peer) = (address.room, address.peer.unwrap_or_default());
        let call = Call { api: &self.api, connection, head, room, peer };
        Some(if is_poll {
            Reader::of(&call).and_then(|by| Poll::asked(&self.api, by, head)).map(|poll| Mail::Poll(poll, payload))
        } else {
            self.post(&call, address.peer.is_some(), payload)
        })
    }

    fn post(&self, call: &Call<'_>, to_one: bool, payload: actix_http::Payload) -> Result<Mail, Problem> {
        let Sender(by) = Sender::of(call)?;
        let to = to_one.then(|| Addressee::of(call)).transpose()?;
        let key = IdempotencyKey::of(call.head.headers())?;
        let limits = &self.api.limits;
        let limit = if to_one { limits.body_bytes } else { limits.batch_bytes };
        let incoming = Incoming::new(&self.api, call.head.headers(), payload, limit);
        Ok(match to {
            Some(Addressee(to)) => Mail::One(by, to, key, incoming),
            None => Mail::Batch(by, key, incoming),
        })
    }
}

async fn answer(api: Data<Api>, mail: Result<Mail, Problem>) -> HttpResponse {
    let answer = match mail {
        Ok(Mail::Poll(poll, stream)) => poll.answer(&api, stream).await,
        Ok(Mail::One(by, to, key, incoming)) => match incoming.unchecked().await {
            Ok(bytes) => put_one(&api, &by, to, &key, &bytes).await,
            Err(problem) => Err(problem),
        },
        Ok(Mail::Batch(by, key, incoming)) => match incoming.unchecked().await {
            Ok(bytes) => put_batch(&api, &by, &key, &bytes).await,
            Err(problem) => Err(problem),
        },
        Err(problem) => Err(problem),
    };
    answer.unwrap_or_else(|problem| problem.error_response())
}

impl<'a> Address<'a> {
    /// Paths with anything unusual in them are left to the routes, which know what it means.
    fn parse(path: &'a str) -> Option<Self> {
        let (room, rest) = path.strip_prefix("/v1/rooms/")?.split_once('/')?;
        let peer = match rest {
            "messages" => None,
            _ => Some(rest.strip_prefix("peers/")?.strip_suffix("/messages")?),
        };
        let is_plain = |part: &str| !part.is_empty() && !part.contains(['/', '%']);
        (is_plain(room) && peer.is_none_or(is_plain)).then_some(Self { room, peer })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_paths_of_mailboxes_are_known_and_what_is_unusual_is_left_to_the_routes() {
        let address = |room, peer| Some(Address { room, peer });
        assert_eq!(Address::parse("/v1/rooms/tea/messages"), address("tea", None));
        assert_eq!(Address::parse("/v1/rooms/tea/peers/x/messages"), address("tea", Some("x")));
        for other in [
            "/v1/rooms/tea",
            "/v1/rooms//messages",
            "/v1/rooms/tea/peers//messages",
            "/v1/rooms/tea/peers/messages",
            "/v1/rooms/tea/peers/x/y/messages",
            "/v1/rooms/tea/peers/x/messages/",
            "/v1/rooms/te%61/messages",
            "/v1/rooms/tea/peers/%78/messages",
            "/v2/rooms/tea/messages",
        ] {
            assert_eq!(Address::parse(other), None, "{other}");
        }
    }
}

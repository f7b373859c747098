//! Where every request comes in. It is counted, held against what its connection may have, and answered: by actix's
//! routes, or, if it is one of those that calls consist of, without them.
//!
//! Nearly all requests are for mailboxes, and the rest of a call is joining and leaving. Finding a route, with all that actix
//! makes ready for a handler, takes longer than what there is to do. A waiting poll keeps nothing of its request.

use std::future::ready;

use actix_http::{Payload, Request, Response};
use actix_web::{
    Error, HttpResponse, ResponseError,
    body::MessageBody,
    dev::{Service, ServiceResponse},
    http::{Method, header},
    web::Data,
};
use futures_util::future::LocalBoxFuture;

use super::{
    Api,
    body::Incoming,
    caller::{Addressee, Call, Caller, From, Member, OwnerOrCreator, Reader, Sender, Visiting},
    connection::{Asked, Connection},
    ice_servers::AskedHost,
    idempotency::IdempotencyKey,
    messages::{Poll, put_batch, put_one},
    methods::has_head,
    peers::{give_up_seat, take_seat},
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

/// One of the requests that calls consist of, with all that is needed of it.
enum Direct {
    Poll(Poll, Payload),
    One(Member, PeerId, IdempotencyKey, Incoming),
    Batch(Member, IdempotencyKey, Incoming),
    Join(Visiting, From, AskedHost, IdempotencyKey, Incoming),
    Leave(OwnerOrCreator, Addressee),
}

/// A path of which requests are answered without the routes.
#[derive(Debug, PartialEq, Eq)]
struct Place<'a> {
    room: &'a str,
    peer: Option<&'a str>,
    is_mailbox: bool,
}

impl Front {
    /// Answers a request, if need be by the routes.
    pub fn call<S, B>(
        &self,
        asked: Asked,
        routes: &S,
    ) -> impl Future<Output = Result<Response<Sent>, Error>> + use<S, B>
    where
        S: Service<Request, Response = ServiceResponse<B>, Error = Error>,
        S::Future: 'static,
        B: MessageBody + 'static,
    {
        let Asked { mut request, connection } = asked;
        if *request.method() == Method::HEAD && has_head(request.path()) {
            // Answered as a GET; the body of the answer stays behind (RFC 9110 section 9.3.2).
            request.head_mut().method = Method::GET;
        }
        let under_way = self.api.observed.begin(&request);
        let begun = self.api.connections.begin(&mut request, connection.as_ref()).map(|begun| {
            let answering = match self.direct(&mut request, connection.as_deref()) {
                Some(Ok(direct)) => direct.answer(self.api.clone()),
                Some(Err(problem)) => Box::pin(ready(Err(problem))),
                None => {
                    let routed = routes.call(request);
                    Box::pin(async move {
                        let answer = routed.await.map(|answer| answer.into_parts().1.map_into_boxed_body());
                        Ok(answer.unwrap_or_else(|error| error.error_response()))
                    })
                }
            };
            (begun, answering)
        });
        async move {
            let (answer, begun) = match begun {
                Ok((begun, answering)) => (answering.await, begun),
                Err(problem) => (Err(problem), None),
            };
            let answer = answer.unwrap_or_else(|problem| problem.error_response());
            let mut answer = Sent::answer(answer, begun);
            under_way.end(&mut answer);
            Ok(answer)
        }
    }

    /// The request, if it can be answered without the routes; its payload goes with it.
    fn direct(&self, request: &mut Request, connection: Option<&Connection>) -> Option<Result<Direct, Problem>> {
        if self.has_cors && request.head().headers().contains_key(header::ORIGIN) {
            return None;
        }
        let payload = request.take_payload();
        let head = request.head();
        let call = |Place { room, peer, .. }| {
            let peer = peer.unwrap_or_default();
            Call { api: &self.api, connection, head, room, peer }
        };
        let place = Place::parse(head.uri.path());
        match (place, &head.method) {
            (Some(place @ Place { peer: Some(_), is_mailbox: true, .. }), &Method::GET) => {
                Some(self.poll(&call(place), payload))
            }
            (Some(place @ Place { is_mailbox: true, peer, .. }), &Method::POST) => {
                Some(self.post(&call(place), peer.is_some(), payload))
            }
            (Some(place @ Place { peer: None, is_mailbox: false, .. }), &Method::POST) => {
                Some(self.join(&call(place), payload))
            }
            (Some(place @ Place { peer: Some(_), is_mailbox: false, .. }), &Method::DELETE) => {
                Some(self.leave(&call(place)))
            }
            _ => {
                *request.payload() = payload;
                None
            }
        }
    }

    fn poll(&self, call: &Call<'_>, payload: Payload) -> Result<Direct, Problem> {
        let by = Reader::of(call)?;
        Ok(Direct::Poll(Poll::asked(&self.api, by, call.head)?, payload))
    }

    fn post(&self, call: &Call<'_>, to_one: bool, payload: Payload) -> Result<Direct, Problem> {
        let Sender(by) = Sender::of(call)?;
        let to = to_one.then(|| Addressee::of(call)).transpose()?;
        let key = IdempotencyKey::of(call.head.headers())?;
        let limits = &self.api.limits;
        let limit = if to_one { limits.body_bytes } else { limits.batch_bytes };
        let incoming = Incoming::new(&self.api, call.head.headers(), payload, limit);
        Ok(match to {
            Some(Addressee(to)) => Direct::One(by, to, key, incoming),
            None => Direct::Batch(by, key, incoming),
        })
    }

    fn join(&self, call: &Call<'_>, payload: Payload) -> Result<Direct, Problem> {
        let (visiting, from) = (Visiting::of(call)?, From::of(call)?);
        let key = IdempotencyKey::of(call.head.headers())?;
        let incoming = Incoming::new(&self.api, call.head.headers(), payload, self.api.limits.body_bytes);
        Ok(Direct::Join(visiting, from, AskedHost::of(call.head), key, incoming))
    }

    fn leave(&self, call: &Call<'_>) -> Result<Direct, Problem> {
        Ok(Direct::Leave(OwnerOrCreator::of(call)?, Addressee::of(call)?))
    }
}

/// What comes to an answer, in a box: each takes as much place as it needs itself, and not as the largest of all.
type Answering = LocalBoxFuture<'static, Result<HttpResponse, Problem>>;

impl Direct {
    fn answer(self, api: Data<Api>) -> Answering {
        match self {
            Direct::Poll(poll, stream) => Box::pin(async move { poll.answer(&api, stream).await }),
            Direct::One(by, to, key, incoming) => Box::pin(async move {
                let bytes = incoming.unchecked().await?;
                put_one(&api, &by, to, &key, &bytes).await
            }),
            Direct::Batch(by, key, incoming) => Box::pin(async move {
                let bytes = incoming.unchecked().await?;
                put_batch(&api, &by, &key, &bytes).await
            }),
            Direct::Join(visiting, from, host, key, incoming) => Box::pin(async move {
                let bytes = incoming.json().await?;
                take_seat(&api, visiting, from, &host, &key, &bytes).await
            }),
            Direct::Leave(by, whom) => Box::pin(async move { give_up_seat(&api, by, whom).await }),
        }
    }
}

impl<'a> Place<'a> {
    /// Paths with anything unusual in them are left to the routes, which know what it means.
    fn parse(path: &'a str) -> Option<Self> {
        let (room, rest) = path.strip_prefix("/v1/rooms/")?.split_once('/')?;
        let (peer, is_mailbox) = match rest {
            "messages" => (None, true),
            "peers" => (None, false),
            _ => {
                let peer = rest.strip_prefix("peers/")?;
                peer.strip_suffix("/messages").map_or((Some(peer), false), |peer| (Some(peer), true))
            }
        };
        let is_plain = |part: &str| !part.is_empty() && !part.contains(['/', '%']);
        (is_plain(room) && peer.is_none_or(is_plain)).then_some(Self { room, peer, is_mailbox })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_paths_of_calls_are_known_and_what_is_unusual_is_left_to_the_routes() {
        let place = |room, peer, is_mailbox| Some(Place { room, peer, is_mailbox });
        assert_eq!(Place::parse("/v1/rooms/tea/messages"), place("tea", None, true));
        assert_eq!(Place::parse("/v1/rooms/tea/peers/x/messages"), place("tea", Some("x"), true));
        assert_eq!(Place::parse("/v1/rooms/tea/peers"), place("tea", None, false));
        assert_eq!(Place::parse("/v1/rooms/tea/peers/x"), place("tea", Some("x"), false));
        for other in [
            "/v1/rooms",
            "/v1/rooms/tea",
            "/v1/rooms//messages",
            "/v1/rooms//peers",
            "/v1/rooms/tea/peers/",
            "/v1/rooms/tea/peers//messages",
            "/v1/rooms/tea/peers/x/y/messages",
            "/v1/rooms/tea/peers/x/messages/",
            "/v1/rooms/tea/peers/x/leave",
            "/v1/rooms/te%61/messages",
            "/v1/rooms/tea/peers/%78/messages",
            "/v2/rooms/tea/messages",
        ] {
            assert_eq!(Place::parse(other), None, "{other}");
        }
    }
}

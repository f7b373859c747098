//! Where every request comes in. It is counted, held against what its connection may have, and answered: by actix's
//! routes, or, if it is one of those that calls consist of, without them.
//!
//! Nearly all requests are for mailboxes, and the rest of a call is joining and leaving. Finding a route, with all that actix
//! makes ready for a handler, takes longer than what there is to do. A waiting poll keeps nothing of its request.

use std::{
    future::{Future, ready},
    net::SocketAddr,
    sync::Arc,
};

use actix_http::{Payload, Request, Response};
use actix_web::{
    Error, HttpResponse, ResponseError,
    body::MessageBody,
    dev::{Service, ServiceResponse},
    http::{Method, StatusCode, header},
    web::Data,
};
use futures_util::future::{Either, LocalBoxFuture};

use crate::{
    api::{
        Api,
        auth::caller::{Addressee, Call, Caller, From, Member, OwnerOrCreator, Reader, Sender, Visiting},
        base_path::BasePath,
        handlers::{
            ice_servers::AskedHost,
            messages::{Poll, put_batch, put_one},
            peers::{give_up_seat, take_seat},
        },
        idempotency::IdempotencyKey,
        json::body::{Coming, Incoming},
        methods::has_head,
        place::{Act, Place},
        problem::Problem,
    },
    domain::PeerId,
    transport::{
        http1::head::Plain,
        http2::response_body::Sent,
        limits::connection::Connection,
        request::{Answered, Received},
        response::Answer,
    },
};

#[derive(Clone, Debug)]
pub struct Front {
    pub api: Data<Api>,
    pub base_path: BasePath,
    /// Answers to other origins have headers of their own, which actix-cors adds.
    pub has_cors: bool,
}

/// One of the requests that calls consist of, with all that is needed of it.
enum Direct {
    Poll(Poll),
    One(Member, PeerId, IdempotencyKey, Incoming),
    Batch(Member, IdempotencyKey, Incoming),
    Join(Visiting, From, AskedHost, IdempotencyKey, Incoming),
    Leave(OwnerOrCreator, Addressee),
}

/// What comes to an answer, in a box: each takes as much place as it needs itself, and not as the largest of all.
type Answering<T> = LocalBoxFuture<'static, Result<T, Problem>>;

impl Front {
    /// Answers a request, if need be by the routes.
    pub fn call<S, B>(
        &self,
        received: Received,
        routes: &S,
    ) -> impl Future<Output = Result<Answered<Sent>, Error>> + use<S, B>
    where
        S: Service<Request, Response = ServiceResponse<B>, Error = Error>,
        S::Future: 'static,
        B: MessageBody + 'static,
    {
        match received {
            Received::Plain { plain, from, connection } => Either::Left(self.plain(plain, from, &connection)),
            Received::Any { request, connection } => Either::Right(self.any(request, connection.as_ref(), routes)),
        }
    }

    /// Answers a request that was read in place. Nothing of it is kept while it waits.
    fn plain(
        &self,
        plain: Plain,
        from: SocketAddr,
        connection: &Arc<Connection>,
    ) -> impl Future<Output = Result<Answered<Sent>, Error>> + use<> {
        let under_way = self.api.observed.begin(plain.method(), plain.path());
        let begun = self.api.connections.begin_announced(Some(plain.body_len()), connection).map(|begun| {
            let direct = Direct::of(plain.act(), &Call::plain(&self.api, &plain, from, connection));
            (begun, answering(direct, Coming::Whole(plain.into_body()), &self.api))
        });
        async move {
            let (answer, mut begun) = match begun {
                Ok((begun, answering)) => (answering.await, Some(begun)),
                Err(problem) => (Err(problem), None),
            };
            let mut answer = answer.unwrap_or_else(Answer::from);
            if begun.as_mut().is_some_and(|begun| !begun.answer(answer.body.len())) {
                answer = Problem::memory_exhausted().into();
            }
            under_way.end(&mut answer);
            Ok(Answered::Plain(answer, begun))
        }
    }

    fn any<S, B>(
        &self,
        mut request: Request,
        connection: Option<&Arc<Connection>>,
        routes: &S,
    ) -> impl Future<Output = Result<Answered<Sent>, Error>> + use<S, B>
    where
        S: Service<Request, Response = ServiceResponse<B>, Error = Error>,
        S::Future: 'static,
        B: MessageBody + 'static,
    {
        let elsewhere = self.base_path.with_slash(request.uri());
        self.base_path.strip_request(&mut request);
        if *request.method() == Method::HEAD && has_head(request.path()) {
            // Answered as a GET; the body of the answer stays behind (RFC 9110 section 9.3.2).
            request.head_mut().method = Method::GET;
        }
        let under_way = self.api.observed.begin(request.method().as_str(), request.path());
        let begun = self.api.connections.begin(&mut request, connection).map(|begun| {
            let answering = match (elsewhere, self.direct(&mut request, connection.map(Arc::as_ref))) {
                (Some(place), _) => Either::Left(moved(place)),
                (None, Some((direct, payload))) => Either::Left(answering(direct, Coming::Stream(payload), &self.api)),
                (None, None) => Either::Right(routes.call(request)),
            };
            (begun, answering)
        });
        async move {
            let (answer, begun) = match begun {
                Ok((begun, Either::Left(answering))) => (answering.await.map(HttpResponse::from), begun),
                Ok((begun, Either::Right(routed))) => {
                    let answer = routed.await.map(|answer| answer.into_parts().1.map_into_boxed_body());
                    (Ok(answer.unwrap_or_else(|error| error.error_response())), begun)
                }
                Err(problem) => (Err(problem), None),
            };
            let answer = answer.unwrap_or_else(|problem| problem.error_response());
            let mut answer: Response<Sent> = Sent::answer(answer, begun);
            under_way.end_any(&mut answer);
            Ok(Answered::Any(answer))
        }
    }

    /// The request, if it can be answered without the routes; its payload goes with it.
    fn direct(
        &self,
        request: &mut Request,
        connection: Option<&Connection>,
    ) -> Option<(Result<Direct, Problem>, Payload)> {
        if self.has_cors && request.head().headers().contains_key(header::ORIGIN) {
            return None;
        }
        let head = request.head();
        let Place { act, room, peer } = Place::parse(head.method.as_str(), head.uri.path())?;
        let direct = Direct::of(act, &Call::of(&self.api, head, connection, room, peer));
        Some((direct, request.take_payload()))
    }
}

impl Direct {
    fn of(act: Act, call: &Call<'_>) -> Result<Self, Problem> {
        let limits = &call.api.limits;
        let limit = if act == Act::PostBatch { limits.batch_bytes } else { limits.body_bytes };
        let incoming = || Incoming::new(call.api, call.fields, limit);
        Ok(match act {
            Act::Poll => {
                let by = Reader::of(call)?;
                Self::Poll(Poll::asked(by, call)?)
            }
            Act::PostOne => {
                let (Sender(by), Addressee(to)) = (Sender::of(call)?, Addressee::of(call)?);
                Self::One(by, to, IdempotencyKey::of(call.fields)?, incoming())
            }
            Act::PostBatch => {
                let Sender(by) = Sender::of(call)?;
                Self::Batch(by, IdempotencyKey::of(call.fields)?, incoming())
            }
            Act::Join => {
                let (visiting, from) = (Visiting::of(call)?, From::of(call)?);
                let key = IdempotencyKey::of(call.fields)?;
                Self::Join(visiting, from, AskedHost::of(call), key, incoming())
            }
            Act::Leave => Self::Leave(OwnerOrCreator::of(call)?, Addressee::of(call)?),
        })
    }
}

fn moved(place: String) -> Answering<Answer> {
    let mut answer = Answer::empty(StatusCode::PERMANENT_REDIRECT);
    answer.add("location", place);
    Box::pin(ready(Ok(answer)))
}

fn answering(direct: Result<Direct, Problem>, body: Coming, api: &Data<Api>) -> Answering<Answer> {
    let api = api.clone();
    match direct {
        Err(problem) => Box::pin(ready(Err(problem))),
        Ok(Direct::Poll(poll)) => Box::pin(async move { poll.answer(&api, body.into_stream()).await }),
        Ok(Direct::One(by, to, key, incoming)) => Box::pin(async move {
            let bytes = incoming.unchecked(body).await?;
            put_one(&api, &by, to, &key, &bytes).await
        }),
        Ok(Direct::Batch(by, key, incoming)) => Box::pin(async move {
            let bytes = incoming.unchecked(body).await?;
            put_batch(&api, &by, &key, &bytes).await
        }),
        Ok(Direct::Join(visiting, from, host, key, incoming)) => Box::pin(async move {
            let bytes = incoming.json(body).await?;
            take_seat(&api, visiting, from, &host, &key, &bytes).await
        }),
        Ok(Direct::Leave(by, whom)) => Box::pin(async move { give_up_seat(&api, by, whom).await }),
    }
}

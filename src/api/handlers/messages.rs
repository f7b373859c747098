//! Mailboxes: others post into them, their owners poll them.

use std::{borrow::Cow, time::Duration};

use actix_web::{
    HttpRequest,
    dev::Payload,
    get, post,
    web::{self, Data},
};
use futures_util::StreamExt;
use serde::Deserialize;

use crate::{
    api::{
        Api,
        auth::caller::{Addressee, Call, Member, Owner, Reader, Sender},
        idempotency::IdempotencyKey,
        json::{
            body::{BatchBody, SignalBody},
            message, write,
        },
        problem::{Code, Problem},
        refusals,
        room_name::RoomNameText,
        schema::{
            responses::{Batch, BatchPosted, Posted},
            signal::{Signal, SignalBatch},
        },
    },
    domain::{Limits, PeerId, Post, Refusal, Seq},
    engine::Asked,
    transport::{headers::Field, response::Answer},
};

refusals!(PostRefusals: MalformedBody, MalformedRequest, TokenMissing, TokenInvalid, Kicked, PeerUnknown, BodyTimeout,
    RoomClosed, PeerGone, BodyTooLarge, UnsupportedMediaType, Invalid, RoomNameInvalid, KeyReused, MailboxFull, RateLimited, Draining,
    EngineUnavailable);
refusals!(PollRefusals: MalformedRequest, TokenMissing, TokenInvalid, NotYours, Kicked, PeerUnknown, CursorAhead,
    PollSuperseded, RoomClosed, PeerGone, CursorGone, Invalid, RoomNameInvalid, RateLimited, Draining,
    EngineUnavailable);

/// Put one message into a peer's mailbox
#[utoipa::path(
    tag = "messages",
    operation_id = "postMessage",
    params(
        ("room" = RoomNameText, Path, description = "The room's name", example = "tea"),
        ("peer" = Uuid, Path, description = "The receiver's id"),
        ("Idempotency-Key" = Option<String>, Header, nullable = false, pattern = "^[!-~]{16,64}$",
            description = "A UUID. A repeat with the same key gets the first answer again and is not delivered twice."),
    ),
    request_body(content = Signal, content_type = "application/json", examples(
        ("offer" = (value = json!({"type": "offer", "sdp": "v=0\r\n…"}))),
        ("answer" = (value = json!({"type": "answer", "sdp": "v=0\r\n…"}))),
        ("candidate" = (value = json!({"type": "candidate", "candidate": {
            "candidate": "candidate:1 1 udp 2122260223 192.0.2.1 54400 typ host", "sdpMid": "0", "sdpMLineIndex": 0}}))),
        ("end-of-candidates" = (value = json!({"type": "candidate", "candidate": null}))),
        ("bye" = (value = json!({"type": "bye", "reason": "Got to go"}))),
        ("data" = (value = json!({"type": "data", "data": {"anything": true}}))),
    )),
    responses((status = 202, body = Posted, description = "In the mailbox"), PostRefusals),
    security(("peer_token" = []))
)]
#[post("/v1/rooms/{room}/peers/{peer}/messages")]
pub async fn post_one(
    api: Data<Api>,
    by: Sender,
    to: Addressee,
    key: IdempotencyKey,
    bytes: SignalBody,
) -> Result<Answer, Problem> {
    put_one(&api, &by.0, to.0, &key, &bytes.0).await
}

pub async fn put_one(
    api: &Api,
    by: &Member,
    to: PeerId,
    key: &IdempotencyKey,
    bytes: &[u8],
) -> Result<Answer, Problem> {
    let targets = vec![message::parse_one(bytes, to, &api.limits)?];
    let keyed = key.keyed(&[b"one", to.as_bytes(), bytes]);
    let accepted = api.engine.post(&by.room, by.peer, Post { targets, keyed }).await?;
    let seq = accepted.places.first().map_or(0, |(_, seq)| seq.get());
    Ok(write::posted(seq))
}

/// Put several messages into mailboxes
///
/// All of them are accepted, or none. A message without `to` goes to everybody else in the room.
#[utoipa::path(
    tag = "messages",
    operation_id = "postBatch",
    params(
        ("room" = RoomNameText, Path, description = "The room's name", example = "tea"),
        ("Idempotency-Key" = Option<String>, Header, nullable = false, pattern = "^[!-~]{16,64}$",
            description = "A UUID. A repeat with the same key gets the first answer again and is not delivered twice."),
    ),
    request_body(content = SignalBatch, content_type = "application/json",
        example = json!({"messages": [{"type": "data", "data": "hello, everybody"}, {"type": "bye"}]})),
    responses((status = 202, body = BatchPosted, description = "In the mailboxes"), PostRefusals),
    security(("peer_token" = []))
)]
#[post("/v1/rooms/{room}/messages")]
pub async fn post_batch(api: Data<Api>, by: Sender, key: IdempotencyKey, bytes: BatchBody) -> Result<Answer, Problem> {
    put_batch(&api, &by.0, &key, &bytes.0).await
}

pub async fn put_batch(api: &Api, by: &Member, key: &IdempotencyKey, bytes: &[u8]) -> Result<Answer, Problem> {
    let targets = message::parse_batch(bytes, &api.limits)?;
    let keyed = key.keyed(&[b"batch", bytes]);
    let accepted = api.engine.post(&by.room, by.peer, Post { targets, keyed }).await?;
    Ok(write::batch_posted(&accepted.places))
}

/// Poll one's own mailbox
///
/// Answers at once with what is newer than the cursor, or waits for it. Reading removes nothing: the cursor of the next
/// poll acknowledges what this one brought, so an answer that is lost is simply asked for again. When nothing comes in
/// time, `messages` is empty.
#[utoipa::path(
    tag = "messages",
    operation_id = "pollMessages",
    params(
        ("room" = RoomNameText, Path, description = "The room's name", example = "tea"),
        ("peer" = Uuid, Path, description = "One's own id"),
        ("wait" = Option<f64>, Query, nullable = false, minimum = 0, maximum = 55, example = 5,
            description = "How long to wait for a message, in seconds; 25 unless given. 0 does not wait."),
        ("page" = Option<String>, Query, nullable = false, min_length = 1, max_length = 64,
            description = "Which page this is, as it said when it joined. A poll that a proxy sends twice then does not \
                count as another page's."),
        ("after" = Option<u64>, Query, nullable = false, minimum = 0, maximum = 9007199254740991_u64,
            description = "The cursor: acknowledges everything up to it. Without one, reads on from what was acknowledged."),
        ("Last-Event-ID" = Option<u64>, Header, nullable = false, minimum = 0, maximum = 9007199254740991_u64,
            description = "The cursor, too; for browsers, whose preflight cache goes by the whole URL. `after` wins."),
    ),
    responses((status = 200, body = Batch, description = "What is newer, and the next cursor"), PollRefusals),
    security(("peer_token" = []))
)]
#[get("/v1/rooms/{room}/peers/{peer}/messages")]
pub async fn poll(api: Data<Api>, by: Reader, request: HttpRequest, stream: web::Payload) -> Result<Answer, Problem> {
    let poll = Poll::asked(by, &Call::routed(&request)?)?;
    poll.answer(&api, stream.into_inner()).await
}

/// A poll, of which no more is needed.
pub struct Poll {
    by: Reader,
    asked: Asked,
    hold: Duration,
    /// Whether the client's going away must be looked for.
    is_http_2: bool,
}

impl Poll {
    pub fn asked(by: Reader, call: &Call<'_>) -> Result<Self, Problem> {
        let header = call.fields.get(Field::LastEventId).map(|_| call.fields.text(Field::LastEventId).unwrap_or("?"));
        let (asked, wait) = parse_poll(call.query, header, &call.api.limits)?;
        // Polls that began together do not end together.
        let hold = wait.mul_f64(1.0 - 0.1 * fastrand::f64());
        Ok(Self { by, asked, hold, is_http_2: call.is_http_2 })
    }

    pub async fn answer(self, api: &Api, stream: Payload) -> Result<Answer, Problem> {
        let Owner { room, peer } = &self.by.0;
        let receiving = api.engine.receive(room, *peer, self.asked, self.hold);
        // In a box, so that a poll over HTTP/1 does not take the place for it.
        let batch = if self.is_http_2 { Box::pin(while_there(stream, receiving)).await? } else { receiving.await? };
        Ok(write::batch(&batch))
    }
}

/// Waits for as long as the client is there to be answered. Over HTTP/1 the handler of a client that has gone is
/// dropped; over HTTP/2 actix does not do so, but the stream of the request's body tells, if it is asked. What comes of a body is read
/// as it comes, or it would pile up, and one that goes on is none that a poll has.
async fn while_there<T>(mut stream: Payload, work: impl Future<Output = Result<T, Refusal>>) -> Result<T, Problem> {
    let mut work = std::pin::pin!(work);
    let mut look = tokio::time::interval(LOOK_EVERY);
    let (mut ended, mut frames) = (false, 0);
    loop {
        let piece = tokio::select! {
            result = &mut work => return Ok(result?),
            piece = stream.next(), if !ended => piece,
            // After its end the stream wakes nobody any more.
            _ = look.tick(), if ended => stream.next().await,
        };
        match piece {
            None => ended = true,
            Some(Ok(_)) => frames += 1,
            Some(Err(_)) => return Err(Problem::new(Code::MalformedRequest, "The client has gone.")),
        }
        if frames > FRAMES_MAX {
            return Err(Problem::new(Code::MalformedRequest, "A poll has no body."));
        }
    }
}

/// Some clients end a request by an empty frame; more is nobody's habit.
const FRAMES_MAX: usize = 8;

/// How soon a client that has gone is noticed over HTTP/2.
const LOOK_EVERY: Duration = Duration::from_secs(1);

#[derive(Default, Deserialize)]
struct PollQuery<'a> {
    wait: Option<Cow<'a, str>>,
    after: Option<Cow<'a, str>>,
    page: Option<Cow<'a, str>>,
}

impl<'a> PollQuery<'a> {
    fn parse(query: &'a str) -> Result<Self, Problem> {
        if let Some(plain) = Self::plain(query) {
            return Ok(plain);
        }
        let malformed = |error| Problem::new(Code::MalformedRequest, format!("The query cannot be read: {error}."));
        serde_urlencoded::from_str(query).map_err(malformed)
    }

    /// One as clients write it: nothing in it is escaped, and nothing is there twice.
    fn plain(query: &'a str) -> Option<Self> {
        let mut plain = Self::default();
        if query.bytes().any(|byte| matches!(byte, b'%' | b'+')) {
            return None;
        }
        for pair in query.split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let place = match name {
                "wait" => &mut plain.wait,
                "after" => &mut plain.after,
                "page" => &mut plain.page,
                _ => continue,
            };
            if place.replace(value.into()).is_some() {
                return None;
            }
        }
        Some(plain)
    }
}

/// What a poll asks for, and how long it would wait. A cursor in the query wins over the header's.
pub fn parse_poll(query: &str, header: Option<&str>, limits: &Limits) -> Result<(Asked, Duration), Problem> {
    let PollQuery { wait, after, page } = PollQuery::parse(query)?;
    // A header that is not used must be right all the same.
    let header = header.map(parse_cursor).transpose()?;
    let after = after.as_deref().map(parse_cursor).transpose()?.or(header);
    let page = page.as_deref().map(crate::api::parse_page).transpose()?;
    Ok((Asked { after, page }, parse_wait(wait.as_deref(), limits)?))
}

fn parse_wait(text: Option<&str>, limits: &Limits) -> Result<Duration, Problem> {
    let Some(text) = text else { return Ok(limits.wait_default.min(limits.wait_max)) };
    let malformed = || Problem::new(Code::MalformedRequest, "`wait` must be a number of seconds.");
    let seconds: f64 = text.parse().ok().filter(|seconds: &f64| seconds.is_finite()).ok_or_else(malformed)?;
    let max = limits.wait_max.as_secs_f64();
    if !(0.0..=max).contains(&seconds) {
        return Err(Problem::invalid(format!("`wait` must be from 0 to {max} seconds.")));
    }
    Ok(Duration::from_secs_f64(seconds))
}

fn parse_cursor(text: &str) -> Result<Seq, Problem> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let cursor = text.parse().ok().filter(|_| digits).and_then(Seq::new);
    cursor.ok_or_else(|| Problem::new(Code::MalformedRequest, "A cursor is a whole number from 0 to 2^53 - 1."))
}

//! Posting into other peers' mailboxes.

use std::sync::Arc;

use crate::{
    api::{
        Api, Problem,
        auth::caller::{Member, Sender},
        handlers::polls::Poll,
        idempotency::IdempotencyKey,
        json::{body::JsonBody, message, write},
        schema::{
            responses::{BatchPosted, BatchPostedAndReceived, Posted},
            signal::{Signal, SignalBatch},
        },
        whip::{
            heard::{self, Notices},
            kind,
        },
    },
    domain::{Accepted, PeerId, Post, Refusal},
    transport::Response,
};

/// Post a message to a peer's mailbox
#[utoipa::path(
    post,
    path = "/v1/rooms/{room}/peers/{peer}/messages",
    tag = "messages",
    operation_id = "postMessage",
    params(IdempotencyKey),
    request_body(content = Signal, content_type = "application/json", examples(
        ("offer" = (value = json!({"type": "offer", "sdp": "v=0\r\n…"}))),
        ("answer" = (value = json!({"type": "answer", "sdp": "v=0\r\n…"}))),
        ("candidate" = (value = json!({"type": "candidate", "candidate": {
            "candidate": "candidate:1 1 udp 2122260223 192.0.2.1 54400 typ host", "sdpMid": "0", "sdpMLineIndex": 0}}))),
        ("end-of-candidates" = (value = json!({"type": "candidate", "candidate": null}))),
        ("bye" = (value = json!({"type": "bye", "reason": "Got to go"}))),
        ("data" = (value = json!({"type": "data", "data": {"anything": true}}))),
    )),
    responses((status = 202, body = Posted, description = "In the mailbox")),
    security(("peer_token" = []))
)]
pub async fn post_one(
    api: Arc<Api>,
    by: Sender,
    to: PeerId,
    key: IdempotencyKey,
    body: JsonBody,
) -> Result<Response, Problem> {
    let Sender(by) = by;
    let bytes = body.read(api.limits.body_bytes).await?;
    let targets = vec![message::parse_one(&bytes, to, &api.limits)?];
    let keyed = key.keyed(&[b"one", to.as_bytes(), &bytes]);
    let accepted = post(&api, &by, Post { targets, keyed }).await?;
    let seq = accepted.positions.first().map_or(0, |(_, seq)| seq.get());
    Ok(write::posted(seq))
}

/// Post several messages to mailboxes, and perhaps poll your own
///
/// Either all are accepted or none. A message without `to` goes to all other peers in the room.
///
/// With `wait`, the response is also that of a poll: it returns messages newer than the cursor, or waits for them. A request that is
/// repeated under its `Idempotency-Key` gets the same `accepted` and polls again. A problem that concerns the poll only has the
/// member `accepted`, too: the messages are in their mailboxes.
#[utoipa::path(
    post,
    path = "/v1/rooms/{room}/messages",
    tag = "messages",
    operation_id = "postBatch",
    params(
        IdempotencyKey,
        ("wait" = Option<f64>, Query, nullable = false, minimum = 0, maximum = 55,
            description = "Polls as well, and says how long to wait for a message, in seconds. Without it, the request does not poll."),
        ("page" = Option<String>, Query, nullable = false, min_length = 1, max_length = 64,
            description = "With `wait`: as in a poll."),
        ("after" = Option<u64>, Query, nullable = false, minimum = 0, maximum = 9007199254740991_u64,
            description = "With `wait`: as in a poll."),
        ("Last-Event-ID" = Option<u64>, Header, nullable = false, minimum = 0, maximum = 9007199254740991_u64,
            description = "With `wait`: as in a poll."),
    ),
    request_body(content = SignalBatch, content_type = "application/json",
        example = json!({"messages": [{"type": "data", "data": "hello, everybody"}, {"type": "bye"}]})),
    responses(
        (status = 202, body = BatchPosted, description = "In the mailboxes"),
        (status = 200, body = BatchPostedAndReceived, description = "With `wait`: in the mailboxes, and new messages"),
    ),
    security(("peer_token" = []))
)]
pub async fn post_batch(
    api: Arc<Api>,
    by: Sender,
    key: IdempotencyKey,
    poll: Option<Poll>,
    body: JsonBody,
) -> Result<Response, Problem> {
    let Sender(by) = by;
    if poll.is_some() {
        api.rates.poll.check(by.peer)?;
    }
    let Accepted { positions, .. } = accept_batch(&api, &by, key, body).await?;
    let Some(poll) = poll else { return Ok(write::batch_posted(&positions)) };
    match poll.run(&api, &by).await {
        Ok(batch) => Ok(write::batch_posted_and_received(&positions, &batch)),
        Err(refusal) => Err(Problem::from(refusal).with("accepted", write::positions(&positions))),
    }
}

/// Apart from the poll, which would otherwise keep the body in memory.
async fn accept_batch(api: &Arc<Api>, by: &Member, key: IdempotencyKey, body: JsonBody) -> Result<Accepted, Problem> {
    let bytes = body.read(api.limits.batch_bytes).await?;
    let targets = message::parse_batch(&bytes, &api.limits)?;
    let keyed = key.keyed(&[b"batch", &bytes]);
    post(api, by, Post { targets, keyed }).await
}

async fn post(api: &Arc<Api>, by: &Member, post: Post) -> Result<Accepted, Problem> {
    let notices = Notices::of(&post.targets);
    let accepted = match api.engine.post(&by.room, by.peer, post).await {
        Err(Refusal::MailboxFull { peer }) if kind::is_peer(peer) => {
            Box::pin(heard::relieve(api, &by.room, peer)).await;
            return Err(Refusal::MailboxFull { peer }.into());
        }
        outcome => outcome?,
    };
    if !notices.is_empty() {
        // Boxed, because few posts concern an encoder.
        Box::pin(notices.act(api, &by.room, by.peer, &accepted)).await;
    }
    Ok(accepted)
}

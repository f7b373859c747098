//! Mailboxes: others post into them, their owners poll them.

use std::sync::Arc;

use crate::{
    api::{
        Api,
        auth::caller::{Addressee, Sender},
        idempotency::IdempotencyKey,
        json::{
            body::{BatchBody, MessageBody},
            message, write,
        },
        problem::Problem,
        room_name::RoomNameText,
        schema::{
            problem_responses::refusals,
            responses::{BatchPosted, Posted},
            signal::{Signal, SignalBatch},
        },
    },
    domain::Post,
    transport::Response,
};

refusals!(PostRefusals: MalformedBody, MalformedRequest, TokenMissing, TokenInvalid, Kicked, PeerUnknown, BodyTimeout,
    RoomClosed, PeerGone, BodyTooLarge, UnsupportedMediaType, Invalid, RoomNameInvalid, KeyReused, MailboxFull, RateLimited, Draining,
    EngineUnavailable);

/// Put one message into a peer's mailbox
#[utoipa::path(
    post,
    path = "/v1/rooms/{room}/peers/{peer}/messages",
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
pub async fn post_one(
    api: Arc<Api>,
    by: Sender,
    to: Addressee,
    key: IdempotencyKey,
    body: MessageBody,
) -> Result<Response, Problem> {
    let (Sender(by), Addressee(to)) = (by, to);
    let bytes = body.read().await?;
    let targets = vec![message::parse_one(&bytes, to, &api.limits)?];
    let keyed = key.keyed(&[b"one", to.as_bytes(), &bytes]);
    let accepted = api.engine.post(&by.room, by.peer, Post { targets, keyed }).await?;
    let seq = accepted.positions.first().map_or(0, |(_, seq)| seq.get());
    Ok(write::posted(seq))
}

/// Put several messages into mailboxes
///
/// All of them are accepted, or none. A message without `to` goes to everybody else in the room.
#[utoipa::path(
    post,
    path = "/v1/rooms/{room}/messages",
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
pub async fn post_batch(api: Arc<Api>, by: Sender, key: IdempotencyKey, body: BatchBody) -> Result<Response, Problem> {
    let Sender(by) = by;
    let bytes = body.read().await?;
    let targets = message::parse_batch(&bytes, &api.limits)?;
    let keyed = key.keyed(&[b"batch", &bytes]);
    let accepted = api.engine.post(&by.room, by.peer, Post { targets, keyed }).await?;
    Ok(write::batch_posted(&accepted.positions))
}

//! Posting into other peers' mailboxes.

use std::sync::Arc;

use crate::{
    api::{
        Api, Problem,
        auth::caller::Sender,
        idempotency::IdempotencyKey,
        json::{body::JsonBody, message, write},
        schema::{
            responses::{BatchPosted, Posted},
            signal::{Signal, SignalBatch},
        },
    },
    domain::{PeerId, Post},
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
    let accepted = api.engine.post(&by.room, by.peer, Post { targets, keyed }).await?;
    let seq = accepted.positions.first().map_or(0, |(_, seq)| seq.get());
    Ok(write::posted(seq))
}

/// Post several messages to mailboxes
///
/// Either all are accepted or none. A message without `to` goes to all other peers in the room.
#[utoipa::path(
    post,
    path = "/v1/rooms/{room}/messages",
    tag = "messages",
    operation_id = "postBatch",
    params(IdempotencyKey),
    request_body(content = SignalBatch, content_type = "application/json",
        example = json!({"messages": [{"type": "data", "data": "hello, everybody"}, {"type": "bye"}]})),
    responses((status = 202, body = BatchPosted, description = "In the mailboxes")),
    security(("peer_token" = []))
)]
pub async fn post_batch(api: Arc<Api>, by: Sender, key: IdempotencyKey, body: JsonBody) -> Result<Response, Problem> {
    let Sender(by) = by;
    let bytes = body.read(api.limits.batch_bytes).await?;
    let targets = message::parse_batch(&bytes, &api.limits)?;
    let keyed = key.keyed(&[b"batch", &bytes]);
    let accepted = api.engine.post(&by.room, by.peer, Post { targets, keyed }).await?;
    Ok(write::batch_posted(&accepted.positions))
}

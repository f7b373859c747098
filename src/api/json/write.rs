//! Writes responses, most of them by hand: serde would scan payloads that are valid JSON already. Their schemas are in
//! `api/schema/responses.rs`.

use actix_web::http::StatusCode;
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    api::{Code, Problem, json::scan::unescaped_len, schema::responses::IceServers},
    domain::{self, Card, Content, LeaveReason, Limits, PeerId, RoomName, Seq},
    transport::{
        Response,
        response::{NO_STORE, SharedFields},
    },
};

/// The header fields of every JSON response.
const JSON: SharedFields = &[("content-type", "application/json"), ("cache-control", NO_STORE)];

pub fn no_content() -> Response {
    Response::no_content(&[("cache-control", NO_STORE)])
}

fn json_text(status: StatusCode, text: String) -> Response {
    Response::text(status, JSON, text)
}

pub fn json(status: StatusCode, body: &impl Serialize) -> Response {
    match serde_json::to_string(body) {
        Ok(text) => json_text(status, text),
        Err(_) => Response::from(&Problem::new(Code::Internal, "The response could not be serialised.")),
    }
}

pub fn joined(
    room: &RoomName,
    joined: &domain::Joined,
    token: &str,
    room_token: Option<&str>,
    ice: &IceServers,
    limits: &Limits,
) -> Response {
    let polite = joined.roster.iter().any(|other| other.order < joined.card.order);
    let mut text = String::with_capacity(768);
    push_string(&mut text, "{\"room\":", room.as_str());
    push_bool(&mut text, ",\"created\":", joined.created);
    push_number(&mut text, ",\"capacity\":", joined.capacity as u64);
    push_bool(&mut text, ",\"secret\":", joined.secret.is_some());
    text.push_str(",\"peer\":");
    push_peer(&mut text, &joined.card);
    push_string(&mut text, ",\"token\":", token);
    push_number(&mut text, ",\"cursor\":", joined.cursor.get());
    push_number(&mut text, ",\"latest\":", joined.newest.get());
    text.push_str(",\"peers\":");
    push_peers(&mut text, joined.roster.iter().map(AsRef::as_ref));
    push_bool(&mut text, ",\"polite\":", polite);
    text.push_str(",\"ice_servers\":");
    text.push_str(&serde_json::to_string(&ice.ice_servers).unwrap_or_else(|_| "[]".into()));
    match ice.ttl_s {
        Some(seconds) => push_number(&mut text, ",\"ice_ttl_s\":", seconds),
        None => text.push_str(",\"ice_ttl_s\":null"),
    }
    push_number(&mut text, ",\"lease_ms\":", limits.lease.as_millis() as u64);
    push_number(&mut text, ",\"wait_max_ms\":", limits.wait_max.as_millis() as u64);
    if let Some(token) = room_token {
        push_string(&mut text, ",\"room_token\":", token);
    }
    text.push('}');
    json_text(if joined.resumed { StatusCode::OK } else { StatusCode::CREATED }, text)
}

pub fn roster<'a>(cards: impl Iterator<Item = &'a Card>) -> Response {
    let mut text = String::from("{\"peers\":");
    push_peers(&mut text, cards);
    text.push('}');
    json_text(StatusCode::OK, text)
}

fn push_peers<'a>(text: &mut String, cards: impl Iterator<Item = &'a Card>) {
    text.push('[');
    for (index, card) in cards.enumerate() {
        if index > 0 {
            text.push(',');
        }
        push_peer(text, card);
    }
    text.push(']');
}

fn push_peer(text: &mut String, card: &Card) {
    text.push_str("{\"id\":\"");
    push_id(text, card.id);
    push_string(text, "\",\"name\":", card.name.as_str());
    // It was validated when it was received.
    text.push_str(",\"metadata\":");
    text.push_str(card.metadata.as_str());
    push_number(text, ",\"order\":", card.order);
    text.push('}');
}

pub fn posted(seq: u64) -> Response {
    let mut text = String::with_capacity(32);
    push_number(&mut text, "{\"seq\":", seq);
    text.push('}');
    json_text(StatusCode::ACCEPTED, text)
}

pub fn batch_posted(positions: &[(PeerId, Seq)]) -> Response {
    let mut text = String::with_capacity(positions_size(positions));
    push_positions(&mut text, positions);
    text.push('}');
    json_text(StatusCode::ACCEPTED, text)
}

pub fn batch(batch: &domain::Batch) -> Response {
    let mut text = String::with_capacity(batch_size(batch));
    text.push('{');
    push_batch(&mut text, batch);
    json_text(StatusCode::OK, text)
}

pub fn batch_posted_and_received(positions: &[(PeerId, Seq)], batch: &domain::Batch) -> Response {
    let mut text = String::with_capacity(positions_size(positions) + batch_size(batch));
    push_positions(&mut text, positions);
    text.push(',');
    push_batch(&mut text, batch);
    json_text(StatusCode::OK, text)
}

/// The member `accepted` of a problem.
pub fn positions(positions: &[(PeerId, Seq)]) -> Value {
    positions.iter().map(|(to, seq)| json!({"to": to.to_string(), "seq": seq.get()})).collect()
}

fn positions_size(positions: &[(PeerId, Seq)]) -> usize {
    positions.len() * 72 + 16
}

fn push_positions(text: &mut String, positions: &[(PeerId, Seq)]) {
    text.push_str("{\"accepted\":[");
    for (index, (to, seq)) in positions.iter().enumerate() {
        text.push_str(if index > 0 { ",{\"to\":\"" } else { "{\"to\":\"" });
        push_id(text, *to);
        push_number(text, "\",\"seq\":", seq.get());
        text.push('}');
    }
    text.push(']');
}

fn batch_size(batch: &domain::Batch) -> usize {
    let size: usize = batch.messages.iter().map(|message| message.content.bytes() + 96).sum();
    size + 40
}

fn push_batch(text: &mut String, batch: &domain::Batch) {
    text.push_str("\"messages\":[");
    for (index, message) in batch.messages.iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        write_message(text, message);
    }
    push_number(text, "],\"cursor\":", batch.cursor.get());
    text.push('}');
}

fn write_message(text: &mut String, message: &domain::Message) {
    push_number(text, "{\"seq\":", message.seq.get());
    match &message.content {
        Content::Relayed { from, payload } => {
            text.push_str(",\"from\":\"");
            push_id(text, *from);
            text.push_str("\",");
            text.push_str(payload.as_str());
        }
        Content::PeerJoined(card) => {
            text.push_str(",\"type\":\"peer-joined\",\"peer\":");
            push_peer(text, card);
        }
        Content::PeerLeft { peer, reason } => {
            text.push_str(",\"type\":\"peer-left\",\"peer\":\"");
            push_id(text, peer.id);
            text.push_str(match reason {
                LeaveReason::Left => "\",\"reason\":\"left\"",
                LeaveReason::Expired => "\",\"reason\":\"expired\"",
                LeaveReason::Kicked => "\",\"reason\":\"kicked\"",
            });
        }
        Content::RoomClosed => text.push_str(",\"type\":\"room-closed\""),
    }
    text.push('}');
}

fn push_id(text: &mut String, peer: PeerId) {
    text.push_str(Uuid::from_bytes(*peer.as_bytes()).hyphenated().encode_lower(&mut Uuid::encode_buffer()));
}

fn push_string(text: &mut String, name: &str, string: &str) {
    text.push_str(name);
    if unescaped_len(string.as_bytes()) == string.len() {
        text.extend(["\"", string, "\""]);
    } else {
        // Serialising a string cannot fail.
        text.push_str(&serde_json::to_string(string).unwrap_or_default());
    }
}

fn push_number(text: &mut String, name: &str, number: u64) {
    text.push_str(name);
    text.push_str(itoa::Buffer::new().format(number));
}

fn push_bool(text: &mut String, name: &str, value: bool) {
    text.push_str(name);
    text.push_str(if value { "true" } else { "false" });
}

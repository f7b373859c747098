//! Answers, nearly all written by hand: serde looks at each byte of what needs no looking at. What they look like is said in
//! `api/schema/responses.rs`.

use actix_web::http::StatusCode;
use serde::Serialize;
use uuid::Uuid;

use crate::{
    api::{
        json::scan::unescaped_len,
        problem::{Code, Problem},
    },
    domain::{self, Card, Content, LeaveReason, PeerId, RoomName, Seq},
    ice::IceServer,
    transport::{
        Response,
        response::{NO_STORE, SharedFields},
    },
};

/// What every response in JSON says.
const JSON: SharedFields = &[("content-type", "application/json"), ("cache-control", NO_STORE)];

/// 204.
pub fn no_content() -> Response {
    Response::no_content(&[("cache-control", NO_STORE)])
}

/// JSON that is written already.
fn json_text(status: StatusCode, text: String) -> Response {
    Response::text(status, JSON, text)
}

/// A response in JSON.
pub fn json(status: StatusCode, body: &impl Serialize) -> Response {
    match serde_json::to_string(body) {
        Ok(text) => json_text(status, text),
        Err(_) => Response::from(&Problem::new(Code::Internal, "The answer could not be written.")),
    }
}

/// What goes into the answer to a join.
pub struct Joined<'a> {
    pub room: &'a RoomName,
    pub joined: &'a domain::Joined,
    pub token: String,
    pub ice_servers: Vec<IceServer>,
    pub ice_ttl_s: Option<u64>,
    pub lease_ms: u64,
    pub wait_max_ms: u64,
    pub room_token: Option<String>,
}

/// The answer to a join; `shapes::Joined` says what it looks like.
pub fn joined(status: StatusCode, answer: &Joined<'_>) -> Response {
    let Joined { room, joined, .. } = answer;
    let polite = joined.roster.iter().any(|other| other.order < joined.card.order);
    let mut text = String::with_capacity(768);
    text.push_str("{\"room\":");
    push_string(&mut text, room.as_str());
    text.push_str(",\"created\":");
    push_bool(&mut text, joined.created);
    push_number(&mut text, ",\"capacity\":", joined.capacity as u64);
    text.push_str(",\"peer\":");
    push_peer(&mut text, &joined.card);
    text.push_str(",\"token\":");
    push_string(&mut text, &answer.token);
    push_number(&mut text, ",\"cursor\":", joined.cursor.get());
    push_number(&mut text, ",\"latest\":", joined.newest.get());
    text.push_str(",\"peers\":");
    push_peers(&mut text, joined.roster.iter().map(AsRef::as_ref));
    text.push_str(",\"polite\":");
    push_bool(&mut text, polite);
    text.push_str(",\"ice_servers\":");
    text.push_str(&serde_json::to_string(&answer.ice_servers).unwrap_or_else(|_| "[]".into()));
    match answer.ice_ttl_s {
        Some(seconds) => push_number(&mut text, ",\"ice_ttl_s\":", seconds),
        None => text.push_str(",\"ice_ttl_s\":null"),
    }
    push_number(&mut text, ",\"lease_ms\":", answer.lease_ms);
    push_number(&mut text, ",\"wait_max_ms\":", answer.wait_max_ms);
    if let Some(token) = &answer.room_token {
        text.push_str(",\"room_token\":");
        push_string(&mut text, token);
    }
    text.push('}');
    json_text(status, text)
}

/// Everybody in a room; `shapes::Roster` says what it looks like.
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

/// A peer; `shapes::Peer` says what it looks like.
fn push_peer(text: &mut String, card: &Card) {
    text.push_str("{\"id\":\"");
    push_id(text, card.id);
    text.push_str("\",\"name\":");
    push_string(text, card.name.as_str());
    // It was read as JSON when it came.
    text.push_str(",\"metadata\":");
    text.push_str(card.metadata.as_str());
    push_number(text, ",\"order\":", card.order);
    text.push('}');
}

/// Where a message went.
pub fn posted(seq: u64) -> Response {
    let mut text = String::with_capacity(32);
    text.push_str("{\"seq\":");
    text.push_str(itoa::Buffer::new().format(seq));
    text.push('}');
    json_text(StatusCode::ACCEPTED, text)
}

/// Where the messages of a batch went.
pub fn batch_posted(places: &[(PeerId, Seq)]) -> Response {
    let mut text = String::with_capacity(places.len() * 72 + 16);
    text.push_str("{\"accepted\":[");
    for (index, (to, seq)) in places.iter().enumerate() {
        text.push_str(if index > 0 { ",{\"to\":\"" } else { "{\"to\":\"" });
        push_id(&mut text, *to);
        text.push_str("\",\"seq\":");
        text.push_str(itoa::Buffer::new().format(seq.get()));
        text.push('}');
    }
    text.push_str("]}");
    json_text(StatusCode::ACCEPTED, text)
}

/// Writes a batch from the parts that were serialised on their way in.
pub fn batch(batch: &domain::Batch) -> Response {
    let size: usize = batch.messages.iter().map(|message| message.content.bytes() + 96).sum();
    let mut text = String::with_capacity(size + 40);
    text.push_str("{\"messages\":[");
    for (index, message) in batch.messages.iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        write_message(&mut text, message);
    }
    text.push_str("],\"cursor\":");
    text.push_str(itoa::Buffer::new().format(batch.cursor.get()));
    text.push('}');
    json_text(StatusCode::OK, text)
}

fn write_message(text: &mut String, message: &domain::Message) {
    text.push_str("{\"seq\":");
    text.push_str(itoa::Buffer::new().format(message.seq.get()));
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

fn push_string(text: &mut String, string: &str) {
    if unescaped_len(string.as_bytes()) == string.len() {
        text.extend(["\"", string, "\""]);
    } else {
        // A string can always be written.
        text.push_str(&serde_json::to_string(string).unwrap_or_default());
    }
}

fn push_number(text: &mut String, name: &str, number: u64) {
    text.push_str(name);
    text.push_str(itoa::Buffer::new().format(number));
}

fn push_bool(text: &mut String, value: bool) {
    text.push_str(if value { "true" } else { "false" });
}

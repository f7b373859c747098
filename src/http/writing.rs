//! Answers about peers, written by hand: serde looks at each byte of what needs no looking at.

use actix_web::http::StatusCode;

use super::{answer::Answer, answers::push_id, quoted::plain_bytes};
use crate::{
    domain::{self, Card, RoomName},
    ice::IceServer,
};

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

/// The answer to a join; `answers::Joined` says what it looks like.
pub fn joined(status: StatusCode, answer: &Joined<'_>) -> Answer {
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
    Answer::json(status, text)
}

/// Everybody in a room; `answers::Roster` says what it looks like.
pub fn roster<'a>(cards: impl Iterator<Item = &'a Card>) -> Answer {
    let mut text = String::from("{\"peers\":");
    push_peers(&mut text, cards);
    text.push('}');
    Answer::json(StatusCode::OK, text)
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

/// A peer; `answers::Peer` says what it looks like.
pub fn push_peer(text: &mut String, card: &Card) {
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

fn push_string(text: &mut String, string: &str) {
    if plain_bytes(string.as_bytes()) == string.len() {
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

//! The vectors that all clients read, docs/sealed-vectors.json, and what they cannot say.

use std::cell::Cell;
use std::fs;

use serde_json::{Map, Value, json};

use super::base64url;
use super::key::RoomKey;
use super::safety_number;
use super::seals::Seals;
use crate::signal::member_of;
use crate::{Error, Signal, Why};

thread_local! {
    static NONCE: Cell<[u8; 12]> = const { Cell::new([0; 12]) };
}

const ANN: &str = "aaaaaaaa-0000-4000-8000-aaaaaaaaaaaa";
const BEN: &str = "bbbbbbbb-0000-4000-8000-bbbbbbbbbbbb";
const CEM: &str = "cccccccc-0000-4000-8000-cccccccccccc";
const KINDS: [&str; 5] = ["offer", "answer", "candidate", "bye", "data"];

fn vectors() -> Value {
    let text = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/sealed-vectors.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn text<'a>(value: &'a Value, member: &str) -> &'a str {
    value[member].as_str().unwrap()
}

fn list<'a>(value: &'a Value, member: &str) -> &'a Vec<Value> {
    let list = value[member].as_array().unwrap();
    assert!(!list.is_empty());
    list
}

fn key() -> RoomKey {
    text(&vectors(), "key").parse().unwrap()
}

fn seals_of(room: &str, epoch: &str) -> Seals {
    Seals::with(key(), room, epoch.to_owned(), || NONCE.get())
}

fn seals() -> Seals {
    seals_of("tea", "0011223344556677")
}

fn take_nonce(vector: &Value) {
    let hex = text(vector, "nonce");
    let bytes: Vec<u8> = (0..24).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect();
    NONCE.set(bytes.try_into().unwrap());
}

fn signal(message: &Value) -> Signal {
    let kind = text(message, "type");
    Signal::from_content(kind, message[member_of(kind).unwrap()].clone()).unwrap()
}

fn members(message: &Value) -> &Map<String, Value> {
    message.as_object().unwrap()
}

/// `used`, or why not.
fn result(seals: &mut Seals, receiver: &str, message: &Value) -> String {
    let opened = seals.open(receiver, text(message, "type"), text(message, "from"), members(message));
    opened.map_or_else(|why| why.to_string(), |_| "used".to_owned())
}

fn arriving(mut message: Map<String, Value>, from: &str) -> Value {
    message.insert("from".to_owned(), from.into());
    message.into()
}

#[test]
fn keys_are_derived_as_everywhere() {
    let vectors = vectors();
    for vector in list(&vectors, "passphrases") {
        let key = RoomKey::from_passphrase(text(vector, "passphrase"), text(vector, "room")).unwrap();
        assert_eq!(key.to_text(), text(vector, "key"));
    }
    for vector in list(&vectors, "pairKeys") {
        let pair = key().pair("tea", text(vector, "from"), text(vector, "to"));
        assert_eq!(pair.iter().map(|byte| format!("{byte:02x}")).collect::<String>(), text(vector, "key"));
    }
}

#[test]
fn messages_are_sealed_and_opened_as_everywhere() {
    let vectors = vectors();
    let (mut sender, mut receiver) = (seals_of(text(&vectors, "room"), text(&vectors, "epoch")), seals());
    for vector in list(&vectors, "messages") {
        take_nonce(vector);
        let signal = signal(&vector["message"]);
        let sealed = sender.seal(text(&vectors, "sender"), vector["to"].as_str(), &signal).unwrap();
        assert_eq!(Value::from(sealed.clone()), vector["sealed"]);
        assert_eq!(receiver.open(BEN, signal.kind(), ANN, &sealed), Ok(signal));
    }
}

#[test]
fn cards_are_sealed_and_opened_as_everywhere() {
    let vectors = vectors();
    for vector in list(&vectors, "cards") {
        take_nonce(vector);
        let (name, metadata) = (text(&vector["card"], "name"), &vector["card"]["metadata"]);
        assert_eq!(seals().seal_card(name, metadata).unwrap(), vector["metadata"]);
        assert_eq!(seals().open_card(&vector["metadata"]), Ok((name.to_owned(), metadata.clone())));
    }
    for vector in list(&vectors, "refusedCards") {
        assert_eq!(seals().open_card(&vector["metadata"]).unwrap_err().to_string(), text(vector, "why"), "{vector}");
    }
}

#[test]
fn refusals_are_named_as_everywhere() {
    for vector in list(&vectors(), "refusals") {
        assert_eq!(
            result(&mut seals(), text(vector, "receiver"), &vector["message"]),
            text(vector, "why"),
            "{}",
            vector["name"]
        );
    }
}

#[test]
fn numbers_and_epochs_are_kept_as_everywhere() {
    for vector in list(&vectors(), "sequences") {
        let mut receiver = seals();
        for step in list(vector, "steps") {
            let said = result(&mut receiver, text(vector, "receiver"), &step["message"]);
            assert_eq!(said, text(step, "result"), "{}", vector["name"]);
        }
    }
}

#[test]
fn safety_numbers_are_the_same_everywhere() {
    for vector in list(&vectors(), "safetyNumbers") {
        assert_eq!(
            safety_number(text(vector, "local"), text(vector, "remote")).as_deref(),
            vector["number"].as_str(),
            "{}",
            vector["name"]
        );
    }
}

#[test]
fn every_flipped_bit_is_noticed_and_harms_nothing() {
    let mut receiver = seals();
    let sealed = seals().seal(ANN, Some(BEN), &Signal::Offer("v=0".to_owned())).unwrap();
    let bytes = base64url::decode(&sealed["sdp"].as_str().unwrap()[2..]).unwrap();
    for bit in 0..bytes.len() * 8 {
        let mut changed = bytes.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        let message = json!({"type": "offer", "from": ANN, "sdp": format!("1.{}", base64url::encode(&changed))});
        assert_eq!(result(&mut receiver, BEN, &message), "unreadable", "{bit}");
    }
    assert_eq!(result(&mut receiver, BEN, &arriving(sealed, ANN)), "used");
}

#[test]
fn every_changed_character_is_noticed() {
    let sealed = seals().seal(ANN, Some(BEN), &Signal::Offer("v=0".to_owned())).unwrap();
    let characters: Vec<char> = sealed["sdp"].as_str().unwrap().chars().collect();
    for at in 0..characters.len() {
        for other in ['A', '-', '=', ' ', '+', '\n', 'é'].into_iter().filter(|other| *other != characters[at]) {
            let mut changed = characters.clone();
            changed[at] = other;
            let message = json!({"type": "offer", "from": ANN, "sdp": changed.iter().collect::<String>()});
            let said = result(&mut seals(), BEN, &message);
            assert!(said == "unreadable" || said == "unsealed", "{at} {other}: {said}");
        }
    }
}

#[test]
fn no_sealed_text_fits_another_type_sender_receiver_or_room() {
    let content = |kind: &str, sealed: &Map<String, Value>| {
        let value = &sealed[member_of(kind).unwrap()];
        value.get("sealed").unwrap_or(value).clone()
    };
    for source in KINDS {
        let value = if source == "candidate" { Value::Null } else { "x".into() };
        let sealed = seals().seal(ANN, Some(BEN), &Signal::from_content(source, value).unwrap()).unwrap();
        for target in KINDS {
            let value = content(source, &sealed);
            let value = if matches!(target, "candidate" | "data") { json!({ "sealed": value }) } else { value };
            let message = json!({"type": target, "from": ANN, member_of(target).unwrap(): value});
            assert_eq!(
                result(&mut seals(), BEN, &message),
                if source == target { "used" } else { "unreadable" },
                "{source} as {target}"
            );
        }
        assert_eq!(result(&mut seals(), CEM, &arriving(sealed.clone(), ANN)), "unreadable");
        assert_eq!(result(&mut seals(), BEN, &arriving(sealed.clone(), CEM)), "unreadable");
        assert_eq!(result(&mut seals(), ANN, &arriving(sealed.clone(), BEN)), "unreadable");
        assert_eq!(result(&mut seals_of("coffee", "0011223344556677"), BEN, &arriving(sealed, ANN)), "unreadable");
    }
}

#[test]
fn ids_are_compared_in_lower_case() {
    let sealed = seals().seal(&ANN.to_uppercase(), Some(&BEN.to_uppercase()), &Signal::Data(1.into())).unwrap();
    assert_eq!(result(&mut seals(), BEN, &arriving(sealed, ANN)), "used");
}

#[test]
fn names_that_the_server_would_refuse_are_refused_where_they_are_sealed() {
    for name in ["x".repeat(65), "Ann\n".to_owned()] {
        assert!(matches!(seals().seal_card(&name, &json!({})), Err(Error::Invalid(_))), "{name}");
    }
    let name = "🍵".repeat(64);
    let sealed = seals().seal_card(&name, &json!({})).unwrap();
    assert_eq!(seals().open_card(&sealed), Ok((name, json!({}))));
    assert_eq!(seals().open_card(&json!(1)), Err(Why::Unsealed));
}

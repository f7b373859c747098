use std::collections::HashMap;

use serde_json::{Value, value::RawValue};

use crate::{
    api::{
        fuzzing::is_slice_of,
        json::{body, envelope::Envelope, fast_parser, message},
    },
    domain::{Limits, Payload, PeerId},
};

const AT_MOST: usize = 50;

/// An accepted message is JSON to any reader, has the same meaning, and is byte for byte what was sent.
pub fn signal(input: &[u8]) {
    let limits = Limits { batch_messages: AT_MOST, ..Limits::default() };
    let readable = body::check(input, limits.json_depth).is_ok();
    if let Ok(text) = std::str::from_utf8(input) {
        compare_parsers(text);
    }
    let to = PeerId::from_bytes([1; 16]);
    if let Ok(target) = message::parse_one(input, to, &limits) {
        assert!(readable && target.to == Some(to));
        check(serde_json::from_slice(input).unwrap(), &target.payload, input);
    }
    if let Ok(targets) = message::parse_batch(input, &limits) {
        let sent: Value = serde_json::from_slice(input).unwrap();
        let messages = sent["messages"].as_array().unwrap();
        assert!(readable && (1..=AT_MOST).contains(&targets.len()) && targets.len() == messages.len());
        assert!(targets.iter().map(|target| target.payload.len()).sum::<usize>() < input.len());
        for (target, message) in targets.iter().zip(messages) {
            let to = message.get("to").and_then(Value::as_str).map(str::to_lowercase);
            assert_eq!(target.to.map(|peer| peer.to_string()), to);
            check(message.clone(), &target.payload, input);
        }
    }
}

/// What the fast parser reads is what serde reads.
pub fn compare_parsers(text: &str) {
    for depth in [0, 2, 31, 200] {
        if let Some(message) = fast_parser::one(text, depth) {
            agree(&[message], &[message::message_by_serde(text, depth).unwrap()]);
        }
        if let Some(messages) = fast_parser::batch(text, depth) {
            agree(&messages, &message::batch_by_serde(text, depth).unwrap());
        }
    }
}

fn agree<'a>(fast: &[Envelope<'a>], by_serde: &[Envelope<'a>]) {
    assert_eq!(fast.len(), by_serde.len());
    for (fast, by_serde) in fast.iter().zip(by_serde) {
        assert_eq!(fast.payload(), by_serde.payload());
        let mut fast = fast.clone();
        fast.span = None;
        assert_eq!(fast, *by_serde);
    }
}

fn check(mut sent: Value, payload: &Payload, input: &[u8]) {
    sent.as_object_mut().unwrap().remove("to");
    let payload = payload.as_str();
    assert!(payload.len() < input.len(), "it grew");
    let message = format!("{{{payload}}}");
    assert_eq!(serde_json::from_str::<Value>(&message).unwrap(), sent);
    assert!(payload.starts_with("\"type\":\""));
    let members: HashMap<String, &RawValue> = serde_json::from_str(&message).unwrap();
    for (name, raw) in members.iter().filter(|(name, _)| *name != "type") {
        assert!(!["SEQ", "FROM", "TO", "TYPE"].contains(&name.to_uppercase().as_str()), "the server sets it");
        assert!(is_slice_of(raw.get(), input), "not what was sent");
    }
}

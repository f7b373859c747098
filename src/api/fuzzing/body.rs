use actix_web::{dev::Payload, web::Bytes};
use futures_util::stream;
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};

use crate::{
    api::{
        fuzzing::is_slice_of,
        handlers::{
            peers::JoinRequest,
            rooms::{ChangeRequest, CreateRequest},
        },
        json::body::{check, is_json, parse},
        params::{parse_capacity, parse_metadata, parse_name},
    },
    domain::Limits,
    transport::{
        body::{Body, BodyError},
        limits::memory_budget::MemoryBudget,
    },
};

thread_local! {
    static RUNTIME: Runtime = Builder::new_current_thread().enable_time().build().unwrap();
}

/// A body is read whole or refused, however it is split. It is accepted only if any JSON reader could parse it, and what is
/// parsed from it is what any reader would find, within the limits.
pub fn body(input: &[u8]) {
    reading(input);
    assert!(
        std::str::from_utf8(input).map_or(true, |kind| !is_json(kind) || kind.to_ascii_lowercase().ends_with("json"))
    );
    let limits = Limits::default();
    let read = serde_json::from_slice::<Value>(input);
    let may_be_deep = input.iter().filter(|byte| b"[{".contains(byte)).count() > limits.json_depth;
    if input.is_empty() || check(input, limits.json_depth).is_err() {
        return assert!(read.is_err() || may_be_deep, "refused, but valid");
    }
    assert!(depth(&read.unwrap()) <= limits.json_depth);
    if let Ok(request) = parse::<JoinRequest>(input) {
        let sent = sent(input, &["name", "metadata", "secret", "page", "ticket", "capacity"]);
        let texts = [
            ("name", &request.name),
            ("secret", &request.secret),
            ("page", &request.page),
            ("ticket", &request.ticket),
        ];
        texts.iter().for_each(|(name, text)| assert_eq!(text.as_deref(), sent[*name].as_str()));
        assert_eq!(request.capacity, sent["capacity"].as_f64());
        if let Ok(name) = parse_name(request.name.as_deref()) {
            assert!(name.as_str().chars().count() <= 64 && !name.as_str().contains(['\n', '\0']));
        }
        if let (Ok(kept), Some(_)) = (parse_metadata(request.metadata.as_deref(), &limits), &request.metadata) {
            assert!(kept.as_str().len() <= limits.metadata_bytes && is_slice_of(kept.as_str(), input));
            let read: Value = serde_json::from_str(kept.as_str()).unwrap();
            assert!(read.is_object() && read == sent["metadata"]);
        }
    }
    if let Ok(request) = parse::<CreateRequest>(input) {
        let sent = sent(input, &["room", "capacity", "secret", "ticket"]);
        assert_eq!(request.room.as_deref(), sent["room"].as_str());
        assert_eq!(request.capacity, sent["capacity"].as_f64());
        let capacity = parse_capacity(request.capacity, &limits);
        assert!(
            capacity.is_ok_and(|seats| seats.is_none_or(|seats| (1..=64).contains(&seats))) || sent["capacity"] != 2
        );
    }
    if let Ok(request) = parse::<ChangeRequest>(input) {
        assert_eq!(Some(request.locked), sent(input, &["locked"])["locked"].as_bool());
    }
}

/// The accepted body as serde reads it: an object with no members besides these.
fn sent(input: &[u8], members: &[&str]) -> Value {
    let sent: Value = serde_json::from_slice(input).unwrap();
    assert!(sent.as_object().unwrap().keys().all(|name| members.contains(&name.as_str())), "{sent}");
    sent
}

fn reading(input: &[u8]) {
    let limit = 100;
    let piece = usize::from(input.first().copied().unwrap_or_default()) + 1;
    let pieces: Vec<_> = input.chunks(piece).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
    let payload: Payload = Payload::Stream { payload: Box::pin(stream::iter(pieces)) };
    let read = Body::Stream(payload).read(limit, MemoryBudget::new(1 << 30).reservation(None));
    match RUNTIME.with(|runtime| runtime.block_on(read)) {
        Ok(body) => assert!(body == input && body.len() <= limit),
        Err(error) => assert!(matches!(error, BodyError::TooLong) && input.len() > limit),
    }
}

fn depth(json: &Value) -> usize {
    let inside: Vec<&Value> = match json {
        Value::Array(items) => items.iter().collect(),
        Value::Object(members) => members.values().collect(),
        _ => return 0,
    };
    1 + inside.into_iter().map(depth).max().unwrap_or_default()
}

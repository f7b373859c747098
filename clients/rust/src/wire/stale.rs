//! Recognises responses that a cache has repeated.

use std::time::{Duration, Instant};

use serde_json::{Map, Value};

/// Responses with the same `Date`, which has a resolution of one second, cannot arrive this far apart.
const REPEATED: Duration = Duration::from_millis(2500);

/// What a poll brought.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) messages: Vec<Map<String, Value>>,
    pub(crate) cursor: u64,
}

impl Batch {
    /// None if it is older than the cursor of the request, and so not the server's.
    pub(crate) fn read(document: Value, sent: u64) -> Option<Self> {
        let Value::Object(mut document) = document else { return None };
        let cursor = document.get("cursor").and_then(Value::as_u64).filter(|cursor| *cursor >= sent)?;
        let Some(Value::Array(messages)) = document.remove("messages") else { return None };
        let object = |message| if let Value::Object(members) = message { Some(members) } else { None };
        let messages = messages.into_iter().map(object).collect::<Option<Vec<_>>>()?;
        let is_new = |message: &Map<String, Value>| seq(message).is_some_and(|seq| sent < seq && seq <= cursor);
        messages.iter().all(is_new).then_some(Self { messages, cursor })
    }
}

pub(crate) fn seq(message: &Map<String, Value>) -> Option<u64> {
    message.get("seq").and_then(Value::as_u64)
}

/// Recognises repeated responses by `Date`, the time of their origination (RFC 9110, section 6.6.1), which caches keep.
#[derive(Debug, Default)]
pub(crate) struct Dates {
    last: Option<(String, Instant)>,
}

impl Dates {
    pub(crate) fn is_repeated(&mut self, date: Option<String>, now: Instant) -> bool {
        match (&self.last, date) {
            (Some((last, since)), Some(date)) if *last == date => now.duration_since(*since) >= REPEATED,
            (_, date) => {
                self.last = date.map(|date| (date, now));
                false
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_batch_that_is_behind_the_cursor_is_not_the_servers() {
        let read = |document| Batch::read(document, 5).map(|batch| batch.messages.len());
        assert_eq!(read(json!({"messages": [{"seq": 6}, {"seq": 7}], "cursor": 7})), Some(2));
        assert_eq!(read(json!({"messages": [], "cursor": 5})), Some(0));
        for stale in [
            json!({"messages": [], "cursor": 4}),
            json!({"messages": [{"seq": 5}], "cursor": 7}),
            json!({"messages": [{"seq": 8}], "cursor": 7}),
            json!({"messages": [{}], "cursor": 7}),
            json!({"messages": [7], "cursor": 7}),
            json!({"messages": {}, "cursor": 7}),
            json!({"messages": [], "cursor": "7"}),
            json!([]),
        ] {
            assert_eq!(read(stale.clone()), None, "{stale}");
        }
    }

    #[test]
    fn the_same_date_for_too_long_is_a_caches() {
        let mut dates = Dates::default();
        let start = Instant::now();
        let mut at =
            |date: Option<&str>, ms| dates.is_repeated(date.map(str::to_owned), start + Duration::from_millis(ms));
        assert!(!at(Some("one"), 0) && !at(Some("one"), 2400) && at(Some("one"), 2500));
        assert!(!at(Some("two"), 2600) && !at(Some("two"), 5000) && at(Some("two"), 5100));
        assert!(!at(None, 5200) && !at(None, 9000) && !at(Some("two"), 9100));
    }
}

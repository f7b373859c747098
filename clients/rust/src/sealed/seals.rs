//! Seals and opens the messages of one member, for as long as its process lives.

use std::collections::HashMap;

use ring::aead::{LessSafeKey, NONCE_LEN};
use serde_json::{Map, Value, json};

use super::format::{self, Content};
use super::key::{RoomKey, random};
use super::replays::Replays;
use crate::signal::member_of;
use crate::{Error, Signal, Why};

pub(crate) struct Seals {
    key: RoomKey,
    room: String,
    epoch: String,
    nonce: fn() -> [u8; NONCE_LEN],
    /// Numbers given so far, by receiver. Never reset: a peer that returns rejects numbers it has already seen.
    numbers: HashMap<String, u64>,
    replays: Replays,
    /// By sender and receiver. Those with which nothing was opened are not kept: the server can name any sender.
    ciphers: HashMap<(String, String), LessSafeKey>,
}

/// Types whose content is sealed within an object, because the server does not accept a string there.
const WITHIN: [&str; 2] = ["candidate", "data"];

impl Seals {
    pub(crate) fn new(key: RoomKey, room: &str) -> Self {
        let epoch = random::<8>().iter().map(|byte| format!("{byte:02x}")).collect();
        Self::with(key, room, epoch, random)
    }

    pub(super) fn with(key: RoomKey, room: &str, epoch: String, nonce: fn() -> [u8; NONCE_LEN]) -> Self {
        let (numbers, replays, ciphers) = Default::default();
        Self { key, room: room.to_owned(), epoch, nonce, numbers, replays, ciphers }
    }

    /// The members of a message that has no others.
    pub(crate) fn seal(&mut self, from: &str, to: Option<&str>, signal: &Signal) -> Result<Map<String, Value>, Error> {
        let (from, to) = (from.to_lowercase(), to.unwrap_or_default().to_lowercase());
        let kind = signal.kind();
        let content =
            signal.content().map_err(|error| Error::invalid(format!("This {kind} cannot be sent: {error}.")))?;
        let number = self.numbers.get(&to).map_or(1, |number| number + 1);
        let sealed = self.seal_text(kind, &from, &to, number, &content);
        self.numbers.insert(to, number);
        let content = if WITHIN.contains(&kind) { json!({ "sealed": sealed }) } else { sealed.into() };
        let member = member_of(kind).unwrap_or_default();
        Ok([("type".to_owned(), kind.into()), (member.to_owned(), content)].into_iter().collect())
    }

    /// What its sender sealed.
    pub(crate) fn open(
        &mut self,
        me: &str,
        kind: &str,
        from: &str,
        message: &Map<String, Value>,
    ) -> Result<Signal, Why> {
        let (from, me) = (from.to_lowercase(), me.to_lowercase());
        let value = member_of(kind).and_then(|member| message.get(member));
        if from == me {
            return Err(Why::Repeated);
        }
        let sealed = if WITHIN.contains(&kind) { value.and_then(|value| value.get("sealed")) } else { value };
        let (to, content) = self.open_text(kind, &from, &[&me, ""], sealed)?;
        self.replays.check(&from, &to, &content.epoch, content.number)?;
        Signal::from_content(kind, content.value).ok_or(Why::Malformed)
    }

    /// The `metadata` of a join.
    pub(crate) fn seal_card(&mut self, name: &str, metadata: &Value) -> Result<Value, Error> {
        if !is_name(name) {
            return Err(Error::invalid("A name has at most 64 characters, and no control characters."));
        }
        let card = format!(r#"{{"name":{},"metadata":{metadata}}}"#, Value::from(name));
        Ok(json!({ "sealed": self.seal_text("card", "", "", 1, &card) }))
    }

    /// A peer's name and metadata.
    pub(crate) fn open_card(&mut self, metadata: &Value) -> Result<(String, Value), Why> {
        let (_, content) = self.open_text("card", "", &[""], metadata.get("sealed"))?;
        let Value::Object(mut card) = content.value else { return Err(Why::Malformed) };
        let metadata = card.remove("metadata").unwrap_or_else(|| json!({}));
        match card.remove("name") {
            Some(Value::String(name)) if is_name(&name) => Ok((name, metadata)),
            _ => Err(Why::Malformed),
        }
    }

    /// Somebody has left. What was received is remembered, so that the server cannot repeat it.
    pub(crate) fn forget(&mut self, id: &str) {
        let id = id.to_lowercase();
        self.ciphers.retain(|(from, to), _| *from != id && *to != id);
    }

    fn seal_text(&mut self, kind: &str, from: &str, to: &str, number: u64, value: &str) -> String {
        let (nonce, epoch) = ((self.nonce)(), self.epoch.clone());
        let cipher = self.ciphers.entry(pair(from, to)).or_insert_with(|| self.key.cipher(&self.room, from, to));
        format::seal(cipher, nonce, &format::context(kind, from, to), &epoch, number, value)
    }

    /// The receiver (empty: all), and what was sealed for it.
    fn open_text(
        &mut self,
        kind: &str,
        from: &str,
        receivers: &[&str],
        sealed: Option<&Value>,
    ) -> Result<(String, Content), Why> {
        let bytes = format::bytes(sealed.and_then(Value::as_str))?;
        for to in receivers {
            let context = format::context(kind, from, to);
            let opened = match self.ciphers.get(&pair(from, to)) {
                Some(cipher) => format::open(cipher, &context, &bytes),
                None => self.open_first(from, to, &context, &bytes),
            };
            if let Some(plain) = opened {
                return Ok(((*to).to_owned(), format::parse(&plain)?));
            }
        }
        Err(Why::Unreadable)
    }

    fn open_first(&mut self, from: &str, to: &str, context: &[u8], bytes: &[u8]) -> Option<Vec<u8>> {
        let cipher = self.key.cipher(&self.room, from, to);
        let plain = format::open(&cipher, context, bytes)?;
        self.ciphers.insert(pair(from, to), cipher);
        Some(plain)
    }
}

fn pair(from: &str, to: &str) -> (String, String) {
    (from.to_owned(), to.to_owned())
}

/// As the server checks names that it can read.
fn is_name(name: &str) -> bool {
    name.chars().count() <= 64 && !name.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ciphers_are_kept_only_for_those_who_are_here_and_have_the_key() {
        let key = RoomKey::new();
        let [mut ann, mut ben] = [Seals::new(key.clone(), "tea"), Seals::new(key, "tea")];
        let message = ann.seal("Ann", Some("ben"), &Signal::Data(1.into())).unwrap();
        for number in 0..9 {
            assert_eq!(ben.open("ben", "data", &format!("nobody {number}"), &message), Err(Why::Unreadable));
        }
        assert_eq!(ben.ciphers.len(), 0);
        ben.open("ben", "data", "Ann", &message).unwrap();
        ben.seal("ben", Some("Ann"), &Signal::Data(1.into())).unwrap();
        assert_eq!(ben.ciphers.len(), 2);
        ben.forget("Ann");
        assert_eq!(ben.ciphers.len(), 0);
        assert_eq!(ben.open("ben", "data", "Ann", &message), Err(Why::Repeated));
    }
}

//! Parses messages, as clients usually write them, in one pass.
//!
//! Serde needs two: one that extracts what is relayed, and one that validates it (`body::check_value`). This parser accepts
//! only common forms, and only what those two would read in the same way (`fuzzing::signal` compares them). Anything else,
//! wrong or merely uncommon, is left to serde, which also words the problem.

use std::borrow::Cow;

use crate::api::json::{envelope::Envelope, scan::unescaped_len};

/// Serde reads at most 128 levels, whatever the limit.
const DEPTH_MAX: usize = 100;
/// A number with at most this many digits and no exponent is in range.
const NUMBER_LEN_MAX: usize = 300;

/// A body with one message, whose relayed value has at most `depth` levels.
pub fn one(text: &str, depth: usize) -> Option<Envelope<'_>> {
    let mut reader = Reader { text, at: 0 };
    let envelope = reader.envelope(depth.min(DEPTH_MAX))?;
    reader.end().then_some(envelope)
}

/// A body with a batch.
pub fn batch(text: &str, depth: usize) -> Option<Vec<Envelope<'_>>> {
    let mut reader = Reader { text, at: 0 };
    reader.token(b'{')?;
    if reader.name()? != "messages" {
        return None;
    }
    reader.token(b'[')?;
    let mut messages = Vec::new();
    loop {
        messages.push(reader.envelope(depth.min(DEPTH_MAX))?);
        if !reader.comma_or(b']')? {
            break;
        }
    }
    reader.token(b'}')?;
    reader.end().then_some(messages)
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn envelope(&mut self, depth: usize) -> Option<Envelope<'a>> {
        let mut envelope = Envelope::default();
        let (mut kind, mut from, mut to) = (None, None, 0);
        self.token(b'{')?;
        loop {
            self.skip_space();
            let start = self.at;
            let name = self.name()?;
            self.skip_space();
            let is_duplicate = match name {
                "type" => {
                    from = envelope.members.is_empty().then_some(start);
                    let again = kind.replace(self.plain_string()?).is_some();
                    to = self.at;
                    again
                }
                "to" => envelope.to.replace(Cow::Borrowed(self.plain_string()?)).is_some(),
                _ => {
                    let raw = self.raw(depth)?;
                    to = self.at;
                    envelope.add(Cow::Borrowed(name), raw).is_err()
                }
            };
            if is_duplicate {
                return None;
            }
            if !self.comma_or(b'}')? {
                break;
            }
        }
        envelope.kind = Cow::Borrowed(kind?);
        envelope.span = from.and_then(|from| self.text.get(from..to));
        Some(envelope)
    }

    fn raw(&mut self, depth: usize) -> Option<&'a str> {
        let start = self.at;
        self.value(depth)?;
        self.text.get(start..self.at)
    }

    /// Any value with at most `depth` levels.
    fn value(&mut self, depth: usize) -> Option<()> {
        match self.peek()? {
            b'"' => self.string(),
            b'{' => self.items(depth.checked_sub(1)?, b'}', |reader| {
                reader.skip_space();
                reader.string()?;
                reader.token(b':')
            }),
            b'[' => self.items(depth.checked_sub(1)?, b']', |_| Some(())),
            b't' => self.literal("true"),
            b'f' => self.literal("false"),
            b'n' => self.literal("null"),
            _ => self.number(),
        }
    }

    /// The values of an array or object up to its end, each after `before`.
    fn items(&mut self, depth: usize, end: u8, before: impl Fn(&mut Self) -> Option<()>) -> Option<()> {
        self.at += 1;
        self.skip_space();
        if self.peek()? == end {
            self.at += 1;
            return Some(());
        }
        loop {
            before(self)?;
            self.skip_space();
            self.value(depth)?;
            if !self.comma_or(end)? {
                return Some(());
            }
        }
    }

    /// Whether a comma follows, as opposed to the end.
    fn comma_or(&mut self, end: u8) -> Option<bool> {
        self.skip_space();
        let next = self.peek()?;
        self.at += 1;
        (next == b',' || next == end).then_some(next == b',')
    }

    fn string(&mut self) -> Option<()> {
        (self.peek()? == b'"').then_some(())?;
        self.at += 1;
        loop {
            self.at += unescaped_len(self.bytes().get(self.at..)?);
            match self.peek()? {
                b'"' => break,
                b'\\' => {
                    // Lines of SDP end with two escapes.
                    while self.peek()? == b'\\' {
                        self.escape()?;
                    }
                }
                _ => return None,
            }
        }
        self.at += 1;
        Some(())
    }

    /// Surrogates are left to serde.
    fn escape(&mut self) -> Option<()> {
        match *self.bytes().get(self.at + 1..)? {
            [b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', ..] => self.at += 2,
            [b'u', a, b, c, d, ..] if [a, b, c, d].iter().all(u8::is_ascii_hexdigit) && !matches!(a, b'd' | b'D') => {
                self.at += 6;
            }
            _ => return None,
        }
        Some(())
    }

    fn number(&mut self) -> Option<()> {
        let start = self.at;
        self.at += usize::from(self.peek()? == b'-');
        let leads = self.peek()?;
        let whole = self.digits()?;
        if whole > 1 && leads == b'0' {
            return None;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        // An exponent is refused by what must follow a value.
        (self.at - start <= NUMBER_LEN_MAX).then_some(())
    }

    /// Skips at least one digit and returns their number.
    fn digits(&mut self) -> Option<usize> {
        let count = self.bytes().get(self.at..)?.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += count;
        (count > 0).then_some(count)
    }

    fn literal(&mut self, word: &str) -> Option<()> {
        let is_it = self.bytes().get(self.at..)?.starts_with(word.as_bytes());
        self.at += word.len();
        is_it.then_some(())
    }

    /// The name of a member and its colon.
    fn name(&mut self) -> Option<&'a str> {
        self.skip_space();
        let name = self.plain_string()?;
        self.token(b':')?;
        Some(name)
    }

    /// The content of a string without escapes.
    fn plain_string(&mut self) -> Option<&'a str> {
        let start = self.at + 1;
        (self.peek()? == b'"').then_some(())?;
        self.at = start + unescaped_len(self.bytes().get(start..)?);
        (self.peek()? == b'"').then_some(())?;
        self.at += 1;
        self.text.get(start..self.at - 1)
    }

    fn token(&mut self, token: u8) -> Option<()> {
        self.skip_space();
        let is_it = self.peek()? == token;
        self.at += 1;
        is_it.then_some(())
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    fn end(&mut self) -> bool {
        self.skip_space();
        self.at == self.text.len()
    }

    fn peek(&self) -> Option<u8> {
        self.bytes().get(self.at).copied()
    }

    fn bytes(&self) -> &'a [u8] {
        self.text.as_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::fuzzing::compare_parsers;

    const PLAIN: [&str; 12] = [
        r#"{"type":"offer","sdp":"v=0\r\no=- 4611732 2 IN IP4 127.0.0.1\r\ns=-\r\na=\u00e9é\/\"\\\r\n"}"#,
        r#"{"sdp":"v=0","type":"answer"}"#,
        r#"{"to":"67e55044-10b1-426f-9247-bb680e5fe0c8","type":"offer","sdp":"v=0\r\n"}"#,
        r#"{"type":"candidate","candidate":{"candidate":"candidate:1 1 udp 2122260223 192.0.2.1 54400 typ host","sdpMid":"0","sdpMLineIndex":0,"usernameFragment":null}}"#,
        r#"{"type":"candidate","candidate":null}"#,
        r#"{"type":"bye"}"#,
        r#" { "type" : "bye" , "reason" : "late" } "#,
        r#"{"type":"data","data":[1,-0.25,[],{},true,false,null,{"a":{"b":[""]}}]}"#,
        r#"{"type":"data","data":12345678901234567890}"#,
        r#"{"type":"offer","trickle":false,"sdp":"v=0","é":{"a":[1]},"data":null}"#,
        r#"{"x":1,"type":"bye",   "to":"67e55044-10b1-426f-9247-bb680e5fe0c8","y":"z"}"#,
        "{\n\t\"type\": \"data\",\r\n\t\"data\": {\"a\": [1, 2]}\n}",
    ];

    fn batch_of(messages: &[&str]) -> String {
        format!(r#"{{"messages":[{}]}}"#, messages.join(","))
    }

    #[test]
    fn what_clients_send_is_parsed() {
        for text in PLAIN {
            assert!(one(text, 31).is_some(), "{text}");
            compare_parsers(text);
        }
        let all = batch_of(&PLAIN);
        assert_eq!(batch(&all, 29).map(|messages| messages.len()), Some(PLAIN.len()));
        compare_parsers(&all);
    }

    #[test]
    fn what_some_readers_reject_is_not_parsed() {
        let data = |json: &str| format!(r#"{{"type":"data","data":{json}}}"#);
        let strings = r#""\ud83d" "\uDC00" "\x" "\u12g4" ""#;
        let others = r#"1e999 1E5 01 - 1. .5 +1 nul [,1] [1,] {"a"} {"a":1,} {a:1} {1:1} [ ] { [[[]]] tru fals, }"#;
        for json in
            strings.split(' ').chain(others.split(' ')).chain(["", "1 1", "[1 2]", "\"\u{1}\"", "\"\n12345678\""])
        {
            assert!(one(&data(json), 2).is_none(), "{json}");
        }
        assert!(one(&data("[[]]"), 2).is_some());
        assert!(one(&data(&"9".repeat(300)), 2).is_some());
        assert!(one(&data(&"9".repeat(301)), 2).is_none());
        let messages = r#"{"type":"bye","type":"bye"} {"type":"data","data":1,"data":2} {"type":"bye","x":1,"x":2} {"data":1}
            {"type":"b\u0079e"} {"type":"bye"}} {"type":"bye"}, ["type","bye"] {} null {"type":"bye","to":null}"#;
        for text in messages.split_ascii_whitespace() {
            assert!(one(text, 31).is_none() && batch(&batch_of(&[text]), 29).is_none(), "{text}");
        }
        assert!(batch(r#"{"messages":[]}"#, 29).is_none());
    }

    /// The texts above with bytes changed, inserted, removed and repeated.
    #[test]
    fn it_parses_as_serde_does() {
        let mut random = fastrand::Rng::with_seed(8259);
        let all = batch_of(&PLAIN);
        let interesting = br#"{}[],:"\/u0dDe+-.19 tfn"#;
        let mut parsed = 0;
        for round in 0..40_000 {
            let text = if round % 8 == 0 { &all } else { PLAIN[random.usize(..PLAIN.len())] };
            let mut bytes = text.as_bytes().to_vec();
            for _ in 0..random.usize(1..4) {
                let (at, byte) = (random.usize(..bytes.len()), interesting[random.usize(..interesting.len())]);
                match random.u8(..4) {
                    0 => bytes[at] = byte,
                    1 => bytes.insert(at, byte),
                    2 => drop(bytes.remove(at)),
                    _ => bytes.extend_from_within(at..bytes.len().min(at + 9)),
                }
            }
            if let Ok(text) = std::str::from_utf8(&bytes) {
                parsed += usize::from(one(text, 31).is_some() || batch(text, 29).is_some());
                compare_parsers(text);
            }
        }
        assert!(parsed > 1000, "only {parsed}");
    }
}

//! Messages as clients write them, read in one pass.
//!
//! Serde would need two: one that cuts out what is relayed, and one that looks into it (`body::check_value`). This reader
//! knows no more than what is common. It takes nothing that those two would not take alike, which is for the fuzzer to
//! doubt (`fuzzing::signal`); what it does not take, wrong or only uncommon, is left to them, and so are the words for
//! what is wrong.

use std::borrow::Cow;

use crate::api::json::{envelope::Envelope, scan::unescaped_len};

/// Serde reads no deeper than 128 levels, whatever the limit.
const DEEPEST: usize = 100;
/// A number that is no longer, and has no exponent, is none beyond all bounds.
const LONGEST_NUMBER: usize = 300;

/// A body that is one message, of which what is relayed has no more than so many levels.
pub fn one(text: &str, depth: usize) -> Option<Envelope<'_>> {
    let mut reader = Reader { text, at: 0 };
    let envelope = reader.envelope(depth.min(DEEPEST))?;
    reader.end().then_some(envelope)
}

/// A body that is a batch of them.
pub fn batch(text: &str, depth: usize) -> Option<Vec<Envelope<'_>>> {
    let mut reader = Reader { text, at: 0 };
    reader.token(b'{')?;
    if reader.name()? != "messages" {
        return None;
    }
    reader.token(b'[')?;
    let mut messages = Vec::new();
    loop {
        messages.push(reader.envelope(depth.min(DEEPEST))?);
        if !reader.goes_on(b']')? {
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
        let (mut kind, mut from, mut to) = (None, 0, 0);
        self.token(b'{')?;
        loop {
            self.skip_space();
            let begins = self.at;
            let name = self.name()?;
            self.skip_space();
            let is_second = match name {
                "type" => {
                    from = begins;
                    kind.replace(self.plain_string()?).is_some()
                }
                "to" => envelope.to.replace(Cow::Borrowed(self.plain_string()?)).is_some(),
                _ => {
                    let relayed = self.raw(depth)?;
                    to = self.at;
                    envelope.relayed(name)?.replace(relayed).is_some()
                }
            };
            if is_second {
                return None;
            }
            if !self.goes_on(b'}')? {
                break;
            }
        }
        envelope.kind = Cow::Borrowed(kind?);
        envelope.stretch = self.text.get(from..to);
        Some(envelope)
    }

    fn raw(&mut self, depth: usize) -> Option<&'a str> {
        let begins = self.at;
        self.value(depth)?;
        self.text.get(begins..self.at)
    }

    /// Any value, with no more levels than these.
    fn value(&mut self, depth: usize) -> Option<()> {
        match self.peek()? {
            b'"' => self.string(),
            b'{' => self.all(depth.checked_sub(1)?, b'}', |reader| {
                reader.skip_space();
                reader.string()?;
                reader.token(b':')
            }),
            b'[' => self.all(depth.checked_sub(1)?, b']', |_| Some(())),
            b't' => self.word("true"),
            b'f' => self.word("false"),
            b'n' => self.word("null"),
            _ => self.number(),
        }
    }

    /// Values up to the end of their array or object, each after what belongs before it.
    fn all(&mut self, depth: usize, end: u8, before: impl Fn(&mut Self) -> Option<()>) -> Option<()> {
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
            if !self.goes_on(end)? {
                return Some(());
            }
        }
    }

    /// Whether there is a comma, and not the end.
    fn goes_on(&mut self, end: u8) -> Option<bool> {
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
                    // Lines of SDP end with two.
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

    /// Halves of characters are looked at more closely elsewhere.
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
        let begins = self.at;
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
        // No exponent, for whatever comes after a value is no `e`.
        (self.at - begins <= LONGEST_NUMBER).then_some(())
    }

    /// How many there are: at least one.
    fn digits(&mut self) -> Option<usize> {
        let count = self.bytes().get(self.at..)?.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += count;
        (count > 0).then_some(count)
    }

    fn word(&mut self, word: &str) -> Option<()> {
        let is_it = self.bytes().get(self.at..)?.starts_with(word.as_bytes());
        self.at += word.len();
        is_it.then_some(())
    }

    /// The name of a member, and the colon after it.
    fn name(&mut self) -> Option<&'a str> {
        self.skip_space();
        let name = self.plain_string()?;
        self.token(b':')?;
        Some(name)
    }

    /// What is in a string without escapes.
    fn plain_string(&mut self) -> Option<&'a str> {
        let begins = self.at + 1;
        (self.peek()? == b'"').then_some(())?;
        self.at = begins + unescaped_len(self.bytes().get(begins..)?);
        (self.peek()? == b'"').then_some(())?;
        self.at += 1;
        self.text.get(begins..self.at - 1)
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

    const PLAIN: [&str; 10] = [
        r#"{"type":"offer","sdp":"v=0\r\no=- 4611732 2 IN IP4 127.0.0.1\r\ns=-\r\na=\u00e9é\/\"\\\r\n"}"#,
        r#"{"sdp":"v=0","type":"answer"}"#,
        r#"{"to":"67e55044-10b1-426f-9247-bb680e5fe0c8","type":"offer","sdp":"v=0\r\n"}"#,
        r#"{"type":"candidate","candidate":{"candidate":"candidate:1 1 udp 2122260223 192.0.2.1 54400 typ host","sdpMid":"0","sdpMLineIndex":0,"usernameFragment":null}}"#,
        r#"{"type":"candidate","candidate":null}"#,
        r#"{"type":"bye"}"#,
        r#" { "type" : "bye" , "reason" : "late" } "#,
        r#"{"type":"data","data":[1,-0.25,[],{},true,false,null,{"a":{"b":[""]}}]}"#,
        r#"{"type":"data","data":12345678901234567890}"#,
        "{\n\t\"type\": \"data\",\r\n\t\"data\": {\"a\": [1, 2]}\n}",
    ];

    fn batch_of(messages: &[&str]) -> String {
        format!(r#"{{"messages":[{}]}}"#, messages.join(","))
    }

    #[test]
    fn what_clients_send_is_read_in_one_pass() {
        for text in PLAIN {
            assert!(one(text, 31).is_some(), "{text}");
            compare_parsers(text);
        }
        let all = batch_of(&PLAIN);
        assert_eq!(batch(&all, 29).map(|messages| messages.len()), Some(PLAIN.len()));
        compare_parsers(&all);
    }

    #[test]
    fn what_not_every_reader_could_read_is_not_taken() {
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
        let messages = r#"{"type":"bye","type":"bye"} {"type":"data","data":1,"data":2} {"type":"bye","from":"x"} {"data":1}
            {"type":"b\u0079e"} {"type":"bye"}} {"type":"bye"}, ["type","bye"] {} null {"type":"bye","to":null}"#;
        for text in messages.split_ascii_whitespace() {
            assert!(one(text, 31).is_none() && batch(&batch_of(&[text]), 29).is_none(), "{text}");
        }
        assert!(batch(r#"{"messages":[]}"#, 29).is_none());
    }

    /// Texts like those above with bytes changed, put in, left out and doubled.
    #[test]
    fn it_reads_as_serde_does() {
        let mut random = fastrand::Rng::with_seed(8259);
        let all = batch_of(&PLAIN);
        let interesting = br#"{}[],:"\/u0dDe+-.19 tfn"#;
        let mut taken = 0;
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
                taken += usize::from(one(text, 31).is_some() || batch(text, 29).is_some());
                compare_parsers(text);
            }
        }
        assert!(taken > 1000, "only {taken}");
    }
}

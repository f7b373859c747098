//! Requests that calls consist of, with nothing unusual about them, read in place.
//!
//! actix makes a table of the header fields of each request, which costs more than what there is to do for most of ours.
//! What is read here is HTTP/1.1 without any of its options (RFC 9112): a request that came whole, of which every field that
//! could change what it means is missing or says what goes without saying. Everything else, right or wrong, is actix's.

use std::{fmt, mem::MaybeUninit};

use actix_web::web::{Bytes, BytesMut};
use bytestring::ByteString;

use crate::{
    api::{
        base_path::BasePath,
        place::{Act, Place, is_unreserved},
    },
    transport::headers::Field,
};

/// Fields that are taken. actix takes as many.
const FIELDS_MAX: usize = 96;

pub struct Plain {
    head: ByteString,
    body: Bytes,
    act: Act,
    path: Part,
    query: Part,
    room: Part,
    peer: Part,
    fields: [Part; Field::ALL.len()],
}

/// Where something stands in the head. What is not there stands nowhere, at 0, where no request has anything of this.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Part {
    start: u16,
    end: u16,
}

impl Part {
    fn is_somewhere(self) -> bool {
        self.start > 0
    }
}

impl fmt::Debug for Plain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Plain({:?})", self.act)
    }
}

/// What a head says.
struct Said {
    parts: [Part; Field::ALL.len()],
    /// Of the body.
    length: usize,
}

impl Plain {
    /// Takes the next request out of what has come, if it is a plain one. If not, nothing has happened.
    pub fn take(from: &mut BytesMut, base: &BasePath) -> Option<Self> {
        let mut fields = [const { MaybeUninit::uninit() }; FIELDS_MAX];
        let mut request = httparse::Request::new(&mut []);
        let httparse::Status::Complete(head_len) = request.parse_with_uninit_headers(from, &mut fields).ok()? else {
            return None;
        };
        let head = from.get(..head_len)?;
        if head_len > usize::from(u16::MAX) || !head.is_ascii() || request.version != Some(1) {
            return None;
        }
        let target = request.path?;
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let path = base.strip(path);
        let Place { act, room, peer } = Place::parse(request.method?, path)?;
        if !query.bytes().all(|byte| is_unreserved(byte) || matches!(byte, b'=' | b'&')) {
            return None;
        }
        let part = |text: &[u8]| Part::of(text, head);
        let Said { parts: fields, length } = Said::of(request.headers, part)?;
        let has_body = matches!(act, Act::PostOne | Act::PostBatch | Act::Join);
        let end = head_len.checked_add(length).filter(|end| *end <= from.len() && (has_body || length == 0))?;
        let [path, query, room, peer] = [path, query, room, peer].map(|text| part(text.as_bytes()));
        let mut whole = if end == from.len() { std::mem::take(from) } else { from.split_to(end) }.freeze();
        let head = whole.split_to(head_len).try_into().ok()?;
        Some(Self { head, body: whole, act, path, query, room, peer, fields })
    }

    pub fn act(&self) -> Act {
        self.act
    }

    pub fn method(&self) -> &'static str {
        self.act.method()
    }

    pub fn path(&self) -> &str {
        self.text(self.path)
    }

    pub fn query(&self) -> &str {
        self.text(self.query)
    }

    pub fn room(&self) -> &str {
        self.text(self.room)
    }

    /// Empty, if the path names none.
    pub fn peer(&self) -> &str {
        self.text(self.peer)
    }

    pub fn field(&self, field: Field) -> Option<&str> {
        let part = self.fields[field as usize];
        part.is_somewhere().then(|| self.text(part))
    }

    pub fn body_len(&self) -> usize {
        self.body.len()
    }

    pub fn into_body(self) -> Bytes {
        self.body
    }

    fn text(&self, part: Part) -> &str {
        self.head.get(usize::from(part.start)..usize::from(part.end)).unwrap_or_default()
    }
}

impl Part {
    /// `text` is a part of `whole`, within its first 64 KiB.
    fn of(text: &[u8], whole: &[u8]) -> Self {
        let start = (text.as_ptr() as usize).wrapping_sub(whole.as_ptr() as usize);
        let place = |at: usize| u16::try_from(at).unwrap_or_default();
        if text.is_empty() && start > whole.len() {
            return Self::default();
        }
        Self { start: place(start), end: place(start + text.len()) }
    }
}

impl Said {
    /// What the fields say, if each of them is one that changes nothing or one that is understood here, and is there once.
    fn of(fields: &[httparse::Header<'_>], part: impl Fn(&[u8]) -> Part) -> Option<Self> {
        let mut said = Self { parts: Default::default(), length: 0 };
        for httparse::Header { name, value } in fields {
            match known(name.as_bytes()) {
                Known::Nothing => {}
                Known::Unusual => return None,
                Known::Connection if value.eq_ignore_ascii_case(b"keep-alive") => {}
                Known::Connection => return None,
                Known::Field(field) => {
                    let place = said.parts.get_mut(field as usize)?;
                    if place.is_somewhere() {
                        return None;
                    }
                    *place = part(value);
                    if field == Field::ContentLength {
                        said.length = length(value)?;
                    }
                }
            }
        }
        // Without it the request is wrong (RFC 9112 section 3.2).
        said.parts.get(Field::Host as usize)?.is_somewhere().then_some(said)
    }
}

/// What the name of a field means here.
enum Known {
    /// To whoever reads the head, nothing.
    Nothing,
    Field(Field),
    Connection,
    /// How the body comes, or what is to happen on the connection.
    Unusual,
}

fn known(name: &[u8]) -> Known {
    let is = |text: &str| name.eq_ignore_ascii_case(text.as_bytes());
    let field = match name.len() {
        4 if is("host") => Field::Host,
        9 if is("forwarded") => Field::Forwarded,
        12 if is("content-type") => Field::ContentType,
        13 if is("authorization") => Field::Authorization,
        13 if is("last-event-id") => Field::LastEventId,
        14 if is("content-length") => Field::ContentLength,
        15 if is("idempotency-key") => Field::IdempotencyKey,
        15 if is("x-forwarded-for") => Field::XForwardedFor,
        10 if is("connection") => return Known::Connection,
        6 if is("expect") => return Known::Unusual,
        7 if is("upgrade") => return Known::Unusual,
        17 if is("transfer-encoding") => return Known::Unusual,
        _ => return Known::Nothing,
    };
    Known::Field(field)
}

/// Digits, and so few that nothing can overflow.
fn length(value: &[u8]) -> Option<usize> {
    let fits = (1..=9).contains(&value.len()) && value.iter().all(u8::is_ascii_digit);
    fits.then(|| value.iter().fold(0, |length, digit| length * 10 + usize::from(digit - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_taken(fields: &str) -> bool {
        let request = format!("\r\nDELETE /v1/rooms/tea/peers/x HTTP/1.1\r\nHost: x\r\n{fields}\r\n");
        Plain::take(&mut BytesMut::from(request.as_bytes()), &BasePath::default()).is_some()
    }

    #[test]
    fn a_head_has_less_than_64_kib_no_more_than_96_fields_and_only_ascii() {
        let frame = "\r\nDELETE /v1/rooms/tea/peers/x HTTP/1.1\r\nHost: x\r\nX: \r\n\r\n".len();
        let long = |length: usize| format!("X: {}\r\n", "x".repeat(length - frame));
        assert!(is_taken(&long(65_535)) && !is_taken(&long(65_536)));
        assert!(is_taken(&"X: y\r\n".repeat(95)) && !is_taken(&"X: y\r\n".repeat(96)));
        assert!(is_taken("X: e\r\n") && !is_taken("X: é\r\n"));
    }
}

//! Parses the heads of simple requests in place.
//!
//! actix-http builds a table of the header fields of each request, which costs more than answering most of ours. Parsed here
//! is HTTP/1.1 without its options (RFC 9112): complete requests, without any field that changes how they are read.
//! Everything else, valid or not, is left to actix-http's parser.

mod compose;

use std::mem::MaybeUninit;

use actix_http::{Request as DecodedRequest, Version};
use actix_web::{
    http::{
        Method, Uri,
        header::{HeaderName, HeaderValue},
    },
    web::{Bytes, BytesMut},
};

use crate::transport::{known_header::KnownHeader, limits::HEADER_FIELDS_MAX};

pub struct RequestHead {
    text: Bytes,
    method: &'static str,
    content_length: usize,
    path: Span,
    query: Span,
    headers: [Span; KnownHeader::ALL.len()],
}

/// A part of the head. Missing ones start at 0, where the method is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Span {
    start: u16,
    end: u16,
}

struct ParsedFields {
    spans: [Span; KnownHeader::ALL.len()],
    content_length: usize,
}

impl RequestHead {
    /// Splits the next request off the buffer, if it is complete and simple. Otherwise the buffer is unchanged.
    pub fn take(from: &mut BytesMut) -> Option<(Self, Bytes)> {
        let mut fields = [const { MaybeUninit::uninit() }; HEADER_FIELDS_MAX];
        let mut request = httparse::Request::new(&mut []);
        let httparse::Status::Complete(head_len) = request.parse_with_uninit_headers(from, &mut fields).ok()? else {
            return None;
        };
        let head = from.get(..head_len)?;
        if head_len > usize::from(u16::MAX) || request.version != Some(1) {
            return None;
        }
        let (method, may_have_body) = known_method(request.method?)?;
        let target = request.path?.as_bytes();
        let (path_len, query_start) = split_target(target)?;
        let (path, query) = (&target[..path_len], &target[query_start..]);
        let span = |text: &[u8]| Span::of(text, head);
        let ParsedFields { spans: headers, content_length } = ParsedFields::of(request.headers, span)?;
        let end = head_len.checked_add(content_length);
        let end = end.filter(|end| *end <= from.len() && (may_have_body || content_length == 0))?;
        let (path, query) = (span(path), span(query));
        let mut whole = if end == from.len() { std::mem::take(from) } else { from.split_to(end) }.freeze();
        let text = whole.split_to(head_len);
        Some((Self { text, method, content_length, path, query, headers }, whole))
    }

    pub fn method(&self) -> &'static str {
        self.method
    }

    pub fn path(&self) -> &str {
        str::from_utf8(self.bytes(self.path)).unwrap_or_default()
    }

    pub fn query(&self) -> &str {
        str::from_utf8(self.bytes(self.query)).unwrap_or_default()
    }

    pub fn header(&self, header: KnownHeader) -> Option<&[u8]> {
        let span = self.headers[header as usize];
        span.is_present().then(|| self.bytes(span))
    }

    pub fn content_length(&self) -> usize {
        self.content_length
    }

    /// All values of a field, found by parsing the head again.
    pub fn other_header(&self, name: &str) -> Vec<&[u8]> {
        let mut fields = [httparse::EMPTY_HEADER; HEADER_FIELDS_MAX];
        let mut parsed = httparse::Request::new(&mut fields);
        let _ = parsed.parse(&self.text);
        let named = parsed.headers.iter().filter(|field| field.name.eq_ignore_ascii_case(name));
        named.map(|field| field.value).collect()
    }

    /// The request as actix-http's parser would have decoded it.
    pub fn decoded(&self) -> DecodedRequest {
        let mut fields = [httparse::EMPTY_HEADER; HEADER_FIELDS_MAX];
        let mut parsed = httparse::Request::new(&mut fields);
        let mut request = DecodedRequest::new();
        if parsed.parse(&self.text).is_err() {
            return request;
        }
        let head = request.head_mut();
        head.version = Version::HTTP_11;
        head.method = Method::from_bytes(self.method.as_bytes()).unwrap_or_default();
        head.uri = parsed.path.and_then(|target| Uri::try_from(target).ok()).unwrap_or_default();
        for field in parsed.headers {
            let name = HeaderName::from_bytes(field.name.as_bytes());
            if let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(field.value)) {
                head.headers.append(name, value);
            }
        }
        request
    }

    fn bytes(&self, span: Span) -> &[u8] {
        self.text.get(usize::from(span.start)..usize::from(span.end)).unwrap_or_default()
    }
}

impl Span {
    /// The position of `part`, which must be a slice of the first 64 KiB of `whole`.
    fn of(part: &[u8], whole: &[u8]) -> Self {
        let start = (part.as_ptr() as usize).wrapping_sub(whole.as_ptr() as usize);
        let at = |at: usize| u16::try_from(at).unwrap_or_default();
        if part.is_empty() && start > whole.len() {
            return Self::default();
        }
        Self { start: at(start), end: at(start + part.len()) }
    }

    fn is_present(self) -> bool {
        self.start > 0
    }
}

impl ParsedFields {
    /// Nothing if a field changes how the request is read, or a known one occurs twice.
    fn of(fields: &[httparse::Header<'_>], span: impl Fn(&[u8]) -> Span) -> Option<Self> {
        let mut parsed = Self { spans: Default::default(), content_length: 0 };
        for httparse::Header { name, value } in fields {
            match meaning(name.as_bytes()) {
                Meaning::None => {}
                Meaning::Unusual => return None,
                Meaning::Connection if value.eq_ignore_ascii_case(b"keep-alive") => {}
                Meaning::Connection => return None,
                Meaning::Known(header) => {
                    let place = parsed.spans.get_mut(header as usize)?;
                    if place.is_present() {
                        return None;
                    }
                    *place = span(value);
                    if header == KnownHeader::ContentLength {
                        parsed.content_length = content_length(value)?;
                    }
                }
            }
        }
        // `Host` is required (RFC 9112 section 3.2).
        parsed.spans.get(KnownHeader::Host as usize)?.is_present().then_some(parsed)
    }
}

/// What a field name means for parsing the request.
enum Meaning {
    None,
    Known(KnownHeader),
    Connection,
    /// Changes how the body is framed or what happens to the connection.
    Unusual,
}

fn meaning(name: &[u8]) -> Meaning {
    // ASCII case differs in one bit. Setting it turns no other token character (RFC 9110 section 5.6.2) into one of these.
    let differ =
        |text: &str| name.iter().zip(text.as_bytes()).fold(0, |all, (byte, lower)| all | (byte | 0x20) ^ lower);
    let is = |text: &str| name == text.as_bytes() || differ(text) == 0;
    let header = match name.len() {
        4 if is("host") => KnownHeader::Host,
        6 if is("origin") => KnownHeader::Origin,
        9 if is("forwarded") => KnownHeader::Forwarded,
        12 if is("content-type") => KnownHeader::ContentType,
        13 if is("authorization") => KnownHeader::Authorization,
        13 if is("last-event-id") => KnownHeader::LastEventId,
        14 if is("content-length") => KnownHeader::ContentLength,
        14 if is("sec-fetch-mode") => KnownHeader::SecFetchMode,
        14 if is("sec-fetch-site") => KnownHeader::SecFetchSite,
        15 if is("idempotency-key") => KnownHeader::IdempotencyKey,
        15 if is("x-forwarded-for") => KnownHeader::XForwardedFor,
        16 if is("content-encoding") => KnownHeader::ContentEncoding,
        10 if is("connection") => return Meaning::Connection,
        6 if is("expect") => return Meaning::Unusual,
        7 if is("upgrade") => return Meaning::Unusual,
        17 if is("transfer-encoding") => return Meaning::Unusual,
        _ => return Meaning::None,
    };
    Meaning::Known(header)
}

/// Methods parsed in place, and whether they may have a body. Not `HEAD`, whose responses have a length and no body.
fn known_method(method: &str) -> Option<(&'static str, bool)> {
    Some(match method {
        "GET" => ("GET", false),
        "POST" => ("POST", true),
        "PATCH" => ("PATCH", true),
        "DELETE" => ("DELETE", false),
        "PUT" => ("PUT", true),
        _ => return None,
    })
}

/// The length of the path and the start of the query, if both are plain.
fn split_target(target: &[u8]) -> Option<(usize, usize)> {
    let (path_len, query_start) = match memchr::memchr(b'?', target) {
        Some(at) => (at, at + 1),
        None => (target.len(), target.len()),
    };
    let fits_query = |byte: &u8| is_unreserved(*byte) | matches!(byte, b'=' | b'&');
    let is_plain_query = target[query_start..].iter().fold(true, |all, byte| all & fits_query(byte));
    (is_plain_path(&target[..path_len]) && is_plain_query).then_some((path_len, query_start))
}

/// Whether the path has only unreserved characters, and no empty or dot segments.
fn is_plain_path(path: &[u8]) -> bool {
    let [b'/', rest @ ..] = path else { return false };
    let mut is_plain = true;
    // Without an early exit, the loop is vectorized.
    for (before, byte) in path.iter().zip(rest) {
        let is_special = (*before == b'/') & matches!(byte, b'/' | b'.');
        is_plain &= (is_unreserved(*byte) | (*byte == b'/')) & !is_special;
    }
    is_plain
}

/// Characters that need no escape in a path or a query (RFC 3986 section 2.3).
pub fn is_unreserved(byte: u8) -> bool {
    matches!(byte, b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~')
}

/// Only digits, and few enough not to overflow.
fn content_length(value: &[u8]) -> Option<usize> {
    let fits = (1..=9).contains(&value.len()) && value.iter().all(u8::is_ascii_digit);
    fits.then(|| value.iter().fold(0, |length, digit| length * 10 + usize::from(digit - b'0')))
}

#[cfg(test)]
mod tests {
    use actix_http::HttpMessage;

    use super::*;

    fn is_taken(fields: &str) -> bool {
        let request = format!("\r\nDELETE /v1/rooms/tea/peers/x HTTP/1.1\r\nHost: x\r\n{fields}\r\n");
        RequestHead::take(&mut BytesMut::from(request.as_bytes())).is_some()
    }

    #[test]
    fn a_head_has_less_than_64_kib_and_no_more_than_96_fields() {
        let frame = "\r\nDELETE /v1/rooms/tea/peers/x HTTP/1.1\r\nHost: x\r\nX: \r\n\r\n".len();
        let long = |length: usize| format!("X: {}\r\n", "x".repeat(length - frame));
        assert!(is_taken(&long(65_535)) && !is_taken(&long(65_536)));
        assert!(is_taken(&"X: y\r\n".repeat(95)) && !is_taken(&"X: y\r\n".repeat(96)));
    }

    #[test]
    fn only_simple_paths_are_parsed_in_place() {
        let takes = |path: &str| {
            let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n");
            RequestHead::take(&mut BytesMut::from(request.as_bytes())).is_some()
        };
        for plain in ["/", "/v1/rooms/tea", "/v1/rooms/tea/", "/a?b=c&d", "/a.", "/a..b"] {
            assert!(takes(plain), "{plain}");
        }
        for unusual in [
            "*",
            "/te%61",
            "//a",
            "/a//b",
            "/a/./b",
            "/a/..",
            "/.a",
            "/...",
            "/a?b=%20",
            "/a?b=c+d",
            "/a b",
            "http://x/a",
        ] {
            assert!(!takes(unusual), "{unusual}");
        }
    }

    #[test]
    fn other_headers_are_found_in_any_case() {
        let request = "\r\nGET /a HTTP/1.1\r\nHost: x\r\nACCEPT:  text/plain \r\naccept: b\r\n\r\n";
        let (head, _) = RequestHead::take(&mut BytesMut::from(request.as_bytes())).unwrap();
        assert_eq!(head.other_header("accept"), [&b"text/plain"[..], b"b"]);
        assert!(head.other_header("get").is_empty());
        let decoded = head.decoded();
        assert_eq!(decoded.headers().get_all("accept").count(), 2);
        assert_eq!((decoded.path(), decoded.method().as_str()), ("/a", "GET"));
    }
}

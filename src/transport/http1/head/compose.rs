//! Heads of HTTP/2 requests in the form of HTTP/1.1, so that operations read both in the same way.

use super::{Meaning, RequestHead, Span, content_length, known_method, meaning, split_target};
use crate::transport::{known_header::KnownHeader, limits::HEADER_FIELDS_MAX};

impl RequestHead {
    /// A head of HTTP/2, written as HTTP/1.1 would have sent it, if it is simple. Values have neither control characters nor
    /// whitespace at their ends.
    pub fn compose<'a>(
        method: &str,
        target: &[u8],
        authority: &'a [u8],
        fields: impl Iterator<Item = (&'a [u8], &'a [u8])>,
    ) -> Option<Self> {
        let (method, may_have_body) = known_method(method)?;
        let (path_len, query_start) = split_target(target)?;
        let mut text = Vec::with_capacity(512);
        let put = |text: &mut Vec<u8>, parts: &[&[u8]]| parts.iter().for_each(|part| text.extend_from_slice(part));
        put(&mut text, &[method.as_bytes(), b" "]);
        let start = text.len();
        put(&mut text, &[target, b" HTTP/1.1\r\n"]);
        let mut spans: [(usize, usize); KnownHeader::ALL.len()] = Default::default();
        let (mut length, mut count) = (0, 0);
        for (name, value) in std::iter::once((&b"host"[..], authority)).chain(fields) {
            count += 1;
            put(&mut text, &[name, b": "]);
            match meaning(name) {
                Meaning::None => {}
                Meaning::Unusual | Meaning::Connection => return None,
                Meaning::Known(header) => {
                    let span = spans.get_mut(header as usize).filter(|span| span.0 == 0)?;
                    *span = (text.len(), text.len() + value.len());
                    if header == KnownHeader::ContentLength {
                        length = content_length(value)?;
                    }
                }
            }
            put(&mut text, &[value, b"\r\n"]);
        }
        put(&mut text, &[b"\r\n"]);
        // With more fields, it could not be parsed again.
        if count > HEADER_FIELDS_MAX || text.len() > usize::from(u16::MAX) || (length > 0 && !may_have_body) {
            return None;
        }
        let span = |(start, end): (usize, usize)| Span { start: start as u16, end: end as u16 };
        Some(Self {
            method,
            content_length: length,
            path: span((start, start + path_len)),
            query: span((start + query_start, start + target.len())),
            headers: spans.map(span),
            text: text.into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use actix_web::web::BytesMut;

    use super::*;

    #[test]
    fn a_composed_head_is_what_http_1_would_have_sent() {
        let fields: [(&[u8], &[u8]); 4] =
            [(b"authorization", b"Bearer x"), (b"accept", b"a"), (b"accept", b"b"), (b"content-length", b"7")];
        let head = RequestHead::compose("POST", b"/v1/rooms?wait=0", b"h.example", fields.into_iter()).unwrap();
        let mut sent = BytesMut::from(&[&head.text[..], b"1234567"].concat()[..]);
        let (parsed, body) = RequestHead::take(&mut sent).unwrap();
        assert_eq!((parsed.path, parsed.query, parsed.headers), (head.path, head.query, head.headers));
        assert_eq!((parsed.method, parsed.content_length, body.len()), (head.method, head.content_length, 7));
        assert_eq!(head.header(KnownHeader::Host), Some(&b"h.example"[..]));
        assert_eq!(head.other_header("accept"), [b"a", b"b"]);
    }

    #[test]
    fn only_simple_heads_are_composed() {
        let composes = |method: &str, target: &str, fields: &[(&str, &str)]| {
            let fields = fields.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()));
            RequestHead::compose(method, target.as_bytes(), b"x", fields).is_some()
        };
        assert!(composes("GET", "/", &[]) && composes("GET", "/a?b", &[("content-length", "0")]));
        assert!(!composes("HEAD", "/", &[]) && !composes("GET", "/%61", &[]) && !composes("GET", "/a?%20", &[]));
        for unusual in ["host", "expect", "content-length"] {
            assert!(!composes("GET", "/", &[(unusual, "1")]), "{unusual}");
        }
        assert!(!composes("POST", "/", &[("origin", "a"), ("origin", "b")]));
        assert!(!composes("POST", "/", &[("x", &"x".repeat(65_535))]));
        // With `host` they are one more, and 96 can be parsed again.
        assert!(composes("GET", "/", &[("x", "y"); 95]) && !composes("GET", "/", &[("x", "y"); 96]));
    }
}

//! The header fields of a request, however it was parsed.

use actix_web::http::header::HeaderMap;

use crate::transport::{http1::head::RequestHead, known_header::KnownHeader};

#[derive(Clone, Copy)]
pub enum Headers<'a> {
    /// Each known field occurs at most once.
    InPlace(&'a RequestHead),
    Map(&'a HeaderMap),
}

impl<'a> Headers<'a> {
    /// The first value of a field.
    pub fn get(self, header: KnownHeader) -> Option<&'a [u8]> {
        match self {
            Self::InPlace(head) => head.header(header),
            Self::Map(map) => map.get(header.name()).map(|value| value.as_bytes()),
        }
    }

    /// The first value, if it has only visible ASCII and blanks.
    pub fn text(self, header: KnownHeader) -> Option<&'a str> {
        self.get(header).and_then(text)
    }

    /// The members of a list-based field (RFC 9110 section 5.6.1), from all its lines. `?` stands for one that is not text, so
    /// that it hides no other.
    pub fn list(self, header: KnownHeader) -> Vec<&'a str> {
        let values: Vec<&[u8]> = match self {
            Self::InPlace(head) => head.header(header).into_iter().collect(),
            Self::Map(map) => map.get_all(header.name()).map(|value| value.as_bytes()).collect(),
        };
        let members = values.into_iter().flat_map(|value| value.split(|byte| *byte == b','));
        members.map(|member| text(member).unwrap_or("?")).collect()
    }

    /// All values of any field that are text.
    pub fn get_all(self, name: &str) -> Vec<&'a str> {
        let values: Vec<&[u8]> = match self {
            Self::InPlace(head) => head.other_header(name),
            Self::Map(map) => map.get_all(name).map(|value| value.as_bytes()).collect(),
        };
        values.into_iter().filter_map(text).collect()
    }

    pub fn count(self) -> usize {
        match self {
            // Too many would not have been parsed in place.
            Self::InPlace(_) => 0,
            Self::Map(map) => map.len(),
        }
    }
}

fn text(value: &[u8]) -> Option<&str> {
    let is_text = value.iter().fold(true, |all, byte| all & matches!(byte, b' '..=b'~' | b'\t'));
    is_text.then(|| std::str::from_utf8(value).ok()).flatten()
}

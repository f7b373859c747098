//! The header fields of one request, wherever they are kept.

use actix_web::http::header::HeaderMap;

use crate::transport::{http1::head::RequestHead, known_header::KnownHeader};

#[derive(Clone, Copy)]
pub enum Headers<'a> {
    /// Where they stand in what has arrived. Each known one is there at most once.
    InPlace(&'a RequestHead),
    /// In actix-http's table.
    Map(&'a HeaderMap),
}

impl<'a> Headers<'a> {
    /// The field's value, or the first if there are several.
    pub fn get(self, header: KnownHeader) -> Option<&'a [u8]> {
        match self {
            Self::InPlace(head) => head.header(header).map(str::as_bytes),
            Self::Map(map) => map.get(header.name()).map(|value| value.as_bytes()),
        }
    }

    /// The same, if it is text: visible ASCII and blanks.
    pub fn text(self, header: KnownHeader) -> Option<&'a str> {
        self.get(header).and_then(text)
    }

    /// The entries of all lists of this name, from left to right.
    pub fn list(self, header: KnownHeader) -> Vec<&'a str> {
        let values: Vec<&[u8]> = match self {
            Self::InPlace(head) => head.header(header).into_iter().map(str::as_bytes).collect(),
            Self::Map(map) => map.get_all(header.name()).map(|value| value.as_bytes()).collect(),
        };
        values.into_iter().filter_map(text).flat_map(|value| value.split(',')).collect()
    }

    /// All values of a field that is seldom asked for, as text.
    pub fn get_all(self, name: &str) -> Vec<&'a str> {
        let values: Vec<&[u8]> = match self {
            Self::InPlace(head) => head.other_header(name),
            Self::Map(map) => map.get_all(name).map(|value| value.as_bytes()).collect(),
        };
        values.into_iter().filter_map(text).collect()
    }

    /// How many there are.
    pub fn count(self) -> usize {
        match self {
            // It was refused while it was read, had it more than there may be.
            Self::InPlace(_) => 0,
            Self::Map(map) => map.len(),
        }
    }
}

fn text(value: &[u8]) -> Option<&str> {
    let is_text = value.iter().all(|byte| matches!(byte, b' '..=b'~' | b'\t'));
    is_text.then(|| std::str::from_utf8(value).ok()).flatten()
}

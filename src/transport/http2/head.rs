//! The head of a request: its control data and fields, in one buffer.

use std::{fmt, ops::Range};

/// A request without its body. All text is as the client sent it, except that cookies are joined.
pub struct Head {
    text: Box<[u8]>,
    pseudo: [Option<Span>; 4],
    fields_start: usize,
    content_length: Option<u64>,
    too_large: bool,
}

/// Pseudo-header fields (RFC 9113 section 8.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pseudo {
    Method,
    Scheme,
    Authority,
    Path,
}

/// A part of the text, which is shorter than 64 KiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub start: u16,
    pub end: u16,
}

/// Fields one after the other: the lengths of name and value, 16 bits each, name and value.
#[derive(Clone, Debug, Default)]
pub struct Fields<'a>(&'a [u8]);

impl Head {
    pub(super) fn new(
        text: Vec<u8>,
        pseudo: [Option<Span>; 4],
        fields_start: usize,
        content_length: Option<u64>,
        too_large: bool,
    ) -> Self {
        Self { text: text.into_boxed_slice(), pseudo, fields_start, content_length, too_large }
    }

    pub fn method(&self) -> &str {
        self.pseudo(Pseudo::Method).unwrap_or_default()
    }

    pub fn scheme(&self) -> &str {
        self.pseudo(Pseudo::Scheme).unwrap_or_default()
    }

    /// `:authority`, or `host` from a client that translates from HTTP/1 (RFC 9113 section 8.3.1). If there are both, they agree.
    pub fn authority(&self) -> Option<&str> {
        self.pseudo(Pseudo::Authority).or_else(|| str::from_utf8(self.field("host")?).ok())
    }

    /// The path with the query.
    pub fn path(&self) -> &str {
        self.pseudo(Pseudo::Path).unwrap_or_default()
    }

    /// Names, in lower case, and values.
    pub fn fields(&self) -> Fields<'_> {
        Fields(self.text.get(self.fields_start..).unwrap_or_default())
    }

    /// The first value of a field.
    pub fn field(&self, name: &str) -> Option<&[u8]> {
        self.fields().find_map(|(field, value)| (field == name).then_some(value))
    }

    /// The length of the body that `content-length` promises. The connection resets the stream unless it is kept.
    pub fn content_length(&self) -> Option<u64> {
        self.content_length
    }

    /// The head has too many fields, or too much text. It has none then, and whatever it asks for must be refused (431).
    pub fn is_too_large(&self) -> bool {
        self.too_large
    }

    /// Bytes of memory beside those of this value.
    pub fn text_len(&self) -> usize {
        self.text.len()
    }

    fn pseudo(&self, pseudo: Pseudo) -> Option<&str> {
        let range: Range<usize> = self.pseudo[pseudo as usize]?.into();
        str::from_utf8(self.text.get(range)?).ok()
    }
}

/// Without paths and fields, which contain tokens and addresses.
impl fmt::Debug for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Head({})", self.method())
    }
}

impl From<Span> for Range<usize> {
    fn from(span: Span) -> Self {
        usize::from(span.start)..usize::from(span.end)
    }
}

impl<'a> Fields<'a> {
    pub(super) fn of(text: &'a [u8]) -> Self {
        Self(text)
    }

    /// Appends a field; nothing if it is too long.
    pub(super) fn write(name: &[u8], value: &[u8], text: &mut Vec<u8>) {
        let (Ok(name_len), Ok(value_len)) = (u16::try_from(name.len()), u16::try_from(value.len())) else { return };
        text.extend_from_slice(&name_len.to_ne_bytes());
        text.extend_from_slice(&value_len.to_ne_bytes());
        text.extend_from_slice(name);
        text.extend_from_slice(value);
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = (&'a str, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (name_len, rest) = self.0.split_first_chunk()?;
        let (value_len, rest) = rest.split_first_chunk()?;
        let (name, rest) = rest.split_at_checked(usize::from(u16::from_ne_bytes(*name_len)))?;
        let (value, rest) = rest.split_at_checked(usize::from(u16::from_ne_bytes(*value_len)))?;
        self.0 = rest;
        Some((str::from_utf8(name).ok()?, value))
    }
}

//! Checks decoded fields and collects them in a [`Head`] (RFC 9113 sections 8.2 and 8.3).

use crate::transport::{
    http2::head::{Fields, Head, Pseudo, Span},
    limits::HEADER_FIELDS_MAX,
};

/// The most that names and values of a request may have, with 32 bytes for each field (section 6.5.2).
pub const LIST_BYTES: usize = 16 * 1024;
const FIELD_OVERHEAD: usize = 32;
/// The usual head of a browser fits.
const CAPACITY: usize = 1024;
/// In [`CLASSES`]: bytes of a token (RFC 9110 section 5.6.2), of a field name (section 8.2.1), and of a host with a port (RFC
/// 3986 section 3.2, without escapes).
const TOKEN: u8 = 1;
const NAME: u8 = 2;
const AUTHORITY: u8 = 4;
static CLASSES: [u8; 256] = classes();

/// The fields of a request, or its trailer section.
#[derive(Debug)]
pub struct HeadBuilder {
    is_trailer: bool,
    text: Vec<u8>,
    pseudo: [Option<Span>; 4],
    /// Where fields begin in the text, after the pseudo-header fields.
    fields_start: Option<usize>,
    count: usize,
    list_bytes: usize,
    content_length: Option<u64>,
    has_host: bool,
    cookies: usize,
    too_large: bool,
    malformed: bool,
}

impl HeadBuilder {
    pub fn new(is_trailer: bool) -> Self {
        Self {
            is_trailer,
            text: Vec::with_capacity(if is_trailer { 0 } else { CAPACITY }),
            pseudo: [None; 4],
            fields_start: None,
            count: 0,
            list_bytes: 0,
            content_length: None,
            has_host: false,
            cookies: 0,
            too_large: false,
            malformed: false,
        }
    }

    /// Adds the next field. Those that are too many are not looked at.
    pub fn push(&mut self, name: &[u8], value: &[u8]) {
        let pseudo = name.strip_prefix(b":");
        // Clients split one cookie field into many, to compress it better (section 8.2.3).
        let is_counted = pseudo.is_none() && (name != b"cookie" || self.cookies == 0);
        self.count += usize::from(is_counted);
        self.list_bytes += name.len() + value.len() + FIELD_OVERHEAD;
        self.too_large |= self.list_bytes > LIST_BYTES || self.count > HEADER_FIELDS_MAX;
        if self.too_large || self.malformed {
            return;
        }
        let is_valid = match pseudo {
            Some(pseudo) => self.push_pseudo(pseudo, value),
            None => self.push_field(name, value),
        };
        self.malformed |= !is_valid;
    }

    /// The whole head; nothing if it is malformed (section 8.1.1).
    pub fn finish(mut self) -> Option<Head> {
        let fields_start = self.fields_start.unwrap_or(self.text.len());
        if self.too_large {
            self.text.truncate(fields_start);
            return (!self.malformed).then(|| Head::new(self.text, self.pseudo, fields_start, None, true));
        }
        if self.has_host && !self.hosts_agree(fields_start) {
            return None;
        }
        if self.cookies > 1 {
            join_cookies(&mut self.text, fields_start);
        }
        let required = [Pseudo::Method, Pseudo::Scheme, Pseudo::Path];
        let is_complete = required.iter().all(|pseudo| self.pseudo[*pseudo as usize].is_some());
        let head = Head::new(self.text, self.pseudo, fields_start, self.content_length, false);
        let has_target = head.path().starts_with('/') || (head.path() == "*" && head.method() == "OPTIONS");
        (is_complete && has_target && !self.malformed).then_some(head)
    }

    /// Whether the trailer section is valid.
    pub fn finish_trailer(self) -> bool {
        !self.malformed
    }

    fn push_pseudo(&mut self, name: &[u8], value: &[u8]) -> bool {
        let (pseudo, is_valid) = match name {
            // CONNECT has neither a scheme nor a path (section 8.5), and is not for us.
            b"method" => (Pseudo::Method, is_token(value) && value != b"CONNECT"),
            b"scheme" => (Pseudo::Scheme, is_scheme(value)),
            b"authority" => (Pseudo::Authority, is_authority(value)),
            b"path" => (Pseudo::Path, is_path(value)),
            _ => return false,
        };
        let slot = &mut self.pseudo[pseudo as usize];
        if !is_valid || slot.is_some() || self.fields_start.is_some() || self.is_trailer {
            return false;
        }
        let at = |at: usize| u16::try_from(at).unwrap_or_default();
        *slot = Some(Span { start: at(self.text.len()), end: at(self.text.len() + value.len()) });
        self.text.extend_from_slice(value);
        true
    }

    fn push_field(&mut self, name: &[u8], value: &[u8]) -> bool {
        if !is_name(name) || !is_value(value) {
            return false;
        }
        let is_valid = match name {
            b"connection" | b"proxy-connection" | b"keep-alive" | b"transfer-encoding" | b"upgrade" => false,
            b"te" => value == b"trailers",
            b"content-length" if !self.is_trailer => {
                let is_first = self.content_length.is_none();
                self.content_length = content_length(value);
                is_first && self.content_length.is_some()
            }
            b"host" => {
                self.has_host = true;
                is_authority(value)
            }
            b"cookie" => {
                self.cookies += 1;
                true
            }
            _ => true,
        };
        self.fields_start.get_or_insert(self.text.len());
        if !self.is_trailer {
            Fields::write(name, value, &mut self.text);
        }
        is_valid
    }

    /// Whether each `host` names the same as `:authority` and as the others.
    fn hosts_agree(&self, fields_start: usize) -> bool {
        let slice = |pseudo: Pseudo| {
            let span = self.pseudo[pseudo as usize]?;
            self.text.get(usize::from(span.start)..usize::from(span.end))
        };
        let default_port: &[u8] = if slice(Pseudo::Scheme) == Some(b"http") { b":80" } else { b":443" };
        let host = |authority| without_suffix(authority, default_port);
        let mut hosts = Fields::of(&self.text[fields_start..]).filter(|(name, _)| *name == "host");
        let Some(expected) = slice(Pseudo::Authority).or_else(|| Some(hosts.next()?.1)) else { return true };
        hosts.all(|(_, other)| host(other).eq_ignore_ascii_case(host(expected)))
    }
}

/// Joins cookies (section 8.2.3), at the end of the fields.
fn join_cookies(text: &mut Vec<u8>, fields_start: usize) {
    let fields = text.split_off(fields_start);
    let (mut joined, mut separator) = (Vec::new(), &b""[..]);
    for (name, value) in Fields::of(&fields) {
        if name == "cookie" {
            joined.extend_from_slice(separator);
            joined.extend_from_slice(value);
            separator = b"; ";
        } else {
            Fields::write(name.as_bytes(), value, text);
        }
    }
    Fields::write(b"cookie", &joined, text);
}

fn without_suffix<'a>(text: &'a [u8], suffix: &[u8]) -> &'a [u8] {
    text.strip_suffix(suffix).unwrap_or(text)
}

const fn classes() -> [u8; 256] {
    let mut classes = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        classes[byte] = match byte as u8 {
            b'a'..=b'z' | b'0'..=b'9' | b'!' | b'$' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.' | b'_' | b'~' => {
                TOKEN | NAME | AUTHORITY
            }
            b'#' | b'%' | b'^' | b'`' | b'|' => TOKEN | NAME,
            b'A'..=b'Z' => TOKEN | AUTHORITY,
            b'(' | b')' | b',' | b':' | b';' | b'=' | b'[' | b']' => AUTHORITY,
            _ => 0,
        };
        byte += 1;
    }
    classes
}

fn all_of(text: &[u8], class: u8) -> bool {
    !text.is_empty() && text.iter().fold(class, |all, byte| all & CLASSES[usize::from(*byte)]) != 0
}

fn is_token(text: &[u8]) -> bool {
    all_of(text, TOKEN)
}

/// RFC 3986 section 3.1.
fn is_scheme(value: &[u8]) -> bool {
    let fits = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
    value.first().is_some_and(u8::is_ascii_alphabetic) && value.iter().all(fits)
}

/// Section 8.2.1.
fn is_name(name: &[u8]) -> bool {
    all_of(name, NAME)
}

/// Section 8.2.1, and no other control characters either (RFC 9110 section 5.5).
fn is_value(value: &[u8]) -> bool {
    let has_space = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t'));
    let is_visible = |byte: &u8| (*byte >= b' ' && *byte != 0x7f) || *byte == b'\t';
    !has_space(value.first()) && !has_space(value.last()) && value.iter().fold(true, |all, byte| all & is_visible(byte))
}

/// A host, maybe with a port, and without the user information that is not allowed here (section 8.3.1).
fn is_authority(value: &[u8]) -> bool {
    all_of(value, AUTHORITY)
}

/// Text without blanks and controls, and without a fragment. Whether it is a path is checked with the method.
fn is_path(value: &[u8]) -> bool {
    let is_visible = value.iter().fold(true, |all, byte| all & (*byte > b' ' && *byte != 0x7f && *byte != b'#'));
    is_visible && str::from_utf8(value).is_ok()
}

/// Only digits (RFC 9110 section 8.6).
fn content_length(value: &[u8]) -> Option<u64> {
    let text = str::from_utf8(value).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))?;
    text.parse().ok()
}

//! Random frames of a client: mostly valid requests, and mutations of them.

use super::*;

/// Fields that both servers accept, or both refuse, by resetting the stream.
const FIELDS: [(&str, &str); 22] = [
    ("accept", "*/*"),
    ("accept", "text/plain"),
    ("x-empty", ""),
    ("cookie", "a=b"),
    ("cookie", "c=d"),
    ("te", "trailers"),
    ("content-type", "application/json"),
    ("x-tab", "a\tb"),
    ("x-opaque", "\u{e9}"),
    ("content-length", "3"),
    ("content-length", "0"),
    ("host", "h.example"),
    ("user-agent", "x"),
    ("te", "gzip"),
    ("connection", "close"),
    ("upgrade", "x"),
    ("keep-alive", "x"),
    ("transfer-encoding", "chunked"),
    ("content-length", "x"),
    (":path", "/twice"),
    (":status", "200"),
    (":protocol", "x"),
];
/// The first of them are valid.
const VALID: usize = 13;

/// A client's part of HPACK: entries of the dynamic table, newest first.
#[derive(Default)]
pub struct Encoder(pub VecDeque<(&'static str, &'static str)>);

impl Encoder {
    pub fn write(
        &mut self,
        random: &mut fastrand::Rng,
        (name, value): (&'static str, &'static str),
        block: &mut Vec<u8>,
    ) {
        let known = self.0.iter().position(|entry| *entry == (name, value));
        match (known, random.u8(..4)) {
            (Some(at), 0..3) if at < 60 => block.push(0x80 | (62 + at) as u8),
            (_, 0..2) => {
                let mut literal = field(name, value);
                literal[0] = 0x40;
                block.extend(literal);
                self.0.push_front((name, value));
                self.0.truncate(30);
            }
            _ => block.extend(field(name, value)),
        }
    }
}

pub struct Script {
    pub random: fastrand::Rng,
    pub encoder: Encoder,
    /// Streams whose requests are not complete, and the next.
    pub open: Vec<u32>,
    pub next: u32,
}

impl Script {
    /// A stream whose request is not complete, or rarely any other.
    pub fn stream(&mut self) -> u32 {
        let newest = self.next.saturating_sub(2).max(1);
        match self.random.u8(..60) {
            0 => self.random.u32(..self.next + 6),
            1 => newest.saturating_sub(2 * self.random.u32(..4)).max(1),
            _ => *self.random.choice(&self.open).unwrap_or(&newest),
        }
    }

    pub fn closes(&mut self, stream: u32, flags: u8) {
        if flags & END_STREAM != 0 {
            self.open.retain(|open| *open != stream);
        }
    }

    pub fn step(&mut self) -> Vec<u8> {
        let stream = self.stream();
        let end = if self.random.u8(..3) == 0 { END_STREAM } else { 0 };
        let increment = self.random.u32(1..1000);
        match self.random.u8(..40) {
            0..14 => self.request(),
            14..27 if !self.open.is_empty() => self.data(stream, end),
            27..28 if !self.open.is_empty() => self.trailer(stream, end),
            28..29 if !self.open.is_empty() => {
                self.closes(stream, END_STREAM);
                frame(RST_STREAM, 0, stream, &[0, 0, 0, 8])
            }
            14..30 => self.request(),
            30..34 => frame(WINDOW_UPDATE, 0, [0, stream][self.random.usize(..2)], &increment.to_be_bytes()),
            34 => settings(&[(self.random.u16(3..8), self.random.u32(16_384..70_000))]),
            35 => frame(PING, self.random.u8(..2) * ACK, 0, &[7; 8]),
            36 => frame(PRIORITY, 0, stream.max(1), &[0, 0, 0, 0, 9]),
            37 | 38 => frame(self.random.u8(11..), self.random.u8(..), stream, &[9; 20]),
            _ => {
                let mut bytes = self.request();
                // Not its length: this server looks at the header of the next frame at once, h2 when it is whole.
                let at = self.random.usize(3..9 + usize::from(bytes[2]));
                bytes[at] ^= 1 << self.random.u8(..8);
                bytes
            }
        }
    }

    pub fn data(&mut self, stream: u32, end: u8) -> Vec<u8> {
        self.closes(stream, end);
        let length = if self.random.u8(..8) == 0 { 16_384 } else { self.random.usize(..5) };
        match self.random.u8(..4) {
            0 => {
                let padding = self.random.u8(..9);
                let payload = [&[padding][..], &vec![b'x'; length.min(1000)], &vec![0; usize::from(padding)]].concat();
                frame(DATA, end | PADDED, stream, &payload)
            }
            _ => frame(DATA, end, stream, &vec![b'y'; length]),
        }
    }

    pub fn trailer(&mut self, stream: u32, end: u8) -> Vec<u8> {
        let mut block = Vec::new();
        let at = self.random.usize(..VALID - 4);
        self.encoder.write(&mut self.random, FIELDS[at], &mut block);
        let end = if self.random.u8(..4) == 0 { end } else { END_STREAM };
        self.closes(stream, end);
        frame(HEADERS, END_HEADERS | end, stream, &block)
    }

    pub fn request(&mut self) -> Vec<u8> {
        let stream = self.next;
        self.next += 2 * self.random.u32(1..3);
        let mut block = Vec::new();
        let methods = [(":method", "GET"), (":method", "POST"), (":method", "DELETE"), (":method", "OPTIONS")];
        let mut list = vec![methods[self.random.usize(..4)], (":scheme", "https"), (":path", "/v1/rooms?x=y")];
        if self.random.u8(..5) > 0 {
            list.push((":authority", "h.example"));
        }
        for _ in 0..self.random.usize(..6) {
            let valid = self.random.u8(..60) > 0;
            let field = FIELDS[self.random.usize(if valid { 0..VALID } else { 0..FIELDS.len() })];
            // Two lengths that agree are one to h2.
            if field.0 != "content-length" || list.iter().all(|(name, _)| *name != field.0) {
                list.push(field);
            }
        }
        if self.random.u8(..100) == 0 {
            list.remove(self.random.usize(..3));
        }
        list.into_iter().for_each(|field| self.encoder.write(&mut self.random, field, &mut block));
        let mut flags = if self.random.bool() { END_STREAM } else { 0 };
        if flags == 0 {
            self.open.push(stream);
        }
        let at = self.random.usize(..block.len());
        let (first, rest) = if self.random.u8(..4) == 0 { block.split_at(at) } else { (&block[..], &[][..]) };
        let mut payload = first.to_vec();
        if self.random.u8(..5) == 0 {
            flags |= PRIORITIZED;
            payload.splice(..0, [0, 0, 0, 0, 7]);
        }
        if self.random.u8(..5) == 0 {
            flags |= PADDED;
            payload.insert(0, 3);
            payload.extend([0; 3]);
        }
        if rest.is_empty() {
            return frame(HEADERS, flags | END_HEADERS, stream, &payload);
        }
        [frame(HEADERS, flags, stream, &payload), continuation(stream, END_HEADERS, rest)].concat()
    }
}

//! A client that writes frames by hand, and a handler that answers its requests.

use crate::transport::http2::{
    connection::{Event, Input, ServerConnection},
    frame_reader::PREFACE,
    frames::{self, CONTINUATION, ConnectionError, DATA, END_HEADERS, END_STREAM, FrameHeader, HEADERS, RST_STREAM},
};

/// What the handler answers with.
pub const BODY: &[u8] = b"0123456789";

pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    frames::write_frame(kind, flags, stream, payload, &mut bytes);
    bytes
}

pub fn settings(settings: &[(u16, u32)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    frames::write_settings(settings, &mut bytes);
    bytes
}

/// A literal field without indexing.
pub fn field(name: &str, value: &str) -> Vec<u8> {
    let text = |text: &str| {
        let (length, rest) = (text.len().min(127) as u8, text.len().checked_sub(127));
        let rest = rest
            .map_or(vec![], |rest| vec![0x80 | (rest & 127) as u8, 0x80 | (rest >> 7 & 127) as u8, (rest >> 14) as u8]);
        [vec![length], rest, text.as_bytes().to_vec()].concat()
    };
    [vec![0], text(name), text(value)].concat()
}

pub fn fields(fields: &[(&str, &str)]) -> Vec<u8> {
    fields.iter().flat_map(|(name, value)| field(name, value)).collect()
}

pub fn request(method: &str, more: &[(&str, &str)]) -> Vec<u8> {
    let pseudo = [(":method", method), (":scheme", "https"), (":path", "/"), (":authority", "localhost")];
    fields(&[&pseudo[..], more].concat())
}

pub fn get(stream: u32) -> Vec<u8> {
    frame(HEADERS, END_HEADERS | END_STREAM, stream, &request("GET", &[]))
}

pub fn post(stream: u32) -> Vec<u8> {
    frame(HEADERS, END_HEADERS, stream, &request("POST", &[]))
}

pub fn data(stream: u32, text: &str) -> Vec<u8> {
    frame(DATA, 0, stream, text.as_bytes())
}

pub fn last_data(stream: u32, text: &str) -> Vec<u8> {
    frame(DATA, END_STREAM, stream, text.as_bytes())
}

pub fn reset(stream: u32) -> Vec<u8> {
    frame(RST_STREAM, 0, stream, &[0, 0, 0, 8])
}

pub fn continuation(stream: u32, flags: u8, block: &[u8]) -> Vec<u8> {
    frame(CONTINUATION, flags, stream, block)
}

/// The frames in the output; the rest must be empty.
pub fn parse(mut bytes: &[u8]) -> Vec<(FrameHeader, Vec<u8>)> {
    let mut frames = Vec::new();
    while let Some((header, rest)) = bytes.split_first_chunk() {
        let header = FrameHeader::parse(*header);
        frames.push((header, rest[..header.length].to_vec()));
        bytes = &rest[header.length..];
    }
    assert!(bytes.is_empty());
    frames
}

pub struct Client {
    pub connection: ServerConnection,
    pub out: Vec<u8>,
    pub events: Vec<Event>,
    pub now: u64,
}

impl Client {
    /// A connection on which nothing has been sent, except the server's SETTINGS.
    pub fn silent() -> Self {
        let mut out = Vec::new();
        let connection = ServerConnection::new(0, &mut out);
        Self { connection, out, events: Vec::new(), now: 0 }
    }

    /// A connection after the handshake.
    pub fn connected(with: &[(u16, u32)]) -> Self {
        let mut client = Self::silent();
        client.send(&[&PREFACE[..], &settings(with)].concat()).unwrap();
        client.out.clear();
        client
    }

    pub fn send(&mut self, bytes: &[u8]) -> Result<(), ConnectionError> {
        let input = Input { bytes, wire_len: bytes.len(), earned: 0, now: self.now };
        self.connection.receive(input, &mut self.out, &mut self.events)
    }

    /// Sends, and returns what is answered before any handler runs.
    pub fn ask(&mut self, bytes: &[u8]) -> Vec<(FrameHeader, Vec<u8>)> {
        let sent = self.send(bytes);
        assert_eq!(sent, Ok(()));
        parse(&std::mem::take(&mut self.out))
    }

    pub fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }
}

/// Answers complete requests with [`BODY`], as much as the windows allow.
#[derive(Default)]
pub struct Handler {
    /// Streams and how much of the body has been sent.
    sending: Vec<(u32, usize)>,
}

impl Handler {
    pub fn run(&mut self, client: &mut Client) {
        for event in client.take_events() {
            match event {
                Event::Request { stream, ended: true, .. } | Event::Data { stream, ended: true, .. } => {
                    let length = BODY.len().to_string();
                    let fields = [("content-length", length.as_bytes())];
                    client.connection.send_head(stream, 200, fields, false, &mut client.out);
                    self.sending.push((stream, 0));
                }
                Event::Reset { stream } => self.sending.retain(|(sending, _)| *sending != stream),
                Event::Data { stream, bytes, .. } => {
                    client.connection.release(stream, bytes.len() as u32, &mut client.out);
                }
                _ => {}
            }
        }
        self.sending.retain_mut(|(stream, sent)| {
            *sent += client.connection.send_data(*stream, &BODY[*sent..], true, &mut client.out);
            *sent < BODY.len()
        });
    }
}

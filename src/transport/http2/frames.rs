//! Frames as they are on the wire (RFC 9113 sections 4.1 and 6), and errors (section 7).

pub const DATA: u8 = 0;
pub const HEADERS: u8 = 1;
pub const PRIORITY: u8 = 2;
pub const RST_STREAM: u8 = 3;
pub const SETTINGS: u8 = 4;
pub const PUSH_PROMISE: u8 = 5;
pub const PING: u8 = 6;
pub const GOAWAY: u8 = 7;
pub const WINDOW_UPDATE: u8 = 8;
pub const CONTINUATION: u8 = 9;

/// Of SETTINGS and PING.
pub const ACK: u8 = 1;
/// Of DATA and HEADERS.
pub const END_STREAM: u8 = 1;
/// Of HEADERS and CONTINUATION.
pub const END_HEADERS: u8 = 4;
/// Of DATA and HEADERS.
pub const PADDED: u8 = 8;
/// Of HEADERS.
pub const PRIORITIZED: u8 = 0x20;

/// Settings (section 6.5.2).
pub const HEADER_TABLE_SIZE: u16 = 1;
pub const ENABLE_PUSH: u16 = 2;
pub const MAX_CONCURRENT_STREAMS: u16 = 3;
pub const INITIAL_WINDOW_SIZE: u16 = 4;
pub const MAX_FRAME_SIZE: u16 = 5;
pub const MAX_HEADER_LIST_SIZE: u16 = 6;

/// The longest payload, in both directions: `SETTINGS_MAX_FRAME_SIZE` as it is at first, which is also the lowest it may be.
pub const PAYLOAD_MAX: usize = 16_384;
pub const HEADER_BYTES: usize = 9;
/// Streams have 31 bits; the first bit is reserved.
pub const STREAM_MAX: u32 = u32::MAX >> 1;

/// The error codes that we send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorCode {
    NoError = 0,
    Protocol = 1,
    Internal = 2,
    FlowControl = 3,
    StreamClosed = 5,
    FrameSize = 6,
    RefusedStream = 7,
    Cancel = 8,
    Compression = 9,
    EnhanceYourCalm = 11,
}

/// An error that ends the connection (section 5.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionError {
    pub code: ErrorCode,
    pub reason: &'static str,
}

impl ConnectionError {
    pub fn new(code: ErrorCode, reason: &'static str) -> Self {
        Self { code, reason }
    }

    pub fn protocol(reason: &'static str) -> Self {
        Self::new(ErrorCode::Protocol, reason)
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FrameHeader {
    pub length: usize,
    pub kind: u8,
    pub flags: u8,
    /// 0 stands for the connection.
    pub stream: u32,
}

impl FrameHeader {
    pub fn parse(bytes: [u8; HEADER_BYTES]) -> Self {
        let [long, middle, short, kind, flags, stream @ ..] = bytes;
        let length = u32::from_be_bytes([0, long, middle, short]) as usize;
        Self { length, kind, flags, stream: u32::from_be_bytes(stream) & STREAM_MAX }
    }

    pub fn has(self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// Checks what each kind of frame requires of its header.
    pub fn validate(self) -> Result<(), ConnectionError> {
        let length_fits = match self.kind {
            PRIORITY => self.length == 5,
            RST_STREAM | WINDOW_UPDATE => self.length == 4,
            SETTINGS if self.has(ACK) => self.length == 0,
            SETTINGS => self.length.is_multiple_of(6),
            PING => self.length == 8,
            GOAWAY => self.length >= 8,
            _ => true,
        };
        if !length_fits || self.length > PAYLOAD_MAX {
            return Err(ConnectionError::new(ErrorCode::FrameSize, "a frame is too long or too short"));
        }
        let stream_fits = match self.kind {
            DATA | HEADERS | PRIORITY | RST_STREAM | CONTINUATION => self.stream != 0,
            SETTINGS | PING | GOAWAY => self.stream == 0,
            PUSH_PROMISE => false,
            _ => true,
        };
        if stream_fits { Ok(()) } else { Err(ConnectionError::protocol("a frame is on the wrong stream")) }
    }
}

pub fn write_frame(kind: u8, flags: u8, stream: u32, payload: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&header(payload.len(), kind, flags, stream));
    out.extend_from_slice(payload);
}

/// Writes the header block that `write` writes as HEADERS and, if it is long, CONTINUATION frames.
pub fn write_block(stream: u32, end: bool, out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    let end_stream = if end { END_STREAM } else { 0 };
    out.extend_from_slice(&[0; HEADER_BYTES]);
    write(out);
    let mut length = out.len() - start - HEADER_BYTES;
    if length > PAYLOAD_MAX {
        let rest = out.split_off(start + HEADER_BYTES + PAYLOAD_MAX);
        length = PAYLOAD_MAX;
        let (pieces, last) = rest.split_at((rest.len() - 1) / PAYLOAD_MAX * PAYLOAD_MAX);
        pieces.chunks(PAYLOAD_MAX).for_each(|piece| write_frame(CONTINUATION, 0, stream, piece, out));
        write_frame(CONTINUATION, END_HEADERS, stream, last, out);
    }
    let end_headers = if out.len() == start + HEADER_BYTES + length { END_HEADERS } else { 0 };
    let header = header(length, HEADERS, end_stream | end_headers, stream);
    out[start..start + HEADER_BYTES].copy_from_slice(&header);
}

pub fn write_settings(settings: &[(u16, u32)], out: &mut Vec<u8>) {
    out.extend_from_slice(&header(6 * settings.len(), SETTINGS, 0, 0));
    for (setting, value) in settings {
        out.extend_from_slice(&setting.to_be_bytes());
        out.extend_from_slice(&value.to_be_bytes());
    }
}

pub fn write_reset(stream: u32, code: ErrorCode, out: &mut Vec<u8>) {
    write_frame(RST_STREAM, 0, stream, &(code as u32).to_be_bytes(), out);
}

pub fn write_window_update(stream: u32, increment: u32, out: &mut Vec<u8>) {
    write_frame(WINDOW_UPDATE, 0, stream, &increment.to_be_bytes(), out);
}

pub fn write_go_away(last_stream: u32, code: ErrorCode, out: &mut Vec<u8>) {
    write_frame(GOAWAY, 0, 0, &[last_stream.to_be_bytes(), (code as u32).to_be_bytes()].concat(), out);
}

fn header(length: usize, kind: u8, flags: u8, stream: u32) -> [u8; HEADER_BYTES] {
    let [_, long, middle, short] = (length as u32).to_be_bytes();
    let [a, b, c, d] = stream.to_be_bytes();
    [long, middle, short, kind, flags, a, b, c, d]
}

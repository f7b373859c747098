//! Splits the input into frames, and joins header blocks that came in several (RFC 9113 sections 3.4, 4 and 6.10).
//!
//! Bodies are passed on as they arrive. Only the payload of another frame is kept until it is complete, and so is a header
//! block: when all input has been whole frames, the reader owns no memory.

use std::borrow::Cow;

use crate::transport::{
    http2::frames::{
        CONTINUATION, ConnectionError, DATA, END_HEADERS, END_STREAM, ErrorCode, FrameHeader, GOAWAY, HEADER_BYTES,
        HEADERS, PADDED, PRIORITIZED, PRIORITY, SETTINGS,
    },
    limits::connection::FramePosition,
};

/// The connection preface of a client (section 3.4).
pub const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// The longest header block, compressed. Ours have a few hundred bytes.
const BLOCK_BYTES: usize = 16 * 1024;
/// Of a HEADERS frame with [`PRIORITIZED`]. Priorities are ignored (section 5.3.2).
const PRIORITY_BYTES: usize = 5;

/// What the input consists of.
#[derive(Debug)]
pub enum Part<'a> {
    /// A frame begins.
    Begin(FrameHeader),
    /// A piece of a body; the last piece may be empty.
    Content { stream: u32, bytes: &'a [u8], is_last: bool },
    /// `bytes` of the DATA frame are padding, or its length.
    Padding { stream: u32, bytes: u32 },
    /// A whole header block.
    Block { stream: u32, block: Cow<'a, [u8]>, ends_stream: bool },
    /// The whole payload of any other frame that has a meaning.
    Frame(FrameHeader, Cow<'a, [u8]>),
}

#[derive(Debug)]
pub struct FrameReader {
    phase: Phase,
    header: [u8; HEADER_BYTES],
    /// Bytes of the preface or of the header received.
    header_len: usize,
    /// The frame whose payload is arriving.
    frame: FrameHeader,
    /// Bytes of its payload still to come, and how many of them are padding (of DATA only).
    remaining: usize,
    padding: usize,
    /// A part of a payload, after what the block has so far.
    buffer: Vec<u8>,
    /// The header block that the next frame continues.
    block: Option<BlockState>,
    /// A frame was completed that left no block open, since this was last reset.
    completed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Preface,
    /// The first frame must be SETTINGS.
    FirstHeader,
    Header,
    /// The length of DATA's padding comes next.
    PadLength,
    Payload,
}

#[derive(Clone, Copy, Debug)]
struct BlockState {
    stream: u32,
    ends_stream: bool,
    /// Bytes of payload in its frames so far. Empty frames count, or they could continue for ever (CVE-2024-27316).
    length: usize,
}

impl FrameReader {
    pub fn awaiting_preface() -> Self {
        Self {
            phase: Phase::Preface,
            header: [0; HEADER_BYTES],
            header_len: 0,
            frame: FrameHeader::default(),
            remaining: 0,
            padding: 0,
            buffer: Vec::new(),
            block: None,
            completed: false,
        }
    }

    /// Takes the next part off the input; nothing if the rest of it is only the beginning of one.
    pub fn next<'a>(&mut self, input: &mut &'a [u8]) -> Result<Option<Part<'a>>, ConnectionError> {
        loop {
            let part = match self.phase {
                Phase::Preface => self.read_preface(input)?,
                Phase::FirstHeader | Phase::Header => return self.read_header(input),
                Phase::PadLength => return self.read_pad_length(input),
                Phase::Payload if self.frame.kind == DATA => self.read_content(input),
                Phase::Payload => self.read_payload(input)?,
            };
            if part.is_some() || input.is_empty() {
                return Ok(part);
            }
        }
    }

    pub fn position(&self) -> FramePosition {
        match self.phase {
            Phase::Header | Phase::FirstHeader if self.header_len == 0 && self.block.is_none() => {
                FramePosition::Between
            }
            Phase::Payload | Phase::PadLength if self.frame.kind == DATA => FramePosition::InData,
            _ => FramePosition::InHead,
        }
    }

    /// Whether a frame has been completed since the last call.
    pub fn take_completed(&mut self) -> bool {
        std::mem::take(&mut self.completed)
    }

    fn read_preface(&mut self, input: &mut &[u8]) -> Result<Option<Part<'static>>, ConnectionError> {
        let expected = &PREFACE[self.header_len..];
        let received = split_off(input, expected.len());
        if !expected.starts_with(received) {
            return Err(ConnectionError::protocol("this is not HTTP/2"));
        }
        self.header_len += received.len();
        if self.header_len == PREFACE.len() {
            self.begin_header(Phase::FirstHeader);
        }
        Ok(None)
    }

    fn read_header<'a>(&mut self, input: &mut &'a [u8]) -> Result<Option<Part<'a>>, ConnectionError> {
        let received = split_off(input, HEADER_BYTES - self.header_len);
        let end = self.header_len + received.len();
        self.header[self.header_len..end].copy_from_slice(received);
        self.header_len = end;
        if end < HEADER_BYTES {
            return Ok(None);
        }
        let frame = FrameHeader::parse(self.header);
        if self.phase == Phase::FirstHeader && (frame.kind, frame.flags & 1) != (SETTINGS, 0) {
            return Err(ConnectionError::protocol("the first frame is not SETTINGS"));
        }
        frame.validate()?;
        self.continue_block(frame)?;
        (self.frame, self.remaining, self.padding) = (frame, frame.length, 0);
        let is_padded = frame.kind == DATA && frame.has(PADDED);
        self.phase = if is_padded { Phase::PadLength } else { Phase::Payload };
        Ok(Some(Part::Begin(frame)))
    }

    /// Between the frames of a header block there must be no others (section 6.10).
    fn continue_block(&mut self, frame: FrameHeader) -> Result<(), ConnectionError> {
        match (&mut self.block, frame.kind) {
            (None, HEADERS) => {
                let ends_stream = frame.has(END_STREAM);
                self.block = Some(BlockState { stream: frame.stream, ends_stream, length: frame.length });
            }
            (Some(block), CONTINUATION) if block.stream == frame.stream => {
                block.length += frame.length.max(1);
                if block.length > BLOCK_BYTES {
                    return Err(ConnectionError::new(ErrorCode::EnhanceYourCalm, "a header block is too long"));
                }
            }
            (Some(_), _) | (None, CONTINUATION) => {
                return Err(ConnectionError::protocol("CONTINUATION is missing or continues nothing"));
            }
            _ => {}
        }
        Ok(())
    }

    fn read_pad_length<'a>(&mut self, input: &mut &'a [u8]) -> Result<Option<Part<'a>>, ConnectionError> {
        let rest = self.remaining.checked_sub(1);
        let (Some(rest), Some(padding)) = (rest, split_off(input, 1).first()) else {
            return if rest.is_none() { Err(wrong_padding()) } else { Ok(None) };
        };
        self.padding = usize::from(*padding);
        if self.padding > rest {
            return Err(wrong_padding());
        }
        (self.remaining, self.phase) = (rest, Phase::Payload);
        Ok(Some(Part::Padding { stream: self.frame.stream, bytes: u32::from(*padding) + 1 }))
    }

    fn read_content<'a>(&mut self, input: &mut &'a [u8]) -> Option<Part<'a>> {
        let bytes = split_off(input, self.remaining - self.padding);
        self.remaining -= bytes.len();
        if self.remaining == self.padding {
            let skipped = split_off(input, self.padding).len();
            self.remaining -= skipped;
            self.padding -= skipped;
        }
        let frame_ends = self.remaining == 0;
        if frame_ends {
            self.begin_header(Phase::Header);
        }
        let is_last = frame_ends && self.frame.has(END_STREAM);
        (is_last || !bytes.is_empty()).then_some(Part::Content { stream: self.frame.stream, bytes, is_last })
    }

    fn read_payload<'a>(&mut self, input: &mut &'a [u8]) -> Result<Option<Part<'a>>, ConnectionError> {
        let frame = self.frame;
        let piece = split_off(input, self.remaining);
        self.remaining -= piece.len();
        let is_ignored = matches!(frame.kind, PRIORITY | GOAWAY) || frame.kind > CONTINUATION;
        let is_whole = self.remaining == 0;
        let payload = if is_ignored {
            Cow::Borrowed(&piece[..0])
        } else if is_whole && self.buffer.is_empty() {
            Cow::Borrowed(piece)
        } else {
            self.buffer.extend_from_slice(piece);
            Cow::Owned(if is_whole { std::mem::take(&mut self.buffer) } else { Vec::new() })
        };
        if !is_whole {
            return Ok(None);
        }
        let payload = if frame.kind == HEADERS { fragment(frame, payload)? } else { payload };
        let ended_block = if frame.has(END_HEADERS) { self.block.take() } else { None };
        self.begin_header(Phase::Header);
        Ok(match (frame.kind, ended_block) {
            (HEADERS | CONTINUATION, Some(BlockState { stream, ends_stream, .. })) => {
                Some(Part::Block { stream, block: payload, ends_stream })
            }
            (HEADERS | CONTINUATION, None) => {
                self.buffer = payload.into_owned();
                None
            }
            _ if is_ignored => None,
            _ => Some(Part::Frame(frame, payload)),
        })
    }

    fn begin_header(&mut self, phase: Phase) {
        (self.phase, self.header_len) = (phase, 0);
        self.completed |= self.block.is_none();
    }
}

/// The part of a header block in a HEADERS frame, without padding and priority.
fn fragment(frame: FrameHeader, payload: Cow<'_, [u8]>) -> Result<Cow<'_, [u8]>, ConnectionError> {
    let pad_length = if frame.has(PADDED) { Some(*payload.first().ok_or_else(wrong_padding)?) } else { None };
    let start = usize::from(frame.has(PADDED)) + if frame.has(PRIORITIZED) { PRIORITY_BYTES } else { 0 };
    let end = payload.len().checked_sub(usize::from(pad_length.unwrap_or(0)));
    let end = end.filter(|end| start <= *end).ok_or_else(wrong_padding)?;
    Ok(match payload {
        Cow::Borrowed(payload) => Cow::Borrowed(&payload[start..end]),
        Cow::Owned(mut payload) => {
            payload.truncate(end);
            payload.drain(..start);
            Cow::Owned(payload)
        }
    })
}

fn wrong_padding() -> ConnectionError {
    ConnectionError::protocol("a frame has more padding than payload")
}

/// The next bytes of the input, as many as there are.
fn split_off<'a>(input: &mut &'a [u8], length: usize) -> &'a [u8] {
    let (piece, rest) = input.split_at(length.min(input.len()));
    *input = rest;
    piece
}

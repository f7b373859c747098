//! The state of a connection: input becomes events, and what HTTP/2 itself has to answer is answered.
//!
//! [`ServerConnection`] does no I/O, reads no clock and waits for nothing (RFC 9113, without server push and priorities). Its
//! other half, sending, is in [`super::sending`].

use actix_web::web::Bytes;

use crate::transport::{
    http2::{
        flow_control::{ReceiveWindow, SendWindow, WINDOW},
        frame_budget::{FrameBudget, cost_of},
        frame_reader::{FrameReader, Part},
        frames::{
            self, ACK, ConnectionError, DATA, ErrorCode, FrameHeader, MAX_CONCURRENT_STREAMS, MAX_HEADER_LIST_SIZE,
            PING, RST_STREAM, SETTINGS, WINDOW_UPDATE,
        },
        head::Head,
        head_builder::{HeadBuilder, LIST_BYTES},
        hpack::decoder::Decoder,
        shutdown::{SHUTDOWN_PING, Shutdown},
        streams::{STREAMS_MAX, Stream, Streams, Unopened},
    },
    limits::connection::FramePosition,
};

/// The server's end of a connection. After an error it must not be used any more.
#[derive(Debug)]
pub struct ServerConnection {
    reader: FrameReader,
    decoder: Decoder,
    budget: FrameBudget,
    pub(super) streams: Streams,
    pub(super) receive_window: ReceiveWindow,
    pub(super) send_window: SendWindow,
    /// The send window of new streams.
    pub(super) initial_window: i32,
    /// The client has made its HPACK table smaller, which the next header block must acknowledge (RFC 7541 section 4.2).
    pub(super) owes_size_update: bool,
    /// A window has kept data back.
    pub(super) is_blocked: bool,
    pub(super) shutdown: Shutdown,
    /// The next piece of content is the first of its frame, which is paid for.
    frame_began: bool,
    completed: bool,
}

/// What has arrived.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    pub bytes: &'a [u8],
    /// Bytes on the wire, with the overhead of TLS.
    pub wire_len: usize,
    /// What requests have earned since the last input ([`super::frame_budget`]).
    pub earned: usize,
    /// In milliseconds.
    pub now: u64,
}

#[derive(Debug)]
pub enum Event {
    /// A request; if it is ended, it has no body.
    Request { stream: u32, head: Head, ended: bool },
    /// A piece of a body, maybe the last. It must be released when it has been read, or the client cannot send more.
    Data { stream: u32, bytes: Bytes, ended: bool },
    /// The stream of a request no longer exists.
    Reset { stream: u32 },
    /// Streams may send whose data was not taken before.
    WindowOpened,
}

impl Event {
    /// Whether this is all of the body that a request on this stream is to have.
    pub fn is_end_of(&self, id: u32) -> bool {
        matches!(self, Self::Data { stream, ended: true, .. } if *stream == id)
    }
}

/// What input leads to.
pub(super) struct Output<'a> {
    pub(super) bytes: &'a mut Vec<u8>,
    events: &'a mut Vec<Event>,
    now: u64,
}

impl ServerConnection {
    /// A new connection, whose first frame is written at once.
    pub fn new(now: u64, out: &mut Vec<u8>) -> Self {
        let limits = [(MAX_CONCURRENT_STREAMS, STREAMS_MAX as u32), (MAX_HEADER_LIST_SIZE, LIST_BYTES as u32)];
        frames::write_settings(&limits, out);
        Self {
            reader: FrameReader::awaiting_preface(),
            decoder: Decoder::default(),
            budget: FrameBudget::new(now),
            streams: Streams::default(),
            receive_window: ReceiveWindow::default(),
            send_window: SendWindow::new(WINDOW as i32),
            initial_window: WINDOW as i32,
            owes_size_update: false,
            is_blocked: false,
            shutdown: Shutdown::No,
            frame_began: false,
            completed: false,
        }
    }

    /// Reads input. After an error, the last frame in `out` is GOAWAY.
    pub fn receive(
        &mut self,
        input: Input<'_>,
        out: &mut Vec<u8>,
        events: &mut Vec<Event>,
    ) -> Result<(), ConnectionError> {
        let received = self.receive_parts(input, &mut Output { bytes: out, events, now: input.now });
        self.completed = self.reader.take_completed();
        if let Err(error) = &received {
            frames::write_go_away(self.last_accepted(), error.code, out);
        }
        received
    }

    /// Where the input ends.
    pub fn position(&self) -> FramePosition {
        self.reader.position()
    }

    /// The last input completed a frame and left no header block open.
    pub fn has_completed(&self) -> bool {
        self.completed
    }

    fn receive_parts(&mut self, mut input: Input<'_>, out: &mut Output<'_>) -> Result<(), ConnectionError> {
        self.pay(0, input.wire_len, input.earned, out.now)?;
        while let Some(part) = self.reader.next(&mut input.bytes)? {
            match part {
                Part::Begin(frame) => {
                    self.pay(cost_of(frame.kind, frame.flags), 0, 0, out.now)?;
                    self.frame_began = true;
                    if frame.kind == DATA {
                        self.begin_data(frame, out)?;
                    }
                }
                Part::Padding { stream, bytes } => self.release(stream, bytes, out.bytes),
                Part::Content { stream, bytes, is_last } => {
                    // A handler earns by the piece. So each has its cost, or it would pay to cut frames into pieces.
                    let is_paid = std::mem::take(&mut self.frame_began) || bytes.is_empty();
                    self.pay(if is_paid { 0 } else { cost_of(DATA, 0) }, 0, 0, out.now)?;
                    self.receive_content(stream, bytes, is_last, out)?;
                }
                Part::Block { stream, block, ends_stream } => self.receive_block(stream, &block, ends_stream, out)?,
                Part::Frame(frame, payload) => match frame.kind {
                    RST_STREAM => self.receive_reset(frame.stream, out)?,
                    SETTINGS => self.receive_settings(frame, &payload, out)?,
                    PING => self.receive_ping(frame, &payload, out),
                    WINDOW_UPDATE => self.receive_window_update(frame.stream, &payload, out)?,
                    _ => {}
                },
            }
        }
        Ok(())
    }

    fn pay(&mut self, frames: usize, wire_len: usize, earned: usize, now: u64) -> Result<(), ConnectionError> {
        let error = || ConnectionError::new(ErrorCode::EnhanceYourCalm, "too many frames serve no request");
        self.budget.spend(frames, wire_len, earned, now).then_some(()).ok_or_else(error)
    }

    /// Counts a whole frame, with its padding (section 6.9.1).
    fn begin_data(&mut self, frame: FrameHeader, out: &mut Output<'_>) -> Result<(), ConnectionError> {
        let length = frame.length as u32;
        if !self.receive_window.receive(length) {
            return Err(ConnectionError::new(ErrorCode::FlowControl, "DATA exceeds the window of the connection"));
        }
        match self.streams.get(frame.stream) {
            Some(stream) if stream.client_ended => self.fail(frame.stream, ErrorCode::StreamClosed, out)?,
            Some(stream) => {
                if stream.receive_window.receive(length) {
                    return Ok(());
                }
                self.fail(frame.stream, ErrorCode::FlowControl, out)?;
            }
            None => match self.streams.state_of(frame.stream) {
                Unopened::Discarded => {}
                Unopened::Idle => return Err(ConnectionError::protocol("DATA on an idle stream")),
                Unopened::Ended | Unopened::Skipped => {
                    return Err(ConnectionError::new(ErrorCode::StreamClosed, "DATA on a closed stream"));
                }
            },
        }
        // Nobody will read it.
        self.release_connection(length, out.bytes);
        Ok(())
    }

    fn receive_content(
        &mut self,
        id: u32,
        bytes: &[u8],
        is_last: bool,
        out: &mut Output<'_>,
    ) -> Result<(), ConnectionError> {
        let Some(stream) = self.streams.get(id) else { return Ok(()) };
        if !stream.take_body(bytes.len(), is_last) {
            return self.fail(id, ErrorCode::Protocol, out);
        }
        stream.client_ended = is_last;
        out.events.push(Event::Data { stream: id, bytes: Bytes::copy_from_slice(bytes), ended: is_last });
        Ok(())
    }

    fn receive_block(
        &mut self,
        id: u32,
        block: &[u8],
        ended: bool,
        out: &mut Output<'_>,
    ) -> Result<(), ConnectionError> {
        let is_open = self.streams.get(id).is_some();
        let mut builder = HeadBuilder::new(is_open);
        let decoded = self.decoder.decode(block, |name, value| builder.push(name, value));
        decoded.map_err(|_| ConnectionError::new(ErrorCode::Compression, "a header block cannot be decoded"))?;
        match self.streams.state_of(id) {
            _ if is_open => self.receive_trailer(id, builder, ended, out)?,
            Unopened::Idle if !id.is_multiple_of(2) => self.receive_request(id, builder, ended, out),
            Unopened::Idle => return Err(ConnectionError::protocol("HEADERS on a stream of the server")),
            Unopened::Skipped => return Err(ConnectionError::protocol("HEADERS on a stream that was skipped")),
            Unopened::Ended => {
                return Err(ConnectionError::new(ErrorCode::StreamClosed, "HEADERS on a closed stream"));
            }
            Unopened::Discarded => {}
        }
        Ok(())
    }

    fn receive_request(&mut self, id: u32, builder: HeadBuilder, ended: bool, out: &mut Output<'_>) {
        let is_refused = self.streams.count() >= STREAMS_MAX || self.refuses_requests();
        self.streams.begin(id);
        let accepted = match builder.finish() {
            _ if is_refused => Err(ErrorCode::RefusedStream),
            Some(head) if !ended || head.content_length().unwrap_or(0) == 0 => Ok(head),
            _ => Err(ErrorCode::Protocol),
        };
        match accepted {
            Ok(head) => {
                let send_window = SendWindow::new(self.initial_window);
                self.streams.open(Stream::new(id, send_window, head.content_length(), ended));
                out.events.push(Event::Request { stream: id, head, ended });
            }
            Err(code) => {
                frames::write_reset(id, code, out.bytes);
                self.streams.close(id, ended);
            }
        }
    }

    /// The trailer section is checked and dropped.
    fn receive_trailer(
        &mut self,
        id: u32,
        builder: HeadBuilder,
        ended: bool,
        out: &mut Output<'_>,
    ) -> Result<(), ConnectionError> {
        match self.streams.get(id) {
            Some(stream) if stream.client_ended => self.fail(id, ErrorCode::StreamClosed, out),
            Some(_) if !ended || !builder.finish_trailer() => self.fail(id, ErrorCode::Protocol, out),
            _ => self.receive_content(id, &[], true, out),
        }
    }

    fn receive_reset(&mut self, id: u32, out: &mut Output<'_>) -> Result<(), ConnectionError> {
        if let Some(stream) = self.streams.get(id) {
            stream.client_ended = true;
            self.close(id, out.bytes);
            out.events.push(Event::Reset { stream: id });
        } else if self.streams.state_of(id) == Unopened::Idle {
            return Err(ConnectionError::protocol("RST_STREAM on an idle stream"));
        }
        Ok(())
    }

    fn receive_ping(&mut self, frame: FrameHeader, payload: &[u8], out: &mut Output<'_>) {
        if !frame.has(ACK) {
            frames::write_frame(PING, ACK, 0, payload, out.bytes);
        } else if payload == SHUTDOWN_PING && self.shutdown == Shutdown::Announced {
            self.refuse_requests(out.bytes);
        }
    }

    fn receive_window_update(&mut self, id: u32, payload: &[u8], out: &mut Output<'_>) -> Result<(), ConnectionError> {
        let increment = payload.first_chunk().map_or(0, |bytes| i32::from_be_bytes(*bytes) & i32::MAX);
        if id == 0 {
            if increment == 0 {
                return Err(ConnectionError::protocol("WINDOW_UPDATE by nothing"));
            }
            if !self.send_window.change(increment) {
                return Err(ConnectionError::new(ErrorCode::FlowControl, "WINDOW_UPDATE exceeds 31 bits"));
            }
        } else if let Some(stream) = self.streams.get(id) {
            if increment == 0 {
                self.fail(id, ErrorCode::Protocol, out)?;
            } else if !stream.send_window.change(increment) {
                self.fail(id, ErrorCode::FlowControl, out)?;
            }
        } else if self.streams.state_of(id) == Unopened::Idle {
            return Err(ConnectionError::protocol("WINDOW_UPDATE on an idle stream"));
        }
        self.unblock(out);
        Ok(())
    }

    pub(super) fn unblock(&mut self, out: &mut Output<'_>) {
        if std::mem::take(&mut self.is_blocked) {
            out.events.push(Event::WindowOpened);
        }
    }

    /// Resets a stream because of an error of its client (section 5.4.2). It costs what resetting it would have cost the client
    /// (CVE-2025-8671).
    fn fail(&mut self, id: u32, code: ErrorCode, out: &mut Output<'_>) -> Result<(), ConnectionError> {
        self.reset(id, code, out.bytes);
        out.events.push(Event::Reset { stream: id });
        self.pay(cost_of(RST_STREAM, 0), 0, 0, out.now)
    }
}

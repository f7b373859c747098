//! The other half of a connection: responses, windows given back, and the end.

use crate::transport::http2::{
    connection::ServerConnection,
    frames::{self, DATA, END_STREAM, ErrorCode, PAYLOAD_MAX, PING, STREAM_MAX},
    hpack::encoder,
    shutdown::{SHUTDOWN_PING, Shutdown},
};

/// Methods with a stream do nothing if the stream is not open: its client has reset it, or will.
impl ServerConnection {
    /// Sends the head of a response. Names of fields are in lower case. With `end`, there is no body.
    pub fn send_head<'a>(
        &mut self,
        stream: u32,
        status: u16,
        fields: impl IntoIterator<Item = (&'a str, &'a [u8])>,
        end: bool,
        out: &mut Vec<u8>,
    ) {
        if self.streams.get(stream).is_none() {
            return;
        }
        let owes_size_update = std::mem::take(&mut self.owes_size_update);
        frames::write_block(stream, end, out, |out| {
            if owes_size_update {
                encoder::write_empty_table(out);
            }
            encoder::write_status(status, out);
            fields.into_iter().for_each(|(name, value)| encoder::write_field(name, value, out));
        });
        if end {
            self.end_response(stream, out);
        }
    }

    /// Sends as much as the windows allow and returns how much that was, or all if the stream is not open. The rest must be
    /// sent after [`super::connection::Event::WindowOpened`]. With `end`, the response ends with the data.
    pub fn send_data(&mut self, stream: u32, data: &[u8], end: bool, out: &mut Vec<u8>) -> usize {
        let Some(open) = self.streams.get(stream) else { return data.len() };
        let taken = data.len().min(open.send_window.available()).min(self.send_window.available());
        open.send_window.spend(taken);
        self.send_window.spend(taken);
        self.is_blocked |= taken < data.len();
        let ends = end && taken == data.len();
        let mut rest = &data[..taken];
        while !rest.is_empty() || (ends && taken == 0) {
            let (piece, others) = rest.split_at(rest.len().min(PAYLOAD_MAX));
            rest = others;
            let flags = if ends && rest.is_empty() { END_STREAM } else { 0 };
            frames::write_frame(DATA, flags, stream, piece, out);
            if rest.is_empty() {
                break;
            }
        }
        if ends {
            self.end_response(stream, out);
        }
        taken
    }

    /// Resets a stream that cannot be answered.
    pub fn reset(&mut self, stream: u32, code: ErrorCode, out: &mut Vec<u8>) {
        if self.streams.get(stream).is_some() {
            frames::write_reset(stream, code, out);
            self.close(stream, out);
        }
    }

    /// Gives the window of bytes back that were received as [`super::connection::Event::Data`] and have been read.
    pub fn release(&mut self, stream: u32, bytes: u32, out: &mut Vec<u8>) {
        let Some(open) = self.streams.get(stream) else { return };
        let released = open.receive_window.release(bytes);
        if !open.client_ended
            && let Some(increment) = open.receive_window.take_update()
        {
            frames::write_window_update(stream, increment, out);
        }
        self.release_connection(released, out);
    }

    /// Begins a graceful shutdown: the client is told, and a round trip later its requests are refused. The second call does not
    /// wait for that.
    pub fn go_away(&mut self, out: &mut Vec<u8>) {
        match self.shutdown {
            Shutdown::No => {
                self.shutdown = Shutdown::Announced;
                frames::write_go_away(STREAM_MAX, ErrorCode::NoError, out);
                frames::write_frame(PING, 0, 0, SHUTDOWN_PING, out);
            }
            Shutdown::Announced => self.refuse_requests(out),
            Shutdown::Final { .. } => {}
        }
    }

    /// Requests whose responses have not ended.
    pub fn open_streams(&self) -> usize {
        self.streams.count()
    }

    /// A graceful shutdown is complete: the connection should be closed once all output is sent.
    pub fn is_finished(&self) -> bool {
        self.refuses_requests() && self.streams.count() == 0
    }

    pub(super) fn refuses_requests(&self) -> bool {
        matches!(self.shutdown, Shutdown::Final { .. })
    }

    pub(super) fn refuse_requests(&mut self, out: &mut Vec<u8>) {
        let last_stream = self.streams.newest();
        self.shutdown = Shutdown::Final { last_stream };
        frames::write_go_away(last_stream, ErrorCode::NoError, out);
    }

    /// The last stream whose request may have been processed. It never becomes later once it has been sent.
    pub(super) fn last_accepted(&self) -> u32 {
        match self.shutdown {
            Shutdown::Final { last_stream } => last_stream,
            _ => self.streams.newest(),
        }
    }

    /// A request whose response has ended is not needed any more (section 8.1).
    fn end_response(&mut self, stream: u32, out: &mut Vec<u8>) {
        if self.streams.get(stream).is_some_and(|open| !open.client_ended) {
            frames::write_reset(stream, ErrorCode::NoError, out);
        }
        self.close(stream, out);
    }

    /// Forgets a stream. Nobody will read what it has received.
    pub(super) fn close(&mut self, stream: u32, out: &mut Vec<u8>) {
        let client_ended = self.streams.get(stream).is_some_and(|open| open.client_ended);
        if let Some(closed) = self.streams.close(stream, client_ended) {
            self.release_connection(closed.receive_window.held(), out);
        }
    }

    pub(super) fn release_connection(&mut self, bytes: u32, out: &mut Vec<u8>) {
        self.receive_window.release(bytes);
        if let Some(increment) = self.receive_window.take_update() {
            frames::write_window_update(0, increment, out);
        }
    }
}

//! The streams of a connection: those that are open, and what is still known of closed ones (RFC 9113 section 5.1).

use crate::transport::http2::flow_control::{ReceiveWindow, SendWindow};

/// Streams open at a time.
pub const STREAMS_MAX: usize = 100;
/// The list of open streams keeps this capacity.
const CAPACITY_MIN: usize = 4;

/// A stream whose request has begun and whose response has not ended.
#[derive(Debug)]
pub struct Stream {
    id: u32,
    pub receive_window: ReceiveWindow,
    pub send_window: SendWindow,
    /// What is missing of the body, if its length is known.
    pub body_left: Option<u64>,
    /// The request is complete.
    pub client_ended: bool,
}

impl Stream {
    pub fn new(id: u32, send_window: SendWindow, body_left: Option<u64>, client_ended: bool) -> Self {
        Self { id, receive_window: ReceiveWindow::default(), send_window, body_left, client_ended }
    }

    /// Whether a part of the body, maybe the last, agrees with `content-length` (section 8.1.1).
    #[must_use]
    pub fn take_body(&mut self, bytes: usize, is_last: bool) -> bool {
        let Some(left) = &mut self.body_left else { return true };
        let Some(rest) = left.checked_sub(bytes as u64) else { return false };
        *left = rest;
        rest == 0 || !is_last
    }
}

/// A stream that is not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unopened {
    /// The client has not used it yet, or never may because it is one of the server's.
    Idle,
    /// The client used a later one first (section 5.1.1).
    Skipped,
    /// The client has ended it, so nothing but WINDOW_UPDATE and RST_STREAM may follow.
    Ended,
    /// We have closed it first, or too long ago to remember: the client may not know that yet.
    Discarded,
}

#[derive(Debug, Default)]
pub struct Streams {
    /// In the order of their identifiers.
    open: Vec<Stream>,
    /// The newest one of the client.
    newest: u32,
    /// The newest 128 of the client, from the newest on: whether it has used them, and whether it has ended them.
    used: u128,
    ended: u128,
}

impl Streams {
    pub fn count(&self) -> usize {
        self.open.len()
    }

    pub fn newest(&self) -> u32 {
        self.newest
    }

    pub fn get(&mut self, id: u32) -> Option<&mut Stream> {
        let at = self.open.binary_search_by_key(&id, |stream| stream.id).ok()?;
        self.open.get_mut(at)
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Stream> {
        self.open.iter_mut()
    }

    /// Notes that the client uses an idle stream, which closes those that it skipped.
    pub fn begin(&mut self, id: u32) {
        // An earlier one differs by an even number; the first by an odd one, but there is nothing to shift yet.
        let skipped = (id - self.newest) / 2;
        let shift = |bits: u128| bits.checked_shl(skipped).unwrap_or(0);
        (self.used, self.ended) = (shift(self.used) | 1, shift(self.ended));
        self.newest = id;
    }

    /// Opens the stream that was begun last.
    pub fn open(&mut self, stream: Stream) {
        self.open.push(stream);
    }

    /// Closes a stream, also one that has only begun. Frames of the client may still arrive if it has not ended it.
    pub fn close(&mut self, id: u32, client_ended: bool) -> Option<Stream> {
        if let Some(bit) = self.bit(id)
            && client_ended
        {
            self.ended |= bit;
        }
        let at = self.open.binary_search_by_key(&id, |stream| stream.id).ok()?;
        let closed = self.open.remove(at);
        if self.open.len() * 4 <= self.open.capacity() {
            self.open.shrink_to(CAPACITY_MIN.max(2 * self.open.len()));
        }
        Some(closed)
    }

    pub fn state_of(&self, id: u32) -> Unopened {
        if id > self.newest || id.is_multiple_of(2) {
            return Unopened::Idle;
        }
        match self.bit(id) {
            None => Unopened::Discarded,
            Some(bit) if self.used & bit == 0 => Unopened::Skipped,
            Some(bit) if self.ended & bit == 0 => Unopened::Discarded,
            Some(_) => Unopened::Ended,
        }
    }

    /// Where a stream is in `used` and `ended`.
    fn bit(&self, id: u32) -> Option<u128> {
        1_u128.checked_shl(self.newest.checked_sub(id)? / 2)
    }
}

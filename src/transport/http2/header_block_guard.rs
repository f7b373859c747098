//! Follows the frames of an HTTP/2 connection: bounds header blocks, adds up what frames cost, and tells where the input ends.
//!
//! One byte of a block may stand for hundreds in memory (HPACK), a block may continue for ever (CVE-2024-27316), and more
//! than 24,576 names in it make h2 0.3 panic. actix has no option for its length.

use crate::transport::{
    http2::frame_budget::{CONTINUATION, HEADERS, cost_of},
    limits::connection::FramePosition,
};

/// The longest header block, compressed. Ours have a few hundred bytes.
const BLOCK_BYTES: usize = 16 * 1024;
/// The connection preface of a client (RFC 9113 section 3.4).
const PREFACE_BYTES: usize = 24;
/// The header of a frame: length, type, flags and stream (RFC 9113 section 4.1).
const FRAME_HEADER_BYTES: usize = 9;
const DATA: u8 = 0;
/// The flag of the last frame of a block.
const END_HEADERS: u8 = 4;

#[derive(Debug)]
pub struct HeaderBlockGuard {
    /// Bytes still to come of a frame's payload, or of the preface.
    remaining: usize,
    header: [u8; FRAME_HEADER_BYTES],
    /// Bytes of the header received.
    header_len: usize,
    /// Bytes of the block so far.
    block_len: usize,
    /// The block continues in the next frame.
    block_open: bool,
    /// The last input completed a frame and left no block open.
    completed: bool,
    /// Of the frames that began since it was last taken.
    cost: usize,
    /// The newest stream of the client.
    last_stream: u32,
}

impl HeaderBlockGuard {
    pub fn awaiting_preface() -> Self {
        // Not DATA: the preface must arrive in time.
        let header = [0, 0, 0, HEADERS, 0, 0, 0, 0, 0];
        Self {
            remaining: PREFACE_BYTES,
            header,
            header_len: 0,
            block_len: 0,
            block_open: false,
            completed: false,
            cost: 0,
            last_stream: 0,
        }
    }

    /// Follows the input; false if a header block is too long.
    #[must_use]
    pub fn inspect(&mut self, mut bytes: &[u8]) -> bool {
        self.completed = false;
        while let Some((first, others)) = bytes.split_first() {
            if self.remaining > 0 {
                let skipped = self.remaining.min(bytes.len());
                self.remaining -= skipped;
                bytes = &bytes[skipped..];
            } else {
                self.header[self.header_len] = *first;
                self.header_len += 1;
                bytes = others;
                if self.header_len == FRAME_HEADER_BYTES && !self.start_frame() {
                    return false;
                }
            }
            self.completed |= self.position() == FramePosition::Between;
        }
        true
    }

    pub fn position(&self) -> FramePosition {
        let [_, _, _, kind, ..] = self.header;
        match (self.remaining, self.header_len) {
            (0, 0) if !self.block_open => FramePosition::Between,
            (1.., 0) if kind == DATA => FramePosition::InData,
            _ => FramePosition::InHead,
        }
    }

    pub fn has_completed(&self) -> bool {
        self.completed
    }

    /// What the frames that began since the last call cost ([`super::frame_budget`]).
    pub fn take_cost(&mut self) -> usize {
        std::mem::take(&mut self.cost)
    }

    pub fn last_stream(&self) -> u32 {
        self.last_stream
    }

    fn start_frame(&mut self) -> bool {
        self.header_len = 0;
        let [long, middle, short, kind, flags, stream @ ..] = self.header;
        self.cost += cost_of(kind, flags);
        self.remaining = u32::from_be_bytes([0, long, middle, short]) as usize;
        match kind {
            HEADERS => {
                self.block_len = self.remaining;
                // Without its reserved bit.
                self.last_stream = self.last_stream.max(u32::from_be_bytes(stream) & (u32::MAX >> 1));
            }
            // Empty frames count, or they could continue for ever.
            CONTINUATION => self.block_len += self.remaining.max(1),
            _ => {}
        }
        if matches!(kind, HEADERS | CONTINUATION) {
            self.block_open = flags & END_HEADERS == 0;
        }
        self.block_len <= BLOCK_BYTES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, length: usize) -> Vec<u8> {
        let size = u32::try_from(length).unwrap().to_be_bytes();
        [&size[1..], &[kind, 0, 0, 0, 0, 1], &vec![HEADERS; length]].concat()
    }

    #[test]
    fn a_header_block_is_limited_however_it_is_split() {
        let preface = vec![b'P'; PREFACE_BYTES];
        let fits = [preface, frame(4, 12), frame(HEADERS, 16_000), frame(CONTINUATION, 384), frame(0, 60_000)].concat();
        for cut in [1, 7, 1000, fits.len()] {
            let mut guard = HeaderBlockGuard::awaiting_preface();
            assert!(fits.chunks(cut).all(|part| guard.inspect(part)), "{cut}");
            assert!(guard.inspect(&frame(HEADERS, 16_384)));
            assert!(!guard.inspect(&frame(CONTINUATION, 1)), "{cut}");
        }
    }

    #[test]
    fn the_position_after_each_input_is_known() {
        let flagged = |kind: u8, flags: u8, length: usize| {
            let mut bytes = frame(kind, length);
            bytes[4] = flags;
            bytes
        };
        let mut guard = HeaderBlockGuard::awaiting_preface();
        let mut after = |bytes: &[u8]| {
            assert!(guard.inspect(bytes));
            (guard.position(), guard.has_completed())
        };
        assert_eq!(after(&[b'P'; PREFACE_BYTES - 1]), (FramePosition::InHead, false));
        assert_eq!(after(b"P"), (FramePosition::Between, true));
        assert_eq!(after(&frame(4, 0)[..5]), (FramePosition::InHead, false));
        assert_eq!(after(&frame(4, 0)[5..]), (FramePosition::Between, true));
        assert_eq!(after(&frame(DATA, 9)[..12]), (FramePosition::InData, false));
        assert_eq!(after(&[&frame(DATA, 9)[12..], &[0]].concat()), (FramePosition::InHead, true));
        assert_eq!(after(&frame(6, 8)[1..12]), (FramePosition::InHead, false));
        assert_eq!(after(&frame(6, 8)[12..]), (FramePosition::Between, true));
        assert_eq!(after(&flagged(HEADERS, 1, 3)), (FramePosition::InHead, false));
        assert_eq!(after(&flagged(CONTINUATION, 0, 0)), (FramePosition::InHead, false));
        assert_eq!(after(&flagged(CONTINUATION, END_HEADERS, 2)), (FramePosition::Between, true));
        assert_eq!(after(&flagged(HEADERS, END_HEADERS, 0)), (FramePosition::Between, true));
    }

    #[test]
    fn empty_continuation_frames_are_limited() {
        let mut guard = HeaderBlockGuard::awaiting_preface();
        assert!(guard.inspect(&[b'P'; PREFACE_BYTES]));
        assert!((0..=BLOCK_BYTES).any(|_| !guard.inspect(&frame(CONTINUATION, 0))));
    }
}

//! The frames of an HTTP/2 connection as they come in: the blocks of header fields in them are kept short, and none may be
//! begun and left so.
//!
//! A block may say in one byte what takes hundreds in memory (HPACK), may go on for ever (CVE-2024-27316), and with more
//! than 24,576 names in it h2 0.3 panics; actix has no knob for its length.

use crate::transport::limits::connection::End;

/// A block of header fields, compressed: ours have some hundred bytes.
const BLOCK_BYTES: usize = 16 * 1024;
/// What a client sends before its first frame (RFC 9113 section 3.4).
const PREFACE_BYTES: usize = 24;
/// The head of a frame: its length, kind, flags and stream.
const HEAD_BYTES: usize = 9;
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const CONTINUATION: u8 = 9;
/// The flag of the last frame of a block.
const END_HEADERS: u8 = 4;

#[derive(Debug)]
pub struct Frames {
    /// What is still to come of a frame, or of the preface.
    rest: usize,
    head: [u8; HEAD_BYTES],
    /// Bytes of the head that have come.
    known: usize,
    /// The block so far.
    block: usize,
    /// It goes on after this frame.
    goes_on: bool,
    /// A frame came to its end, and no block was left open, in what was looked at last.
    passed: bool,
}

impl Frames {
    pub fn awaiting_preface() -> Self {
        // Until there is one, what comes is not of a body.
        let head = [0, 0, 0, HEADERS, 0, 0, 0, 0, 0];
        Self { rest: PREFACE_BYTES, head, known: 0, block: 0, goes_on: false, passed: false }
    }

    /// Looks at what has come; false if it is more than there may be.
    #[must_use]
    pub fn look(&mut self, mut bytes: &[u8]) -> bool {
        self.passed = false;
        while let Some((first, others)) = bytes.split_first() {
            if self.rest > 0 {
                let taken = self.rest.min(bytes.len());
                self.rest -= taken;
                bytes = &bytes[taken..];
                self.passed |= self.end() == End::Between;
                continue;
            }
            self.head[self.known] = *first;
            self.known += 1;
            bytes = others;
            if self.known == HEAD_BYTES && !self.begin() {
                return false;
            }
            self.passed |= self.end() == End::Between;
        }
        true
    }

    pub fn end(&self) -> End {
        let [_, _, _, kind, ..] = self.head;
        match (self.rest, self.known) {
            (0, 0) if !self.goes_on => End::Between,
            (1.., 0) if kind == DATA => End::InBody,
            _ => End::InHead,
        }
    }

    pub fn passed(&self) -> bool {
        self.passed
    }

    fn begin(&mut self) -> bool {
        self.known = 0;
        let [long, middle, short, kind, flags, ..] = self.head;
        self.rest = u32::from_be_bytes([0, long, middle, short]) as usize;
        match kind {
            HEADERS => self.block = self.rest,
            CONTINUATION => self.block += self.rest.max(1),
            _ => {}
        }
        if matches!(kind, HEADERS | CONTINUATION) {
            self.goes_on = flags & END_HEADERS == 0;
        }
        self.block <= BLOCK_BYTES
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
    fn blocks_are_measured_however_they_are_cut() {
        let start = vec![b'P'; PREFACE_BYTES];
        let fits = [start, frame(4, 12), frame(HEADERS, 16_000), frame(CONTINUATION, 384), frame(0, 60_000)].concat();
        for cut in [1, 7, 1000, fits.len()] {
            let mut frames = Frames::awaiting_preface();
            assert!(fits.chunks(cut).all(|part| frames.look(part)), "{cut}");
            assert!(frames.look(&frame(HEADERS, 16_384)));
            assert!(!frames.look(&frame(CONTINUATION, 1)), "{cut}");
        }
    }

    #[test]
    fn it_is_known_where_what_came_ends() {
        let flagged = |kind: u8, flags: u8, length: usize| {
            let mut bytes = frame(kind, length);
            bytes[4] = flags;
            bytes
        };
        let mut frames = Frames::awaiting_preface();
        let mut after = |bytes: &[u8]| {
            assert!(frames.look(bytes));
            (frames.end(), frames.passed())
        };
        assert_eq!(after(&[b'P'; PREFACE_BYTES - 1]), (End::InHead, false));
        assert_eq!(after(b"P"), (End::Between, true));
        assert_eq!(after(&frame(4, 0)[..5]), (End::InHead, false));
        assert_eq!(after(&frame(4, 0)[5..]), (End::Between, true));
        assert_eq!(after(&frame(DATA, 9)[..12]), (End::InBody, false));
        assert_eq!(after(&[&frame(DATA, 9)[12..], &[0]].concat()), (End::InHead, true));
        assert_eq!(after(&frame(6, 8)[1..12]), (End::InHead, false));
        assert_eq!(after(&frame(6, 8)[12..]), (End::Between, true));
        assert_eq!(after(&flagged(HEADERS, 1, 3)), (End::InHead, false));
        assert_eq!(after(&flagged(CONTINUATION, 0, 0)), (End::InHead, false));
        assert_eq!(after(&flagged(CONTINUATION, END_HEADERS, 2)), (End::Between, true));
        assert_eq!(after(&flagged(HEADERS, END_HEADERS, 0)), (End::Between, true));
    }

    #[test]
    fn empty_continuations_end_too() {
        let mut frames = Frames::awaiting_preface();
        assert!(frames.look(&[b'P'; PREFACE_BYTES]));
        assert!((0..=BLOCK_BYTES).any(|_| !frames.look(&frame(CONTINUATION, 0))));
    }
}

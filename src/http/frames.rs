//! The frames of an HTTP/2 connection as they come in: the blocks of header fields in them are kept short.
//!
//! A block may say in one byte what takes hundreds in memory (HPACK), may go on for ever (CVE-2024-27316), and with more
//! than 24,576 names in it h2 0.3 panics; actix has no knob for its length.

/// A block of header fields, compressed: ours have some hundred bytes.
const BLOCK_BYTES: usize = 16 * 1024;
/// What a client sends before its first frame (RFC 9113 section 3.4).
const PREFACE_BYTES: usize = 24;
/// The head of a frame: its length, kind, flags and stream.
const HEAD_BYTES: usize = 9;
const HEADERS: u8 = 1;
const CONTINUATION: u8 = 9;

#[derive(Debug)]
pub struct Frames {
    /// What is still to come of a frame, or of the preface.
    rest: usize,
    head: [u8; HEAD_BYTES],
    /// Bytes of the head that have come.
    known: usize,
    /// The block so far.
    block: usize,
}

impl Frames {
    pub fn new() -> Self {
        Self { rest: PREFACE_BYTES, head: [0; HEAD_BYTES], known: 0, block: 0 }
    }

    /// Looks at what has come; false if it is more than there may be.
    #[must_use]
    pub fn look(&mut self, mut bytes: &[u8]) -> bool {
        while let Some((first, others)) = bytes.split_first() {
            if self.rest > 0 {
                let taken = self.rest.min(bytes.len());
                self.rest -= taken;
                bytes = &bytes[taken..];
                continue;
            }
            self.head[self.known] = *first;
            self.known += 1;
            bytes = others;
            if self.known == HEAD_BYTES && !self.begin() {
                return false;
            }
        }
        true
    }

    fn begin(&mut self) -> bool {
        self.known = 0;
        let [long, middle, short, kind, ..] = self.head;
        self.rest = u32::from_be_bytes([0, long, middle, short]) as usize;
        match kind {
            HEADERS => self.block = self.rest,
            CONTINUATION => self.block += self.rest.max(1),
            _ => {}
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
            let mut frames = Frames::new();
            assert!(fits.chunks(cut).all(|part| frames.look(part)), "{cut}");
            assert!(frames.look(&frame(HEADERS, 16_384)));
            assert!(!frames.look(&frame(CONTINUATION, 1)), "{cut}");
        }
    }

    #[test]
    fn empty_continuations_end_too() {
        let mut frames = Frames::new();
        assert!(frames.look(&[b'P'; PREFACE_BYTES]));
        assert!((0..=BLOCK_BYTES).any(|_| !frames.look(&frame(CONTINUATION, 0))));
    }
}

//! Packets that wait for a client over TCP or TLS, from other clients.

use futures_util::task::AtomicWaker;
use parking_lot::Mutex;

use crate::turn::limits::OUTBOX_BYTES;

/// A queue that drops what does not fit, and has no memory while it is empty.
#[derive(Debug, Default)]
pub struct Outbox {
    frames: Mutex<Vec<u8>>,
    waker: AtomicWaker,
}

impl Outbox {
    /// Appends a frame, padded to a multiple of four bytes as on any stream (RFC 8656 section 12.5). False if it does not fit.
    pub fn push(&self, frame: &[u8]) -> bool {
        let mut frames = self.frames.lock();
        let length = frame.len().next_multiple_of(4);
        let (first, fits) = (frames.is_empty(), frames.len() + length <= OUTBOX_BYTES);
        if fits {
            let end = frames.len() + length;
            frames.extend(frame);
            frames.resize(end, 0);
        }
        drop(frames);
        if first {
            self.waker.wake();
        }
        fits
    }

    /// The frames that wait; more wake this task.
    pub fn take(&self, waker: &std::task::Waker) -> Vec<u8> {
        self.waker.register(waker);
        std::mem::take(&mut *self.frames.lock())
    }

    /// Lets the connection look at its allocation again.
    pub fn wake(&self) {
        self.waker.wake();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_padded_whole_and_bounded() {
        let outbox = Outbox::default();
        assert!(outbox.push(&[1; 5]) && outbox.push(&[2; 4]));
        let waker = futures_util::task::noop_waker();
        assert_eq!(outbox.take(&waker), [1, 1, 1, 1, 1, 0, 0, 0, 2, 2, 2, 2]);
        let pushed = (0..100_000).filter(|_| outbox.push(&[3; 1001])).count();
        assert_eq!(pushed, OUTBOX_BYTES / 1004);
        assert_eq!(outbox.take(&waker).len(), pushed * 1004);
        assert!(outbox.push(&[4]) && outbox.take(&waker).len() == 4 && outbox.take(&waker).capacity() == 0);
    }
}

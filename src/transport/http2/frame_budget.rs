//! How many frames an HTTP/2 connection may send that serve no request.
//!
//! Flow control bounds the bytes of bodies and nothing else: empty DATA frames, PINGs or SETTINGS cost their sender nothing, and a
//! stream of them keeps a processor busy (CVE-2019-9512 to 9518, CVE-2023-44487). So each frame costs something, requests that
//! were answered and bodies that were read pay for it, and the rest must fit into an allowance that grows with time.
//! SECURITY.md has the figures.

use crate::transport::http2::frames::{ACK, CONTINUATION, HEADERS, PING, RST_STREAM, SETTINGS};

/// What reading any frame costs; the unit is a byte of a body.
const FRAME: usize = 64;
/// One byte in this many counts, so that bodies nobody wants are limited, too.
const BYTES_PART: usize = 8;
/// What a connection may waste at once: 8,192 empty frames, or 480 requests that it cancels.
const BURST: usize = 512 * 1024;
/// And after that: 512 empty frames a second, or 30 cancelled requests.
const PER_SECOND: u64 = 32 * 1024;

/// Earned by a response: its request's frames, and the windows that its client opens again.
pub const RESPONSE: usize = 512;
/// Earned by each piece of a response: two WINDOW_UPDATE frames.
pub const RESPONSE_PIECE: usize = 2 * FRAME + 32;

/// Earned by a DATA frame that a handler has read; from 16 bytes on, all that it cost.
pub fn read_by_handler(length: usize) -> usize {
    length / BYTES_PART + FRAME.min(4 * length)
}

/// The cost of a frame without its bytes: more where we have to answer it or to undo work.
pub fn cost_of(kind: u8, flags: u8) -> usize {
    let times = match kind {
        SETTINGS | PING if flags & ACK != 0 => 1,
        RST_STREAM | SETTINGS => 16,
        PING | CONTINUATION => 4,
        HEADERS => 2,
        _ => 1,
    };
    times * FRAME
}

#[derive(Debug)]
pub struct FrameBudget {
    left: usize,
    /// When it was last refilled, in milliseconds.
    refilled_at: u64,
}

impl FrameBudget {
    pub fn new(now: u64) -> Self {
        Self { left: BURST, refilled_at: now }
    }

    /// Pays for frames and for bytes on the wire; false if that is more than is left.
    #[must_use]
    pub fn spend(&mut self, frames: usize, bytes: usize, earned: usize, now: u64) -> bool {
        let grown = now.saturating_sub(self.refilled_at).saturating_mul(PER_SECOND) / 1000;
        if grown > 0 {
            self.refilled_at = now;
        }
        let grown = usize::try_from(grown).unwrap_or(BURST);
        self.left = self.left.saturating_add(grown).saturating_add(earned).min(BURST);
        match self.left.checked_sub(frames + bytes / BYTES_PART) {
            Some(left) => self.left = left,
            None => return false,
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATA: u8 = 0;

    fn frames_until_refused(budget: &mut FrameBudget, cost: usize, now: u64) -> usize {
        (0..).take_while(|_| budget.spend(cost, 0, 0, now)).count()
    }

    #[test]
    fn wasteful_frames_are_limited_at_once_and_over_time() {
        let mut budget = FrameBudget::new(0);
        assert_eq!(frames_until_refused(&mut budget, cost_of(DATA, 0), 0), 8192);
        assert_eq!(frames_until_refused(&mut budget, cost_of(DATA, 0), 1000), 512);
        assert_eq!(frames_until_refused(&mut FrameBudget::new(0), cost_of(RST_STREAM, 0), 0), 512);
        // A year of silence is not saved up.
        assert_eq!(frames_until_refused(&mut budget, cost_of(DATA, 0), 1 << 35), 8192);
        assert!(!FrameBudget::new(0).spend(0, BYTES_PART * (BURST + 1), 0, 0));
    }

    #[test]
    fn what_serves_a_request_is_paid_for() {
        let mut budget = FrameBudget::new(0);
        for _ in 0..1_000_000 {
            let earned = RESPONSE + read_by_handler(16);
            let frames = cost_of(HEADERS, 0) + cost_of(DATA, 0) + 4 * FRAME;
            assert!(budget.spend(frames, 200, earned, 0));
        }
        for length in [16, 100, 16_384] {
            assert!(read_by_handler(length) >= cost_of(DATA, 0) + length / BYTES_PART, "{length}");
        }
        assert!(read_by_handler(1) < cost_of(DATA, 0) && read_by_handler(0) == 0);
    }

    /// Time that is counted in whole milliseconds must not be lost between two reads.
    #[test]
    fn the_allowance_grows_however_often_it_is_used() {
        let mut budget = FrameBudget::new(0);
        assert!(budget.spend(BURST, 0, 0, 0));
        let spent = (1..=1000).filter(|now| budget.spend(32, 0, 0, *now)).count();
        assert_eq!(spent, 1000);
    }
}

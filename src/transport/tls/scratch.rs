//! Buffers of a worker thread, lent for the length of one poll.

use std::cell::RefCell;

/// A vectored write uses two at once.
const KEPT: usize = 2;
/// Larger buffers are freed. Only handshake messages split over records and a tiny `max_fragment_size` need them.
const KEPT_BYTES_MAX: usize = 20 * 1024;

thread_local! {
    static BUFFERS: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// Lends a buffer of at least `length` bytes, with arbitrary content.
pub fn lend<R>(length: usize, work: impl FnOnce(&mut Vec<u8>) -> R) -> R {
    // Taken out, so that `work` may call this, too. `try_with` fails only while the thread ends.
    let mut buffer = BUFFERS.try_with(|buffers| buffers.borrow_mut().pop()).ok().flatten().unwrap_or_default();
    if buffer.len() < length {
        buffer.resize(length, 0);
    }
    let result = work(&mut buffer);
    if buffer.capacity() <= KEPT_BYTES_MAX {
        let _ = BUFFERS.try_with(|buffers| {
            let mut buffers = buffers.borrow_mut();
            if buffers.len() < KEPT {
                buffers.push(buffer);
            }
        });
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept() -> Vec<usize> {
        BUFFERS.with_borrow(|buffers| buffers.iter().map(Vec::capacity).collect())
    }

    #[test]
    fn buffers_are_reused_even_by_nested_calls() {
        let mut first = std::ptr::null();
        let mut second = std::ptr::null();
        lend(1024, |outer| {
            first = outer.as_ptr();
            lend(1024, |inner| second = inner.as_ptr());
        });
        assert_eq!(kept(), [1024, 1024]);
        assert_ne!(first, second);
        lend(1024, |buffer| assert_eq!(buffer.as_ptr(), first));
        assert_eq!(kept().len(), 2);
    }

    #[test]
    fn large_buffers_are_freed() {
        lend(KEPT_BYTES_MAX + 1, |buffer| assert_eq!(buffer.len(), KEPT_BYTES_MAX + 1));
        assert!(kept().is_empty());
    }

    #[test]
    fn no_more_than_two_are_kept() {
        lend(16, |_| lend(16, |_| lend(16, |_| ())));
        assert_eq!(kept().len(), 2);
    }
}

//! Flow-control windows (RFC 9113 sections 5.2 and 6.9).

/// Our window for each stream and for the connection: the default, so no setting has to announce it.
pub const WINDOW: u32 = 65_535;
/// A WINDOW_UPDATE is sent when it opens this much. The client has the other half meanwhile.
const UPDATE_MIN: u32 = WINDOW / 2;

/// What the client may send.
#[derive(Clone, Copy, Debug, Default)]
pub struct ReceiveWindow {
    /// Bytes received that nobody has released yet.
    held: u32,
    /// Bytes released that no WINDOW_UPDATE has given back yet.
    released: u32,
}

impl ReceiveWindow {
    /// Counts bytes received; false if they exceed the window.
    #[must_use]
    pub fn receive(&mut self, bytes: u32) -> bool {
        let fits = self.held + self.released + bytes <= WINDOW;
        if fits {
            self.held += bytes;
        }
        fits
    }

    /// Releases bytes that were received, and returns how many they were: no more than are held.
    pub fn release(&mut self, bytes: u32) -> u32 {
        let bytes = bytes.min(self.held);
        self.held -= bytes;
        self.released += bytes;
        bytes
    }

    /// The increment of the next WINDOW_UPDATE, if it is time for one.
    pub fn take_update(&mut self) -> Option<u32> {
        (self.released >= UPDATE_MIN).then(|| std::mem::take(&mut self.released))
    }

    pub fn held(&self) -> u32 {
        self.held
    }
}

/// What we may send. A setting of the client may make it negative (section 6.9.2).
#[derive(Clone, Copy, Debug)]
pub struct SendWindow(i32);

impl SendWindow {
    pub fn new(bytes: i32) -> Self {
        Self(bytes)
    }

    pub fn available(self) -> usize {
        usize::try_from(self.0).unwrap_or(0)
    }

    /// Counts bytes sent, which must be available.
    pub fn spend(&mut self, bytes: usize) {
        self.0 -= bytes as i32;
    }

    /// Changes the window; false if it exceeds what 31 bits can hold.
    #[must_use]
    pub fn change(&mut self, by: i32) -> bool {
        let changed = self.0.checked_add(by);
        self.0 = changed.unwrap_or(self.0);
        changed.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_given_back_in_halves() {
        let mut window = ReceiveWindow::default();
        assert!(window.receive(40_000) && !window.receive(25_536) && window.receive(25_535));
        assert_eq!((window.release(UPDATE_MIN - 1), window.take_update()), (UPDATE_MIN - 1, None));
        assert!(!window.receive(1), "released, but not given back");
        assert_eq!((window.release(1), window.take_update()), (1, Some(UPDATE_MIN)));
        assert_eq!((window.held(), window.release(u32::MAX)), (WINDOW - UPDATE_MIN, WINDOW - UPDATE_MIN));
        assert!(window.receive(UPDATE_MIN) && !window.receive(1));
    }

    #[test]
    fn a_send_window_may_become_negative_but_not_overflow() {
        let mut window = SendWindow::new(100);
        window.spend(60);
        assert!(window.change(-100));
        assert_eq!(window.available(), 0);
        assert!(window.change(61));
        assert_eq!(window.available(), 1);
        assert!(window.change(i32::MAX - 1) && !window.change(1));
    }
}

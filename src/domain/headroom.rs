//! How much more the rooms of a server may take.

use crate::domain::{Limits, Refusal, room::Room};

/// What the limits on all rooms together leave for one operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Headroom {
    /// One more room may be created.
    pub room: bool,
    /// Bytes of memory that rooms may still take.
    pub bytes: usize,
}

impl Headroom {
    pub fn check_new_room(self) -> Result<(), Refusal> {
        if !self.room {
            return Err(Refusal::RoomsExhausted);
        }
        self.check_growth(0, Room::COST)
    }

    /// May a room of this cost grow by `growth`?
    pub fn check_growth(self, cost: usize, growth: usize) -> Result<(), Refusal> {
        if cost + growth <= self.bytes / Limits::HEADROOM_DIVISOR { Ok(()) } else { Err(Refusal::MemoryExhausted) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_may_cost_a_sixteenth_of_the_headroom() {
        let headroom = Headroom { room: true, bytes: 16_000 };
        assert_eq!(headroom.check_growth(600, 400), Ok(()));
        assert_eq!(headroom.check_growth(600, 401), Err(Refusal::MemoryExhausted));
        assert_eq!(headroom.check_new_room(), Err(Refusal::MemoryExhausted));
        assert_eq!(Headroom { room: false, bytes: usize::MAX }.check_new_room(), Err(Refusal::RoomsExhausted));
    }
}

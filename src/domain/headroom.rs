//! What the rooms of a server leave for more.

use crate::domain::{Limits, Refusal, room::Room};

/// What all rooms of the server leave for one more thing in one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Left {
    /// There may be one more room.
    pub room: bool,
    /// They may cost so much more.
    pub bytes: usize,
}

impl Left {
    /// May there be one more room?
    pub fn check_room(self) -> Result<(), Refusal> {
        if !self.room {
            return Err(Refusal::RoomsExhausted);
        }
        self.check_share(0, Room::COST)
    }

    /// May a room that costs so much cost so much more?
    pub fn check_share(self, cost: usize, more: usize) -> Result<(), Refusal> {
        if cost + more <= self.bytes / Limits::SHARE { Ok(()) } else { Err(Refusal::MemoryExhausted) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_may_cost_a_sixteenth_of_what_is_left() {
        let left = Left { room: true, bytes: 16_000 };
        assert_eq!(left.check_share(600, 400), Ok(()));
        assert_eq!(left.check_share(600, 401), Err(Refusal::MemoryExhausted));
        assert_eq!(left.check_room(), Err(Refusal::MemoryExhausted));
        assert_eq!(Left { room: false, bytes: usize::MAX }.check_room(), Err(Refusal::RoomsExhausted));
    }
}

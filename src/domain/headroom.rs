//! How much more the rooms of a server may take, and how much of that one room, address or network may have.

use crate::domain::{Account, Limits, Refusal, room::Room};

/// What the limits on all rooms together leave for one operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Headroom {
    /// One more room may be created.
    pub room: bool,
    /// Bytes of memory that rooms may still take.
    pub bytes: usize,
    /// Bytes beyond these, for small posts alone.
    pub reserve: usize,
}

impl Headroom {
    /// What is left of the memory for rooms, if they have `taken` of it.
    pub fn new(room: bool, taken: usize, limits: &Limits) -> Self {
        let reserve = limits.rooms_bytes / Limits::RESERVE_DIVISOR;
        let left = limits.rooms_bytes.saturating_sub(taken);
        Self { room, bytes: left.saturating_sub(reserve), reserve: reserve.min(left) }
    }

    pub fn check_new_room(self, account: &Account) -> Result<(), Refusal> {
        if !self.room {
            return Err(Refusal::RoomsExhausted);
        }
        self.check_growth(account, 0, Room::COST)
    }

    /// May a room of this cost grow by `growth`, which this account has to pay?
    pub fn check_growth(self, account: &Account, cost: usize, growth: usize) -> Result<(), Refusal> {
        let fits = cost.saturating_add(growth) <= self.bytes / Limits::ROOM_DIVISOR;
        if fits && account.may_add_bytes(growth, self.bytes) { Ok(()) } else { Err(Refusal::MemoryExhausted) }
    }

    /// The same for a post. A small one may use the reserve, so that calls can be signaled when everything else is full. There,
    /// only messages are compared: the seats of a large office must not silence it.
    pub fn check_post(self, account: &Account, cost: usize, growth: usize) -> Result<(), Refusal> {
        let is_small = growth <= Limits::SMALL_POST_COST;
        if is_small && account.may_add_messages(growth, self.reserve) {
            return Ok(());
        }
        self.check_growth(account, cost, growth)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::account::Charge;

    fn holding(seats: usize, messages: usize) -> Account {
        let account = Account::default();
        account.change(Charge::default(), Charge { rooms: 1, seats, messages });
        account
    }

    #[test]
    fn a_room_may_cost_a_sixteenth_of_the_headroom() {
        let (headroom, nobody) = (Headroom { room: true, bytes: 16_000, reserve: 0 }, Account::default());
        assert_eq!(headroom.check_growth(&nobody, 600, 400), Ok(()));
        assert_eq!(headroom.check_growth(&nobody, 600, 401), Err(Refusal::MemoryExhausted));
        assert_eq!(headroom.check_new_room(&nobody), Err(Refusal::MemoryExhausted));
        let full = Headroom { room: false, bytes: usize::MAX, reserve: 0 };
        assert_eq!(full.check_new_room(&nobody), Err(Refusal::RoomsExhausted));
    }

    #[test]
    fn an_account_may_have_as_much_as_is_left() {
        let headroom = Headroom { room: true, bytes: 160_000, reserve: 0 };
        assert_eq!(headroom.check_growth(&holding(100_000, 59_000), 0, 1_000), Ok(()));
        assert_eq!(headroom.check_growth(&holding(100_000, 59_000), 0, 1_001), Err(Refusal::MemoryExhausted));
    }

    #[test]
    fn small_posts_have_a_reserve_which_no_account_takes_whole() {
        let headroom = Headroom { room: false, bytes: 0, reserve: 50_000 };
        let small = Limits::SMALL_POST_COST;
        assert_eq!(headroom.check_post(&holding(9_000_000, 50_000 - small), 9_000_000, small), Ok(()));
        let refused = Err(Refusal::MemoryExhausted);
        assert_eq!(headroom.check_post(&holding(0, 50_001 - small), 0, small), refused);
        assert_eq!(headroom.check_post(&holding(0, 0), 0, small + 1), refused);
        assert_eq!(headroom.check_growth(&holding(0, 0), 0, 1), refused);
    }

    #[test]
    fn the_reserve_is_the_last_sixteenth() {
        let limits = Limits { rooms_bytes: 16_000, ..Limits::default() };
        let left = |taken| {
            let headroom = Headroom::new(true, taken, &limits);
            (headroom.bytes, headroom.reserve)
        };
        assert_eq!([0, 15_000, 15_400, 17_000].map(left), [(15_000, 1_000), (0, 1_000), (0, 600), (0, 0)]);
    }
}

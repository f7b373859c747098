//! What each client address has caused, in all rooms together.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

use crate::domain::Limits;

/// A client's address and the network around it, as numbers that reveal neither.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Source {
    pub address: u64,
    pub network: u64,
}

/// What is charged to somebody.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Charge {
    pub rooms: usize,
    /// Bytes of rooms and peers.
    pub seats: usize,
    /// Bytes of messages and events in mailboxes.
    pub messages: usize,
}

impl Charge {
    pub fn bytes(self) -> usize {
        self.seats + self.messages
    }
}

/// What one address or one network has caused. Rooms of all shards add to it, so the figures are atomic. They are sums that do not
/// depend on each other, so `Relaxed` suffices.
#[derive(Debug, Default)]
pub struct Usage {
    rooms: AtomicUsize,
    seats: AtomicUsize,
    messages: AtomicUsize,
}

impl Usage {
    pub fn charge(&self) -> Charge {
        let load = |figure: &AtomicUsize| figure.load(Relaxed);
        Charge { rooms: load(&self.rooms), seats: load(&self.seats), messages: load(&self.messages) }
    }

    fn change(&self, before: Charge, after: Charge) {
        let change = |figure: &AtomicUsize, before: usize, after: usize| {
            if before != after {
                figure.fetch_add(after.wrapping_sub(before), Relaxed);
            }
        };
        change(&self.rooms, before.rooms, after.rooms);
        change(&self.seats, before.seats, after.seats);
        change(&self.messages, before.messages, after.messages);
    }
}

/// The usage of a [`Source`]: that of the address, and that of its network.
#[derive(Clone, Debug, Default)]
pub struct Account {
    address: Arc<Usage>,
    network: Arc<Usage>,
}

impl Account {
    pub fn new(network: Arc<Usage>) -> Self {
        Self { address: Arc::default(), network }
    }

    pub fn is(&self, other: &Account) -> bool {
        Arc::ptr_eq(&self.address, &other.address)
    }

    /// Whether any room, or anybody else, has this account.
    pub fn is_shared(&self) -> bool {
        Arc::strong_count(&self.address) > 1
    }

    pub fn charge(&self) -> Charge {
        self.address.charge()
    }

    pub fn change(&self, before: Charge, after: Charge) {
        self.address.change(before, after);
        self.network.change(before, after);
    }

    /// An account with the same figures, of which the original knows nothing.
    pub fn detached(&self) -> Self {
        let copy = |usage: &Usage| {
            let copy = Usage::default();
            copy.change(Charge::default(), usage.charge());
            Arc::new(copy)
        };
        Self { address: copy(&self.address), network: copy(&self.network) }
    }

    /// May it have another room, if `left` remain for everybody?
    pub fn may_add_room(&self, left: usize) -> bool {
        let fits = |usage: &Usage, share| {
            let rooms = usage.charge().rooms + 1;
            rooms <= Limits::ROOMS_ALWAYS || rooms <= left.saturating_mul(share)
        };
        fits(&self.address, Limits::ADDRESS_SHARE) && fits(&self.network, Limits::NETWORK_SHARE)
    }

    /// May it have `more` bytes, if `left` remain for everybody?
    pub fn may_add_bytes(&self, more: usize, left: usize) -> bool {
        self.may_add(more, left, Charge::bytes)
    }

    /// The same for messages, whatever its rooms and peers take.
    pub fn may_add_messages(&self, more: usize, left: usize) -> bool {
        self.may_add(more, left, |charge| charge.messages)
    }

    fn may_add(&self, more: usize, left: usize, held: fn(Charge) -> usize) -> bool {
        let fits = |usage: &Usage, share| held(usage.charge()).saturating_add(more) <= left.saturating_mul(share);
        fits(&self.address, Limits::ADDRESS_SHARE) && fits(&self.network, Limits::NETWORK_SHARE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holding(account: &Account, charge: Charge) {
        account.change(account.charge(), charge);
    }

    #[test]
    fn an_address_may_have_as_much_as_it_leaves_to_others() {
        let account = Account::default();
        holding(&account, Charge { rooms: 50, seats: 300, messages: 200 });
        assert!(account.may_add_bytes(100, 600) && !account.may_add_bytes(101, 600));
        assert!(account.may_add_messages(400, 600) && !account.may_add_messages(401, 600));
        assert!(account.may_add_room(51) && !account.may_add_room(50));
    }

    #[test]
    fn the_addresses_of_a_network_may_have_twice_of_what_they_leave_to_others() {
        let network = Arc::new(Usage::default());
        let accounts: Vec<Account> = std::iter::repeat_with(|| Account::new(network.clone())).take(64).collect();
        for account in &accounts {
            holding(account, Charge { rooms: 3, seats: 10, messages: 0 });
        }
        assert!(accounts[0].may_add_bytes(60, 350) && !accounts[0].may_add_bytes(61, 350));
        assert!(accounts[0].may_add_room(97) && !accounts[0].may_add_room(96));
        let stranger = Account::default();
        assert!(stranger.may_add_bytes(350, 350) && stranger.may_add_room(1));
    }

    #[test]
    fn two_rooms_are_always_allowed() {
        let account = Account::default();
        assert!(account.may_add_room(0));
        holding(&account, Charge { rooms: 1, ..Charge::default() });
        assert!(account.may_add_room(0));
        holding(&account, Charge { rooms: 2, ..Charge::default() });
        assert!(!account.may_add_room(0));
    }
}

//! Who pays for a room: its cost, divided among the accounts that have caused it.

use smallvec::SmallVec;

use crate::domain::account::{Account, Charge};

/// The payers of one room. What they owe adds up to the room's cost, and [`Payers::report`] adds it to their accounts: one
/// change of a figure for each operation, however many messages it concerned.
#[derive(Debug)]
pub struct Payers(SmallVec<[Payer; 2]>);

/// A payer in its room. Stays the same while it owes anything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PayerId(u32);

#[derive(Debug)]
struct Payer {
    /// None once it owes nothing: the next payer takes its place.
    account: Option<Account>,
    owes: Charge,
    /// What its account knows of.
    reported: Charge,
}

/// Rooms are only copied to try something out, which their accounts must not notice.
impl Clone for Payers {
    fn clone(&self) -> Self {
        let copy = |payer: &Payer| Payer { account: payer.account.as_ref().map(Account::detached), ..*payer };
        Self(self.0.iter().map(copy).collect())
    }
}

impl Payers {
    /// Of a new room, whose creator pays for the room itself.
    pub fn of_room(account: &Account, cost: usize) -> (Self, PayerId) {
        let mut payers = Self(SmallVec::new());
        let creator = payers.find_or_add(account);
        payers.owes(creator).rooms = 1;
        payers.owes(creator).seats = cost;
        (payers, creator)
    }

    pub fn find_or_add(&mut self, account: &Account) -> PayerId {
        let known = |payer: &Payer| payer.account.as_ref().is_some_and(|known| known.is(account));
        let found = self.0.iter().position(known).or_else(|| {
            let free = self.0.iter_mut().position(|payer| payer.account.is_none())?;
            self.0[free].account = Some(account.clone());
            Some(free)
        });
        let index = found.unwrap_or_else(|| {
            let (owes, reported) = (Charge::default(), Charge::default());
            self.0.push(Payer { account: Some(account.clone()), owes, reported });
            self.0.len() - 1
        });
        // Each payer has caused a peer or a message that the room still has, and there are far fewer of these.
        PayerId(u32::try_from(index).unwrap_or(u32::MAX))
    }

    pub fn account(&self, id: PayerId) -> Option<&Account> {
        self.0.get(id.0 as usize)?.account.as_ref()
    }

    pub fn owes(&mut self, id: PayerId) -> &mut Charge {
        &mut self.0[id.0 as usize].owes
    }

    /// Tells the accounts what has changed since the last time.
    pub fn report(&mut self) {
        for payer in &mut self.0 {
            if payer.owes == payer.reported {
                continue;
            }
            if let Some(account) = &payer.account {
                account.change(payer.reported, payer.owes);
            }
            payer.reported = payer.owes;
            if payer.owes == Charge::default() {
                payer.account = None;
            }
        }
    }

    /// The room has ended.
    pub fn settle(&mut self) {
        for payer in &mut self.0 {
            payer.owes = Charge::default();
        }
        self.report();
    }

    pub fn total(&self) -> usize {
        self.0.iter().map(|payer| payer.owes.bytes()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payer_that_owes_nothing_makes_place_for_another() {
        let [ann, ben, eve] = std::array::from_fn(|_| Account::default());
        let (mut payers, _) = Payers::of_room(&ann, 100);
        let first = payers.find_or_add(&ben);
        payers.owes(first).messages = 10;
        payers.report();
        assert_eq!((ann.charge().bytes(), ben.charge().bytes()), (100, 10));
        payers.owes(first).messages = 0;
        payers.report();
        assert_eq!((ben.charge(), ben.is_shared()), (Charge::default(), false));
        assert_eq!(payers.find_or_add(&eve), first);
        payers.settle();
        assert_eq!((ann.charge(), ann.is_shared()), (Charge::default(), false));
    }

    #[test]
    fn a_copy_charges_nobody() {
        let ann = Account::default();
        let (mut payers, room) = Payers::of_room(&ann, 100);
        payers.report();
        let mut copy = payers.clone();
        copy.owes(room).seats = 500;
        copy.report();
        assert_eq!(ann.charge().bytes(), 100);
    }
}

//! The accounts of all sources that have caused something.

use std::{collections::HashMap, sync::Arc};

use parking_lot::Mutex;

use crate::domain::{Account, Source, Usage};

/// One lock is enough: only joins and creations take it, and never with a shard's.
#[derive(Debug, Default)]
pub struct Accounts(Mutex<Table>);

#[derive(Debug, Default)]
struct Table {
    by_address: HashMap<u64, Account>,
    by_network: HashMap<u64, Arc<Usage>>,
    /// Accounts that nothing is charged to are removed when there are this many.
    cleanup_at: usize,
}

/// Accounts kept in any case.
const KEPT: usize = 1024;

impl Accounts {
    pub fn of(&self, source: Source) -> Account {
        let mut table = self.0.lock();
        if let Some(account) = table.by_address.get(&source.address) {
            return account.clone();
        }
        if table.by_address.len() >= table.cleanup_at.max(KEPT) {
            table.clean_up();
        }
        let network = table.by_network.entry(source.network).or_default().clone();
        let account = Account::new(network);
        table.by_address.insert(source.address, account.clone());
        account
    }
}

impl Table {
    /// Until there are twice as many, so that the work for each new account is constant.
    fn clean_up(&mut self) {
        self.by_address.retain(|_, account| account.is_shared());
        self.by_network.retain(|_, usage| Arc::strong_count(usage) > 1);
        self.cleanup_at = self.by_address.len() * 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(number: u64) -> Source {
        Source { address: number, network: number / 16 }
    }

    #[test]
    fn an_address_keeps_its_account_as_long_as_anybody_has_it() {
        let accounts = Accounts::default();
        let kept = accounts.of(source(0));
        (0..100_000).for_each(|number| drop(accounts.of(source(number))));
        assert!(accounts.of(source(0)).is(&kept));
        assert!(accounts.0.lock().by_address.len() <= KEPT, "{}", accounts.0.lock().by_address.len());
        assert!(accounts.0.lock().by_network.len() <= KEPT);
    }

    #[test]
    fn many_accounts_in_use_are_all_kept() {
        let accounts = Accounts::default();
        let kept: Vec<Account> = (0..5000).map(|number| accounts.of(source(number))).collect();
        assert!((0..5000).zip(&kept).all(|(number, account)| accounts.of(source(number)).is(account)));
        drop(kept);
        (5000..20_000).for_each(|number| drop(accounts.of(source(number))));
        assert!(accounts.0.lock().by_address.len() <= 10_000, "{}", accounts.0.lock().by_address.len());
    }
}

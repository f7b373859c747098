//! What may go wrong with messages, and the count that shows it.

/// What went wrong with messages. None of it may happen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    pub lost: u64,
    pub doubled: u64,
    pub disordered: u64,
    pub broken: u64,
}

/// The next number between a peer and another.
pub(super) fn account(accounts: &mut Vec<(usize, u32)>, other: usize) -> &mut u32 {
    let at = accounts.iter().position(|(whose, _)| *whose == other).unwrap_or_else(|| {
        accounts.push((other, 0));
        accounts.len() - 1
    });
    &mut accounts[at].1
}

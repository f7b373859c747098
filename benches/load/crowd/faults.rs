//! Counts of message faults, and the numbering that reveals them.

/// Messages that were lost, duplicated, reordered or corrupted. All counts must be zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    pub lost: u64,
    pub doubled: u64,
    pub disordered: u64,
    pub broken: u64,
}

/// The number of the next message between a peer and another one.
pub(super) fn account(accounts: &mut Vec<(usize, u32)>, other: usize) -> &mut u32 {
    let at = accounts.iter().position(|(whose, _)| *whose == other).unwrap_or_else(|| {
        accounts.push((other, 0));
        accounts.len() - 1
    });
    &mut accounts[at].1
}

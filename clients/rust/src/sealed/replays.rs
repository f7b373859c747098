//! Which numbers of sealed messages have been seen, so that none is used twice or after a later one.

use std::collections::{HashMap, VecDeque};

use crate::Why;

/// Only somebody with the key can begin an epoch, so this is a bound for defects. The oldest are forgotten.
const MAX_REPLACED: usize = 256;

/// Peers that left are not forgotten: it is the server that says so, and it may repeat their messages.
#[derive(Debug, Default)]
pub(crate) struct Replays {
    senders: HashMap<String, Sender>,
}

#[derive(Debug)]
struct Sender {
    epoch: String,
    /// The highest number, by receiver: this member, or all (empty).
    highest: HashMap<String, u64>,
    /// Epochs before this one, oldest first.
    replaced: VecDeque<String>,
}

impl Replays {
    /// Notes a number, unless it was used, or a later one was.
    pub(crate) fn check(&mut self, from: &str, to: &str, epoch: &str, number: u64) -> Result<(), Why> {
        let new = || Sender { epoch: epoch.to_owned(), highest: HashMap::new(), replaced: VecDeque::new() };
        let known = self.senders.entry(from.to_owned()).or_insert_with(new);
        if known.replaced.iter().any(|replaced| replaced == epoch) {
            return Err(Why::Outdated);
        }
        if epoch != known.epoch {
            known.replaced.push_back(std::mem::replace(&mut known.epoch, epoch.to_owned()));
            if known.replaced.len() > MAX_REPLACED {
                known.replaced.pop_front();
            }
            known.highest.clear();
        }
        let highest = known.highest.entry(to.to_owned()).or_default();
        if number <= *highest {
            return Err(Why::Repeated);
        }
        *highest = number;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_epochs_that_were_replaced_are_remembered_up_to_a_bound() {
        let mut replays = Replays::default();
        let epoch = |number: u64| format!("{number:016x}");
        for number in 0..258 {
            replays.check("ann", "ben", &epoch(number), 1).unwrap();
        }
        for number in [1, 256] {
            assert_eq!(replays.check("ann", "ben", &epoch(number), 9), Err(Why::Outdated));
        }
        assert_eq!(replays.check("ann", "ben", &epoch(0), 1), Ok(()));
    }
}

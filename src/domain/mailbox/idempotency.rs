//! Requests that may be repeated: `Idempotency-Key`, after the IETF draft "The Idempotency-Key HTTP Header Field".

use std::collections::VecDeque;

use crate::domain::{PeerId, Refusal, Seq};

/// A request's key and what it asked for, both as digests: equal keys with different requests are a client's mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keyed {
    pub key: u128,
    pub request: u128,
}

impl Keyed {
    /// Is `earlier` the same request? An equal key for another request is refused.
    pub fn repeats(self, earlier: Option<Keyed>) -> Result<bool, Refusal> {
        match earlier {
            Some(earlier) if earlier == self => Ok(true),
            Some(earlier) if earlier.key == self.key => Err(Refusal::KeyReused),
            _ => Ok(false),
        }
    }
}

/// The answers to a peer's most recent keyed posts.
#[derive(Clone, Debug, Default)]
pub struct Answers {
    /// By themselves: each post looks through all of them.
    keys: VecDeque<u128>,
    all: VecDeque<Answered>,
    /// Entries of all of them.
    places: usize,
}

#[derive(Clone, Debug)]
struct Answered {
    request: u128,
    places: Places,
}

/// Nearly all posts go to one peer.
#[derive(Clone, Debug)]
enum Places {
    One((PeerId, Seq)),
    Several(Box<[(PeerId, Seq)]>),
}

impl Answers {
    /// Entries of all answers together: a batch to everybody in a large room has thousands.
    const PLACES: usize = 4096;
    /// What one answer takes in memory besides its entries.
    const COST: usize = 160;

    pub fn earlier(&self, keyed: Keyed) -> Result<Option<&[(PeerId, Seq)]>, Refusal> {
        let seen = self.keys.iter().position(|key| *key == keyed.key);
        let Some(Answered { request, places }) = seen.and_then(|index| self.all.get(index)) else { return Ok(None) };
        let repeats = keyed.repeats(Some(Keyed { key: keyed.key, request: *request }))?;
        Ok(repeats.then(|| places.as_slice()))
    }

    /// What remembering an answer of so many entries takes in memory.
    pub fn cost_of(places: usize) -> usize {
        Self::COST + places * size_of::<(PeerId, Seq)>()
    }

    /// What they take in memory.
    pub fn cost(&self) -> usize {
        self.all.len() * Self::COST + self.places * size_of::<(PeerId, Seq)>()
    }

    pub fn remember(&mut self, keyed: Keyed, answer: &[(PeerId, Seq)], at_most: usize) {
        self.places += answer.len();
        let places = if let [place] = answer { Places::One(*place) } else { Places::Several(answer.into()) };
        self.keys.push_back(keyed.key);
        self.all.push_back(Answered { request: keyed.request, places });
        while self.all.len() > 1 && (self.all.len() > at_most || self.places > Self::PLACES) {
            self.keys.pop_front();
            self.places -= self.all.pop_front().map_or(0, |answered| answered.places.as_slice().len());
        }
    }
}

impl Places {
    fn as_slice(&self) -> &[(PeerId, Seq)] {
        match self {
            Places::One(place) => std::slice::from_ref(place),
            Places::Several(places) => places,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_answers_are_remembered_for_fewer_requests() {
        let mut answers = Answers::default();
        let keyed = |key: u128| Keyed { key, request: 0 };
        for key in 0..10 {
            answers.remember(keyed(key), &[(PeerId::from_bytes([0; 16]), Seq::START); 1000], 64);
        }
        let known = (0..10).filter(|key| answers.earlier(keyed(*key)).is_ok_and(|answer| answer.is_some())).count();
        assert_eq!(known, 4);
    }
}

//! Requests that may be repeated: `Idempotency-Key`, after the IETF draft "The Idempotency-Key HTTP Header Field".

use std::collections::VecDeque;

use super::{PeerId, Refusal, Seq};

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
pub struct Answers(VecDeque<(Keyed, Vec<(PeerId, Seq)>)>);

impl Answers {
    pub fn earlier(&self, keyed: Keyed) -> Result<Option<&[(PeerId, Seq)]>, Refusal> {
        for (seen, answer) in &self.0 {
            if keyed.repeats(Some(*seen))? {
                return Ok(Some(answer));
            }
        }
        Ok(None)
    }

    pub fn remember(&mut self, keyed: Keyed, answer: Vec<(PeerId, Seq)>, at_most: usize) {
        while self.0.len() >= at_most.max(1) {
            self.0.pop_front();
        }
        self.0.push_back((keyed, answer));
    }
}

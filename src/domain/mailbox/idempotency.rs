//! Requests that may be repeated: `Idempotency-Key`, after the IETF draft "The Idempotency-Key HTTP Header Field".

use std::collections::VecDeque;

use smallvec::SmallVec;

use crate::domain::{Limits, PeerId, Refusal, Seq};

/// A request's key and its content, both as digests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyedRequest {
    pub key: u128,
    pub request: u128,
}

impl KeyedRequest {
    /// Is `earlier` the same request? The same key with different content is refused.
    pub fn repeats(self, earlier: Option<KeyedRequest>) -> Result<bool, Refusal> {
        match earlier {
            Some(earlier) if earlier == self => Ok(true),
            Some(earlier) if earlier.key == self.key => Err(Refusal::KeyReused),
            _ => Ok(false),
        }
    }
}

/// A peer's most recent posts with a key, and where their messages went.
#[derive(Clone, Debug, Default)]
pub struct AcceptedPosts {
    /// Separate from the posts: each new post searches all keys.
    keys: VecDeque<u128>,
    posts: VecDeque<AcceptedPost>,
    /// Of all posts together.
    positions: usize,
}

#[derive(Clone, Debug)]
struct AcceptedPost {
    request: u128,
    positions: SmallVec<[(PeerId, Seq); 1]>,
}

impl AcceptedPosts {
    pub fn earlier(&self, keyed: KeyedRequest) -> Result<Option<&[(PeerId, Seq)]>, Refusal> {
        let found = self.keys.iter().position(|key| *key == keyed.key);
        let Some(AcceptedPost { request, positions }) = found.and_then(|index| self.posts.get(index)) else {
            return Ok(None);
        };
        let repeats = keyed.repeats(Some(KeyedRequest { key: keyed.key, request: *request }))?;
        Ok(repeats.then_some(positions))
    }

    pub fn cost_of(positions: usize) -> usize {
        Limits::ANSWER_COST + positions * Limits::POSITION_COST
    }

    pub fn cost(&self) -> usize {
        self.posts.len() * Limits::ANSWER_COST + self.positions * Limits::POSITION_COST
    }

    pub fn remember(&mut self, keyed: KeyedRequest, positions: &[(PeerId, Seq)], at_most: usize) {
        self.positions += positions.len();
        self.keys.push_back(keyed.key);
        self.posts.push_back(AcceptedPost { request: keyed.request, positions: positions.into() });
        while self.posts.len() > 1 && (self.posts.len() > at_most || self.positions > Limits::REMEMBERED_POSITIONS) {
            self.keys.pop_front();
            self.positions -= self.posts.pop_front().map_or(0, |post| post.positions.len());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fewer_posts_are_remembered_if_they_have_many_positions() {
        let mut posts = AcceptedPosts::default();
        let keyed = |key: u128| KeyedRequest { key, request: 0 };
        for key in 0..10 {
            posts.remember(keyed(key), &[(PeerId::from_bytes([0; 16]), Seq::START); 1000], 64);
        }
        let known = (0..10).filter(|key| posts.earlier(keyed(*key)).is_ok_and(|post| post.is_some())).count();
        assert_eq!(known, 4);
    }
}

//! The seats of a room.

use std::ops::{Index, IndexMut};

use crate::domain::room::peer::Peer;

/// Peers in the order of joining. Most rooms have two, who lie in the room itself: not to look for them elsewhere saves
/// more than anything else when there are very many rooms.
#[derive(Clone, Debug, Default)]
pub struct Seats {
    /// Filled from the left.
    first: [Option<Peer>; Self::FIRST],
    more: Vec<Peer>,
}

impl Seats {
    const FIRST: usize = 2;

    pub fn len(&self) -> usize {
        self.first.iter().flatten().count() + self.more.len()
    }

    pub fn is_empty(&self) -> bool {
        self.first[0].is_none()
    }

    pub fn iter(&self) -> impl Iterator<Item = &Peer> {
        self.first.iter().flatten().chain(&self.more)
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Peer> {
        self.first.iter_mut().flatten().chain(&mut self.more)
    }

    /// Where it sits now.
    pub fn push(&mut self, peer: Peer) -> usize {
        match self.first.iter().position(Option::is_none) {
            Some(index) => {
                self.first[index] = Some(peer);
                index
            }
            None => {
                self.more.push(peer);
                Self::FIRST + self.more.len() - 1
            }
        }
    }

    /// Those who came later move up.
    pub fn remove(&mut self, index: usize) -> Option<Peer> {
        if let Some(index) = index.checked_sub(Self::FIRST) {
            return (index < self.more.len()).then(|| self.more.remove(index));
        }
        let gone = self.first[index].take();
        self.first[index..].rotate_left(1);
        if gone.is_some() && !self.more.is_empty() {
            self.first[Self::FIRST - 1] = Some(self.more.remove(0));
        }
        gone
    }
}

impl Index<usize> for Seats {
    type Output = Peer;

    fn index(&self, index: usize) -> &Peer {
        match self.first.get(index) {
            Some(Some(peer)) => peer,
            Some(None) => unreachable!("nobody sits on {index}"),
            None => &self.more[index - Self::FIRST],
        }
    }
}

impl IndexMut<usize> for Seats {
    fn index_mut(&mut self, index: usize) -> &mut Peer {
        match self.first.get_mut(index) {
            Some(Some(peer)) => peer,
            Some(None) => unreachable!("nobody sits on {index}"),
            None => &mut self.more[index - Self::FIRST],
        }
    }
}

//! A room: its seats, the peers in them, and what all of them are told. [`Room`] is the type; joining, posting and
//! leases have files of their own.

pub(in crate::domain) mod join;
pub(in crate::domain) mod lease;
pub(in crate::domain) mod page;
pub(in crate::domain) mod peer;
pub(in crate::domain) mod post;
pub(in crate::domain) mod roster;
pub(in crate::domain) mod seats;

use std::{collections::VecDeque, sync::Arc};

use crate::domain::{
    Batch, Card, Content, CreatorId, Keyed, LeaveReason, Limits, PeerId, Refusal, Secret, Seq, Timestamp,
    deadlines::Place,
    room::{page::Page, peer::Peer, seats::Seats},
    roster_before,
};

/// How a room is to be made.
#[derive(Clone, Debug, Default)]
pub struct RoomPlan {
    pub capacity: Option<usize>,
    pub secret: Option<Secret>,
    /// Whose room token is the room's.
    pub creator: Option<CreatorId>,
    /// The request that made the room, when it can be repeated.
    pub made_by: Option<Keyed>,
    /// Made ahead, for peers still to come: it stays a while although nobody is in it.
    pub kept: bool,
}

/// What anybody may know of a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoomView {
    pub capacity: usize,
    pub occupancy: usize,
    pub locked: bool,
    pub wants_secret: bool,
    pub closed: bool,
}

/// How a mailbox is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Read {
    /// A poll has come, and will be held until then if there is nothing.
    Arriving { held_until: Option<Timestamp>, page: Option<Page> },
    /// A poll that came earlier looks again: no new sign of life of its peer. Its number is in the batch it got then.
    Again { poll: u64, page: Option<Page> },
}

#[derive(Clone, Debug)]
pub struct Room {
    pub capacity: usize,
    /// In a box, because most rooms have none.
    pub secret: Option<Box<Secret>>,
    pub locked: bool,
    pub closed: bool,
    pub kept: bool,
    /// While nobody is in it: when it ends.
    pub kept_until: Option<Timestamp>,
    pub creator: Option<CreatorId>,
    pub made_by: Option<Box<Keyed>>,
    /// At most 64, so that a search through them is cheaper than an index.
    pub peers: Seats,
    pub next_order: u64,
    /// In the index of deadlines: never later than the first of its leases ends.
    pub place: Option<Place>,
    kicked: VecDeque<PeerId>,
    /// What it takes in memory, with all that is in it. Reckoned where it changes, because many are asked for it, and the
    /// peers need not be looked at for that.
    pub(in crate::domain) cost: usize,
}

impl Room {
    /// What an empty one takes in memory, with its name, its place in the map and its deadline.
    pub const COST: usize = 1024;

    pub fn new(plan: RoomPlan, limits: &Limits) -> Result<Self, Refusal> {
        Ok(Self {
            capacity: limits.seats(plan.capacity)?,
            secret: plan.secret.map(Box::new),
            locked: false,
            closed: false,
            kept: plan.kept,
            kept_until: None,
            creator: plan.creator,
            made_by: plan.made_by.map(Box::new),
            peers: Seats::default(),
            next_order: 1,
            place: None,
            kicked: VecDeque::new(),
            cost: Self::COST,
        })
    }

    pub fn view(&self) -> RoomView {
        RoomView {
            capacity: self.capacity,
            occupancy: self.peers.len(),
            locked: self.locked,
            wants_secret: self.secret.is_some(),
            closed: self.closed,
        }
    }

    /// What it takes in memory, with all that is in it.
    pub fn cost(&self) -> usize {
        debug_assert_eq!(self.cost, self.reckon_cost());
        self.cost
    }

    fn reckon_cost(&self) -> usize {
        let peers: usize = self.peers.iter().map(Peer::cost).sum();
        Self::COST + self.kicked.len() * size_of::<PeerId>() + peers
    }

    pub fn position(&self, id: PeerId) -> Option<usize> {
        self.peers.iter().position(|peer| peer.id == id)
    }

    pub fn was_kicked(&self, id: PeerId) -> bool {
        self.kicked.contains(&id)
    }

    /// The member that asks for something; any request of it renews its lease.
    pub fn member(&mut self, now: Timestamp, id: PeerId, limits: &Limits) -> Result<usize, Refusal> {
        let index = self.seat(id)?;
        if !self.closed {
            self.peers[index].lease.renew(now, limits.lease);
        }
        Ok(index)
    }

    /// Where a member sits.
    pub fn seat(&self, id: PeerId) -> Result<usize, Refusal> {
        let gone = || if self.was_kicked(id) { Refusal::Kicked } else { Refusal::PeerGone };
        self.position(id).ok_or_else(gone)
    }

    /// Whether the holder of this room token made this room.
    pub fn check_creator(&self, shown: CreatorId) -> Result<(), Refusal> {
        if self.creator == Some(shown) { Ok(()) } else { Err(Refusal::NotCreator) }
    }

    pub fn others(&self, id: PeerId) -> Vec<Arc<Card>> {
        self.peers.iter().filter(|peer| peer.id != id).map(|peer| peer.card.clone()).collect()
    }

    /// The others as they were at this peer's acknowledged cursor.
    pub fn others_at_cursor(&self, index: usize) -> Vec<Arc<Card>> {
        let peer = &self.peers[index];
        roster_before(self.others(peer.id), peer.mailbox.messages().map(|message| &message.content))
    }

    /// Puts an event into every mailbox and returns whom to wake.
    pub fn tell_all(&mut self, now: Timestamp, content: &Content) -> Vec<PeerId> {
        for peer in self.peers.iter_mut() {
            self.cost += content.cost();
            peer.mailbox.put(now, content.clone());
        }
        self.peers.iter().map(|peer| peer.id).collect()
    }

    /// Takes a peer off its seat, tells the others, and returns who has gone and whom to wake: them, and the peer that was
    /// removed, whose parked poll must not wait for a mailbox that is gone.
    pub fn remove(&mut self, now: Timestamp, index: usize, reason: LeaveReason) -> Option<(PeerId, Vec<PeerId>)> {
        let gone = self.peers.remove(index)?;
        self.cost -= gone.cost();
        if reason == LeaveReason::Kicked {
            if self.kicked.len() >= Limits::KICKED_REMEMBERED {
                self.kicked.pop_front();
            } else {
                self.cost += size_of::<PeerId>();
            }
            self.kicked.push_back(gone.id);
        }
        let mut wake = Vec::new();
        if !self.closed {
            wake = self.tell_all(now, &Content::PeerLeft { peer: gone.card.clone(), reason });
        }
        wake.push(gone.id);
        Some((gone.id, wake))
    }

    /// Reads a member's mailbox.
    pub fn read(
        &mut self,
        now: Timestamp,
        index: usize,
        after: Option<Seq>,
        read: Read,
        limits: &Limits,
    ) -> Result<Batch, Refusal> {
        let closed = self.closed;
        let peer = &mut self.peers[index];
        let (Read::Arriving { page, .. } | Read::Again { page, .. }) = read;
        if let Some(page) = page
            && *peer.page.get_or_insert(page) != page
        {
            return Err(Refusal::PollSuperseded);
        }
        match read {
            Read::Again { poll, .. } if poll == peer.polls => {}
            Read::Again { page: None, .. } => return Err(Refusal::PollSuperseded),
            // Sent again by somebody on the way: whichever of the answers arrives, the page just asks again.
            Read::Again { .. } => return Ok(peer.mailbox.nothing(after)),
            Read::Arriving { .. } => {}
        }
        let cost = peer.mailbox.cost();
        let mut batch = peer.mailbox.read(after)?;
        self.cost -= cost - peer.mailbox.cost();
        if matches!(read, Read::Arriving { .. }) {
            peer.polls += 1;
        }
        batch.poll = Some(peer.polls);
        match read {
            _ if !batch.messages.is_empty() => peer.lease.release(now),
            Read::Arriving { held_until: Some(until), .. } if !closed => peer.lease.hold(now, until, limits.lease),
            Read::Arriving { .. } | Read::Again { .. } => {}
        }
        Ok(batch)
    }
}

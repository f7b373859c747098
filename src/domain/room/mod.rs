//! A room: its peers, and the events that all of them receive. [`Room`] is the type; joins, posts and leases have files of
//! their own.

pub(in crate::domain) mod join;
pub(in crate::domain) mod lease;
pub(in crate::domain) mod page;
pub(in crate::domain) mod peer;
pub(in crate::domain) mod post;
pub(in crate::domain) mod roster;

use std::{collections::VecDeque, sync::Arc};

use smallvec::SmallVec;

use crate::domain::{
    Account, Batch, Card, Content, CreatorId, KeyedRequest, LeaveReason, Limits, PeerId, Refusal, Secret, Seq, Source,
    Subject, Timestamp,
    deadlines::Deadline,
    payers::{PayerId, Payers},
    room::{page::Page, peer::Peer},
    roster_before,
};

/// How a room is to be created.
#[derive(Clone, Debug, Default)]
pub struct RoomPlan {
    pub capacity: Option<usize>,
    pub secret: Option<Secret>,
    /// The request that creates the room, if it can be repeated.
    pub made_by: Option<KeyedRequest>,
    /// Created ahead of its first join: it stays for a while although it is empty.
    pub kept: bool,
    /// Where the request came from.
    pub source: Source,
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
    /// By a new poll, which shows that the peer lives. It will be held until `held_until` if the mailbox is empty.
    NewPoll { held_until: Option<Timestamp>, page: Option<Page> },
    /// Again, by a parked poll: `poll` is its number, from the batch of its first read.
    Reread { poll: u64, page: Option<Page> },
}

/// Whom the creator has removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Banned {
    Peer(PeerId),
    Subject(Subject),
}

#[derive(Clone, Debug)]
pub struct Room {
    pub capacity: usize,
    /// Boxed, because most rooms have none.
    pub secret: Option<Box<Secret>>,
    pub locked: bool,
    pub closed: bool,
    pub kept: bool,
    /// When it ends, while it is empty.
    pub kept_until: Option<Timestamp>,
    pub creator: CreatorId,
    pub made_by: Option<Box<KeyedRequest>>,
    /// In the order of joining. At most 64, so a linear search is cheaper than an index. Most rooms have two, which are
    /// stored in the room itself: that saves a cache miss.
    pub peers: SmallVec<[Peer; 2]>,
    pub next_order: u64,
    /// Never later than the end of the first lease.
    pub deadline: Option<Deadline>,
    banned: VecDeque<Banned>,
    /// Who has caused what of the cost.
    pub payers: Payers,
    /// Who pays for the room itself: its creator.
    payer: PayerId,
    /// Kept up to date where it changes: it is asked for with every operation, and need not visit the peers.
    cost: usize,
}

impl Room {
    /// The cost of an empty room.
    pub const COST: usize = Limits::ROOM_COST;

    pub fn new(plan: RoomPlan, creator: CreatorId, account: &Account, limits: &Limits) -> Result<Self, Refusal> {
        let capacity = limits.seats(plan.capacity)?;
        let (payers, payer) = Payers::of_room(account, Self::COST);
        Ok(Self {
            capacity,
            secret: plan.secret.map(Box::new),
            locked: false,
            closed: false,
            kept: plan.kept,
            kept_until: None,
            creator,
            made_by: plan.made_by.map(Box::new),
            peers: SmallVec::new(),
            next_order: 1,
            deadline: None,
            banned: VecDeque::new(),
            payers,
            payer,
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

    /// Bytes of memory that it takes with everything in it, as estimated.
    pub fn cost(&self) -> usize {
        debug_assert_eq!(self.cost, self.compute_cost());
        debug_assert_eq!(self.cost, self.payers.total());
        self.cost
    }

    fn compute_cost(&self) -> usize {
        let peers: usize = self.peers.iter().map(Peer::cost).sum();
        Self::COST + self.banned.len() * size_of::<Banned>() + peers
    }

    pub fn position(&self, id: PeerId) -> Option<usize> {
        self.peers.iter().position(|peer| peer.id == id)
    }

    pub fn is_banned(&self, whom: Banned) -> bool {
        self.banned.contains(&whom)
    }

    fn ban(&mut self, whom: Banned) {
        // A subject with many seats must not displace others.
        if self.is_banned(whom) {
            return;
        }
        if self.banned.len() >= Limits::KICKED_REMEMBERED {
            self.banned.pop_front();
        } else {
            self.cost += size_of::<Banned>();
            self.payers.owes(self.payer).seats += size_of::<Banned>();
        }
        self.banned.push_back(whom);
    }

    /// The seat of a member that makes a request, which renews its lease.
    pub fn member(&mut self, now: Timestamp, id: PeerId, limits: &Limits) -> Result<usize, Refusal> {
        let index = self.seat(id)?;
        if !self.closed {
            self.peers[index].lease.renew(now, limits.lease);
        }
        Ok(index)
    }

    /// The index of a member in `peers`.
    pub fn seat(&self, id: PeerId) -> Result<usize, Refusal> {
        let gone = || if self.is_banned(Banned::Peer(id)) { Refusal::Kicked } else { Refusal::PeerGone };
        self.position(id).ok_or_else(gone)
    }

    /// The other peers as of this peer's acknowledged cursor.
    pub fn others_at_cursor(&self, index: usize) -> Vec<Arc<Card>> {
        let peer = &self.peers[index];
        let others = self.peers.iter().filter(|other| other.id != peer.id).map(|other| other.card.clone());
        roster_before(others.collect(), peer.mailbox.messages().map(|message| &message.content))
    }

    /// Puts an event into every mailbox.
    pub fn broadcast(&mut self, now: Timestamp, content: &Content, payer: PayerId, wake: &mut Vec<PeerId>) {
        for peer in &mut self.peers {
            self.cost += content.cost();
            self.payers.owes(payer).messages += content.cost();
            peer.mailbox.put(now, content.clone(), payer);
            wake.push(peer.id);
        }
    }

    /// Tells every member that the room is closed.
    pub fn announce_end(&mut self, now: Timestamp, wake: &mut Vec<PeerId>) {
        self.broadcast(now, &Content::RoomClosed, self.payer, wake);
    }

    /// Removes a peer and tells the others. Its own poll is woken too: the mailbox that it waits for is gone.
    pub fn remove(&mut self, now: Timestamp, index: usize, reason: LeaveReason, wake: &mut Vec<PeerId>) -> PeerId {
        let gone = self.peers.remove(index);
        self.cost -= gone.cost();
        self.payers.owes(gone.payer).seats -= gone.cost() - gone.mailbox.cost();
        for (payer, cost) in gone.mailbox.charges() {
            self.payers.owes(payer).messages -= cost;
        }
        if reason == LeaveReason::Kicked {
            self.ban(Banned::Peer(gone.id));
            if let Some(subject) = gone.subject {
                self.ban(Banned::Subject(subject));
            }
        }
        if !self.closed {
            self.broadcast(now, &Content::PeerLeft { peer: gone.card, reason }, gone.payer, wake);
        }
        wake.push(gone.id);
        gone.id
    }

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
        let (Read::NewPoll { page, .. } | Read::Reread { page, .. }) = read;
        if let Some(page) = page
            && *peer.page.get_or_insert(page) != page
        {
            return Err(Refusal::PollSuperseded);
        }
        match read {
            Read::Reread { poll, .. } if poll == peer.polls => {}
            Read::Reread { page: None, .. } => return Err(Refusal::PollSuperseded),
            // A proxy has repeated the poll. Whichever response arrives, the page just polls again.
            Read::Reread { .. } => return Ok(peer.mailbox.empty_batch(after)),
            Read::NewPoll { .. } => {}
        }
        let (total, payers) = (&mut self.cost, &mut self.payers);
        let mut batch = peer.mailbox.read(after, |payer, cost| {
            *total -= cost;
            payers.owes(payer).messages -= cost;
        })?;
        if matches!(read, Read::NewPoll { .. }) {
            peer.polls += 1;
        }
        batch.poll = Some(peer.polls);
        match read {
            _ if !batch.messages.is_empty() => peer.lease.release(now),
            Read::NewPoll { held_until: Some(until), .. } if !closed => peer.lease.hold(now, until, limits.lease),
            Read::NewPoll { .. } | Read::Reread { .. } => {}
        }
        Ok(batch)
    }
}

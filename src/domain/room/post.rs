//! Putting messages into mailboxes: the whole post, or nothing of it.

use crate::domain::{
    Content, Headroom, KeyedRequest, Limits, Message, Payload, PeerId, Refusal, Seq, Timestamp,
    mailbox::idempotency::AcceptedPosts,
    room::{Room, peer::Peer},
};

#[derive(Clone, Debug)]
pub struct Post {
    pub targets: Vec<Target>,
    pub keyed: Option<KeyedRequest>,
}

/// One message and its addressee; without one it goes to all other peers.
#[derive(Clone, Debug)]
pub struct Target {
    pub to: Option<PeerId>,
    pub payload: Payload,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// The mailbox and the number that each copy got, in the order of the post.
    pub positions: Vec<(PeerId, Seq)>,
    /// An earlier request with the same key had this result; nothing was done now.
    pub repeated: bool,
    /// The bytes of all copies.
    pub bytes: usize,
    /// Messages in the fullest of the mailboxes concerned.
    pub fullest: usize,
}

impl Room {
    pub fn post(
        &mut self,
        now: Timestamp,
        from: PeerId,
        post: Post,
        limits: &Limits,
        headroom: Headroom,
    ) -> Result<Accepted, Refusal> {
        let sender = self.member(now, from, limits)?;
        if let Some(keyed) = post.keyed
            && let Some(posts) = &self.peers[sender].accepted_posts
            && let Some(positions) = posts.earlier(keyed)?
        {
            return Ok(Accepted { positions: positions.to_vec(), repeated: true, bytes: 0, fullest: 0 });
        }
        if self.closed {
            return Err(Refusal::RoomClosed);
        }
        self.check_mailboxes(from, &post.targets, limits)?;
        let payer = self.peers[sender].payer;
        let account = self.payers.account(payer).ok_or(Refusal::PeerGone)?;
        headroom.check_post(account, self.cost(), self.cost_of_post(&post))?;

        let mut positions = Vec::with_capacity(post.targets.len());
        let (mut bytes, mut fullest) = (0, 0);
        for Target { to, payload } in post.targets {
            let content = Content::Relayed { from, payload };
            let mut put = |peer: &mut Peer, content: Content| {
                bytes += content.bytes();
                self.cost += content.cost();
                self.payers.owes(payer).messages += content.cost();
                positions.push((peer.id, peer.mailbox.put(now, content, payer)));
                fullest = fullest.max(peer.mailbox.len());
            };
            let Some(to) = to else {
                let others = self.peers.iter_mut().filter(|peer| peer.id != from);
                others.for_each(|peer| put(peer, content.clone()));
                continue;
            };
            if let Some(peer) = self.peers.iter_mut().find(|peer| peer.id == to) {
                put(peer, content);
            }
        }
        if let Some(keyed) = post.keyed {
            let posts = self.peers[sender].accepted_posts.get_or_insert_default();
            let before = posts.cost();
            posts.remember(keyed, &positions, limits.idempotency_keys);
            let seats = &mut self.payers.owes(payer).seats;
            *seats = *seats + posts.cost() - before;
            self.cost = self.cost + posts.cost() - before;
        }
        Ok(Accepted { positions, repeated: false, bytes, fullest })
    }

    fn cost_of_post(&self, post: &Post) -> usize {
        let copies = |target: &Target| if target.to.is_some() { 1 } else { self.peers.len() - 1 };
        let messages: usize =
            post.targets.iter().map(|target| copies(target) * Message::cost_of(target.payload.len())).sum();
        let positions: usize = post.targets.iter().map(copies).sum();
        messages + post.keyed.map_or(0, |_| AcceptedPosts::cost_of(positions))
    }

    /// Every addressee is present, and every mailbox has room for its part of the whole post.
    fn check_mailboxes(&self, from: PeerId, targets: &[Target], limits: &Limits) -> Result<(), Refusal> {
        if let [Target { to: Some(to), payload }] = targets {
            let index = self.position(*to).ok_or(Refusal::PeerUnknown { peer: *to })?;
            return self.peers[index].check_mailbox(1, payload.len(), limits);
        }
        for target in targets {
            if let Some(peer) = target.to.filter(|to| self.position(*to).is_none()) {
                return Err(Refusal::PeerUnknown { peer });
            }
        }
        self.peers.iter().try_for_each(|peer| {
            let part = targets.iter().filter(|target| target.to.map_or(peer.id != from, |to| to == peer.id));
            let (messages, bytes) =
                part.fold((0, 0), |(messages, bytes), target| (messages + 1, bytes + target.payload.len()));
            if messages > 0 { peer.check_mailbox(messages, bytes, limits) } else { Ok(()) }
        })
    }
}

impl Peer {
    fn check_mailbox(&self, messages: usize, bytes: usize, limits: &Limits) -> Result<(), Refusal> {
        if messages > limits.mailbox_messages || bytes > limits.mailbox_bytes {
            return Err(Refusal::NeverFits);
        }
        let fits = self.mailbox.has_room_for(messages, bytes, limits);
        if fits { Ok(()) } else { Err(Refusal::MailboxFull { peer: self.id }) }
    }
}

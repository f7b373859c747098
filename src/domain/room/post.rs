//! Putting messages into mailboxes: all of a post, or nothing of it.

use crate::domain::{
    Content, Keyed, Limits, Message, Payload, PeerId, Refusal, Seq, Timestamp,
    headroom::Left,
    mailbox::idempotency::Answers,
    room::{Room, peer::Peer},
};

#[derive(Clone, Debug)]
pub struct Post {
    pub targets: Vec<Target>,
    pub keyed: Option<Keyed>,
}

/// One message and whom it is for; nobody named means all the others.
#[derive(Clone, Debug)]
pub struct Target {
    pub to: Option<PeerId>,
    pub payload: Payload,
}

/// Where each message went, in the order of the post; those are to be woken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    pub places: Vec<(PeerId, Seq)>,
    /// An earlier request with the same key was answered so; nothing happened now.
    pub repeated: bool,
    /// What was accepted, in bytes, each copy counted.
    pub bytes: usize,
    /// Messages in the fullest of the mailboxes concerned.
    pub fullest: usize,
}

impl Room {
    /// `left` is what all rooms together may still cost.
    pub fn post(
        &mut self,
        now: Timestamp,
        from: PeerId,
        post: Post,
        limits: &Limits,
        left: Left,
    ) -> Result<Accepted, Refusal> {
        let sender = self.member(now, from, limits)?;
        if let Some(keyed) = post.keyed
            && let Some(answers) = &self.peers[sender].answers
            && let Some(places) = answers.earlier(keyed)?
        {
            return Ok(Accepted { places: places.to_vec(), repeated: true, bytes: 0, fullest: 0 });
        }
        if self.closed {
            return Err(Refusal::RoomClosed);
        }
        self.check_room_for(from, &post.targets, limits)?;
        left.check_share(self.cost(), self.cost_of_post(from, &post))?;

        let mut places = Vec::with_capacity(post.targets.len());
        let (mut bytes, mut fullest) = (0, 0);
        for Target { to, payload } in post.targets {
            let content = Content::Relayed { from, payload };
            let mut put = |peer: &mut Peer, content: Content| {
                bytes += content.bytes();
                self.cost += content.cost();
                places.push((peer.id, peer.mailbox.put(now, content)));
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
            let answers = self.peers[sender].answers.get_or_insert_default();
            self.cost -= answers.cost();
            answers.remember(keyed, &places, limits.idempotency_keys);
            self.cost += answers.cost();
        }
        Ok(Accepted { places, repeated: false, bytes, fullest })
    }

    fn cost_of_post(&self, from: PeerId, post: &Post) -> usize {
        let copies = |target: &Target| {
            if target.to.is_some() { 1 } else { self.peers.len() - usize::from(self.position(from).is_some()) }
        };
        let messages: usize =
            post.targets.iter().map(|target| copies(target) * Message::cost_of(target.payload.len())).sum();
        let places: usize = post.targets.iter().map(copies).sum();
        messages + post.keyed.map_or(0, |_| Answers::cost_of(places))
    }

    /// Everybody who is addressed is here, and every mailbox takes its share of the whole post.
    fn check_room_for(&self, from: PeerId, targets: &[Target], limits: &Limits) -> Result<(), Refusal> {
        if let [Target { to: Some(to), payload }] = targets {
            let index = self.position(*to).ok_or(Refusal::PeerUnknown { peer: *to })?;
            return self.peers[index].check_room_for(1, payload.len(), limits);
        }
        for target in targets {
            if let Some(peer) = target.to.filter(|to| self.position(*to).is_none()) {
                return Err(Refusal::PeerUnknown { peer });
            }
        }
        self.peers.iter().try_for_each(|peer| {
            let share = targets.iter().filter(|target| is_for(target.to, from, peer.id));
            let (messages, bytes) =
                share.fold((0, 0), |(messages, bytes), target| (messages + 1, bytes + target.payload.len()));
            if messages > 0 { peer.check_room_for(messages, bytes, limits) } else { Ok(()) }
        })
    }
}

impl Peer {
    /// Whether its mailbox takes so much more.
    fn check_room_for(&self, messages: usize, bytes: usize, limits: &Limits) -> Result<(), Refusal> {
        if messages > limits.mailbox_messages || bytes > limits.mailbox_bytes {
            return Err(Refusal::NeverFits);
        }
        let fits = self.mailbox.has_room_for(messages, bytes, limits);
        if fits { Ok(()) } else { Err(Refusal::MailboxFull { peer: self.id }) }
    }
}

fn is_for(to: Option<PeerId>, from: PeerId, peer: PeerId) -> bool {
    to.map_or(peer != from, |to| to == peer)
}

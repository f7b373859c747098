//! Putting messages into mailboxes: all of a post, or nothing of it.

use super::{
    Content, Keyed, Limits, Message, Payload, PeerId, Refusal, Seq, Timestamp, idempotency::Answers, left::Left,
    room::Room,
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

/// Where each message went, in the order of the post.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    pub places: Vec<(PeerId, Seq)>,
    /// An earlier request with the same key was answered so; nothing happened now.
    pub repeated: bool,
    /// What was accepted, in bytes, each copy counted.
    pub bytes: usize,
    /// Messages in the fullest of the mailboxes concerned.
    pub fullest: usize,
    pub wake: Vec<PeerId>,
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
            && let Some(places) = self.peers[sender].answers.earlier(keyed)?
        {
            return Ok(Accepted { places: places.to_vec(), repeated: true, bytes: 0, fullest: 0, wake: Vec::new() });
        }
        if self.closed {
            return Err(Refusal::RoomClosed);
        }
        self.check_room_for(from, &post.targets, limits)?;
        left.check_share(self.cost(), self.cost_of_post(from, &post))?;

        let mut places = Vec::with_capacity(post.targets.len());
        let (mut bytes, mut fullest) = (0, 0);
        for target in post.targets {
            for peer in &mut self.peers {
                if is_for(target.to, from, peer.id) {
                    let content = Content::Relayed { from, payload: target.payload.clone() };
                    places.push((peer.id, peer.mailbox.put(now, content)));
                    bytes += target.payload.len();
                    fullest = fullest.max(peer.mailbox.len());
                }
            }
        }
        if let Some(keyed) = post.keyed {
            self.peers[sender].answers.remember(keyed, places.clone(), limits.idempotency_keys);
        }
        let mut wake: Vec<PeerId> = places.iter().map(|(peer, _)| *peer).collect();
        wake.dedup();
        Ok(Accepted { places, repeated: false, bytes, fullest, wake })
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
        for target in targets {
            if let Some(peer) = target.to.filter(|to| self.position(*to).is_none()) {
                return Err(Refusal::PeerUnknown { peer });
            }
        }
        for peer in &self.peers {
            let id = peer.id;
            let share = targets.iter().filter(|target| is_for(target.to, from, id));
            let (messages, bytes) =
                share.fold((0, 0), |(messages, bytes), target| (messages + 1, bytes + target.payload.len()));
            if messages > limits.mailbox_messages || bytes > limits.mailbox_bytes {
                return Err(Refusal::NeverFits);
            }
            if messages > 0 && !peer.mailbox.has_room_for(messages, bytes, limits) {
                return Err(Refusal::MailboxFull { peer: id });
            }
        }
        Ok(())
    }
}

fn is_for(to: Option<PeerId>, from: PeerId, peer: PeerId) -> bool {
    to.map_or(peer != from, |to| to == peer)
}

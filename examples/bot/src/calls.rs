//! One link for each peer.

use std::collections::HashMap;
use std::sync::Arc;

use signalpost_client::{Event, Events, Peer, Room, Signal, State};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use crate::link::{self, Order, Setup};

pub struct Calls {
    room: Room,
    setup: Setup,
    /// By the peer's id. A link ends when this end of its channel is dropped.
    links: HashMap<String, UnboundedSender<Order>>,
}

impl Calls {
    pub fn new(room: Room, setup: Setup) -> Self {
        Self { room, setup, links: HashMap::new() }
    }

    /// Until the room ends.
    pub async fn run(mut self, mut events: Events) -> State {
        // A newcomer offers to those who are there.
        for peer in self.room.peers().into_iter().filter(|peer| !calls_by_whip(peer)) {
            self.order(&peer, Order::Offer);
        }
        while let Some(event) = events.next().await {
            match event {
                Event::Message(message) => {
                    if let Some(peer) = message.peer.filter(|peer| !calls_by_whip(peer)) {
                        self.heard(&peer, message.signal);
                    }
                }
                Event::PeerJoined(peer) => {
                    println!("{} is here", peer.name);
                    if !calls_by_whip(&peer) {
                        self.order(&peer, Order::Expect);
                    }
                }
                Event::PeerLeft { peer, .. } => {
                    println!("{} has left", peer.name);
                    self.links.remove(&peer.id);
                }
                // These peers came back before this one did, so what was said to them may be lost.
                Event::Resumed { lost: true, roster, .. } => {
                    for peer in roster.into_iter().filter(|peer| !calls_by_whip(peer)) {
                        self.order(&peer, Order::OfferUnlessConnected);
                    }
                }
                Event::State { state, .. } => println!("room: {state}"),
                _ => {}
            }
        }
        self.room.state()
    }

    fn heard(&mut self, peer: &Arc<Peer>, signal: Signal) {
        match signal {
            Signal::Data(_) => {}
            Signal::Bye(_) => drop(self.links.remove(&peer.id)),
            signal => self.order(peer, Order::Take(signal)),
        }
    }

    fn order(&mut self, peer: &Arc<Peer>, order: Order) {
        let (room, setup) = (self.room.clone(), self.setup);
        let start = || {
            let (orders, given) = unbounded_channel();
            let peer = peer.clone();
            tokio::spawn(async move {
                let name = peer.name.clone();
                if let Err(error) = link::run(room, peer, setup, given).await {
                    println!("the link with {name} has ended: {error}");
                }
            });
            orders
        };
        // A link that has failed is begun anew.
        if self.links.get(&peer.id).is_none_or(UnboundedSender::is_closed) {
            self.links.insert(peer.id.clone(), start());
        }
        if let Some(link) = self.links.get(&peer.id) {
            let _ = link.send(order);
        }
    }
}

/// An encoder or player (docs/whip.md). It wants a picture or has one, and of those who are there calls the first who answers: that is
/// for people. Only the server gives ids of this version.
fn calls_by_whip(peer: &Peer) -> bool {
    peer.metadata["whip"].is_string() && peer.id.as_bytes().get(14) == Some(&b'8')
}

//! Which node's relay a room uses. Packets do not travel between nodes, so all members must use the same.
//!
//! Each node tells the others, through the engine, under which name its relay is reached. A room's relay is chosen by rendezvous
//! hashing (Thaler and Ravishankar 1998) among those alive: all nodes choose the same, and if one dies, only its rooms move.

use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use twox_hash::XxHash3_64;

use crate::{domain::RoomName, engine::Engine};

/// How often a node says that it is alive, and how long that holds.
const INTERVAL: Duration = Duration::from_secs(2);
const LIFETIME: Duration = Duration::from_secs(7);

#[derive(Debug)]
pub struct RelayNodes {
    /// This node's own.
    own: String,
    /// Those that were alive when the engine was last asked.
    alive: ArcSwap<Vec<String>>,
}

impl RelayNodes {
    pub fn new(own: String) -> Self {
        Self { alive: ArcSwap::from_pointee(vec![own.clone()]), own }
    }

    /// The host, and perhaps port, of the relay for a room.
    pub fn of(&self, room: &RoomName) -> String {
        let alive = self.alive.load();
        let chosen = alive.iter().max_by_key(|host| (weight(host, room), *host));
        chosen.unwrap_or(&self.own).clone()
    }

    /// Says that this node is alive, and learns of the others, until it drains.
    pub async fn follow(&self, engine: &Engine) {
        while !engine.is_draining() {
            self.announce(engine, LIFETIME).await;
            tokio::time::sleep(INTERVAL).await;
        }
    }

    /// Says that rooms should use other nodes.
    pub async fn leave(&self, engine: &Engine) {
        self.announce(engine, Duration::ZERO).await;
    }

    async fn announce(&self, engine: &Engine, lifetime: Duration) {
        // While the engine does not answer, what was known holds.
        if let Ok(alive) = engine.relays(&self.own, lifetime).await {
            self.alive.store(Arc::new(alive));
        }
    }
}

fn weight(host: &str, room: &RoomName) -> u64 {
    XxHash3_64::oneshot_with_seed(XxHash3_64::oneshot(host.as_bytes()), room.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nodes(own: &str, alive: &[&str]) -> RelayNodes {
        let nodes = RelayNodes::new(own.into());
        nodes.alive.store(Arc::new(alive.iter().map(|host| (*host).to_owned()).collect()));
        nodes
    }

    fn rooms() -> impl Iterator<Item = RoomName> {
        (0..3000).map(|number| RoomName::parse(&format!("room-{number}")).unwrap())
    }

    #[test]
    fn all_nodes_choose_the_same_relay_and_share_the_rooms() {
        let (one, other) = (nodes("a", &["a", "b", "c"]), nodes("b", &["c", "b", "a"]));
        for room in rooms() {
            assert_eq!(one.of(&room), other.of(&room));
        }
        for host in ["a", "b", "c"] {
            let share = rooms().filter(|room| one.of(room) == host).count();
            assert!((850..1150).contains(&share), "{share} of 3,000 rooms at {host}");
        }
    }

    #[test]
    fn when_a_node_dies_only_its_rooms_move() {
        let (before, after) = (nodes("a", &["a", "b", "c"]), nodes("a", &["a", "c"]));
        let moved = rooms().filter(|room| before.of(room) != after.of(room));
        assert!(moved.into_iter().all(|room| before.of(&room) == "b"));
        assert_eq!(nodes("a", &[]).of(&RoomName::parse("tea").unwrap()), "a");
    }
}

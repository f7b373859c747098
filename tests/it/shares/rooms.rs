//! Memory for rooms, and their number.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use futures_util::future::join_all;
use reqwest::Client;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use crate::support::{
    harness::Peer,
    neighborhood::{ATTACKER, Couple, Neighborhood, STRANGER, attackers},
};

/// How many messages of which size a batch to a hoarder itself has.
type Batches = &'static [(usize, usize)];

const EVER_SMALLER: Batches = &[(4, 50_000), (40, 5_000), (40, 500), (10, 50), (1, 1)];

/// Everybody who hoards: takes all that can be had for an address and keeps it, as fast as the server's rate limits allow.
struct Hoarders<'a> {
    server: &'a Neighborhood,
    batches: Batches,
    refused: AtomicBool,
    stop: AtomicBool,
    /// Requests at once, or this test's thread would have no time for others.
    turns: Semaphore,
}

impl Hoarders<'_> {
    /// Creates rooms, and fills in each its own mailbox.
    async fn hoard(&self, client: Client, name: String) {
        let mut seats: Vec<Peer> = Vec::new();
        for number in 0.. {
            if self.stop.load(Relaxed) {
                return;
            }
            let turn = self.turns.acquire().await.unwrap();
            let joined = self.server.join(&client, &format!("{name}-{number}"), json!({})).await;
            drop(turn);
            match joined {
                Ok(seat) => {
                    self.stuff(&seat).await;
                    seats.push(seat);
                }
                Err(answer) => {
                    if answer.status != 429 {
                        let kind = answer.expect(503)["type"].as_str().unwrap().to_owned();
                        assert!(
                            ["/problems/memory-exhausted", "/problems/rooms-exhausted"].contains(&&*kind),
                            "{kind}"
                        );
                        self.refused.store(true, Relaxed);
                    }
                    // Keeps a lease, and tries what room there is by now.
                    if let Some(seat) = seats.get(number % seats.len().max(1)) {
                        self.stuff(seat).await;
                    }
                }
            }
        }
    }

    async fn stuff(&self, seat: &Peer) {
        for (count, size) in self.batches {
            let message = json!({"to": seat.id, "type": "data", "data": "x".repeat(*size)});
            let batch = Value::from(vec![message; *count]);
            while !self.stop.load(Relaxed) {
                let _turn = self.turns.acquire().await.unwrap();
                if seat.batch(batch.clone()).await.status != 202 {
                    break;
                }
            }
        }
    }
}

/// A call that runs, and calls that begin, while these addresses hoard: all succeed, before and after the attackers are refused.
pub async fn calls_go_on_while(flags: &[&str], batches: Batches, addresses: Vec<String>) {
    let server = &Neighborhood::start(flags).await;
    let stranger = server.client(STRANGER);
    let mut running = Couple::meet(server, &stranger, "running").await;
    let (refused, stop, turns) = (AtomicBool::default(), AtomicBool::default(), Semaphore::new(4));
    let hoarders = &Hoarders { server, batches, refused, stop, turns };
    let attack = join_all(
        addresses
            .iter()
            .enumerate()
            .map(|(number, address)| hoarders.hoard(server.client(address), format!("h{number}"))),
    );
    let calls = async {
        while !hoarders.refused.load(Relaxed) {
            running.call().await;
        }
        for number in 0..10 {
            running.call().await;
            Couple::meet(server, &stranger, &format!("late-{number}")).await.call().await;
        }
        hoarders.stop.store(true, Relaxed);
    };
    tokio::join!(attack, calls);
}

/// The same, filling memory.
pub async fn calls_go_on_while_filling(flags: &[&str], addresses: Vec<String>) {
    calls_go_on_while(flags, EVER_SMALLER, addresses).await;
}

/// The same, taking rooms.
pub async fn calls_go_on_while_taking_rooms(flags: &[&str], addresses: Vec<String>) {
    calls_go_on_while(flags, &[], addresses).await;
}

/// One address filled 64 MiB in 0.6 s, by rooms and messages to itself. Then nobody could join, and offers in running calls
/// were refused.
#[actix_web::test]
async fn one_address_cannot_fill_the_memory() {
    calls_go_on_while_filling(&["--memory-bytes", "67108864"], vec![ATTACKER.into()]).await;
}

#[actix_web::test]
async fn all_addresses_of_a_48_cannot_fill_the_memory() {
    calls_go_on_while_filling(&["--memory-bytes", "67108864"], attackers().collect()).await;
}

#[actix_web::test]
async fn one_address_cannot_take_all_rooms() {
    calls_go_on_while_taking_rooms(&["--rooms-max", "120"], vec![ATTACKER.into()]).await;
}

#[actix_web::test]
async fn all_addresses_of_a_48_cannot_take_all_rooms() {
    calls_go_on_while_taking_rooms(&["--rooms-max", "200"], attackers().collect()).await;
}

/// What is gone is given back: the same address can fill its share again and again.
#[actix_web::test]
async fn a_share_is_free_again_when_its_rooms_have_ended() {
    let server = Neighborhood::start(&["--rooms-max", "10", "--rate-join", "0"]).await;
    let client = server.client(ATTACKER);
    for round in 0..3 {
        let mut seats = Vec::new();
        while let Ok(seat) = server.join(&client, &format!("{round}-{}", seats.len()), json!({})).await {
            seats.push(seat);
        }
        assert_eq!(seats.len(), 5);
        join_all(seats.iter().map(|seat| seat.leave())).await;
    }
}

//! Memory for bodies that are arriving.

use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::support::{
    harness::Peer,
    neighborhood::{ATTACKER, Couple, Neighborhood, STRANGER, attackers},
};

/// Sends all but the end of a body. Returns the stream if the server waits for more.
async fn stalled(server: &Neighborhood, seat: &Peer, address: &str, bytes: usize) -> Option<TcpStream> {
    let mut stream = server.connect_from("127.0.0.1").await.unwrap();
    let head = format!(
        "POST /v1/rooms/{}/messages HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: {address}\r\n\
         Authorization: Bearer {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        seat.room,
        seat.token,
        bytes + 1
    );
    let before = server.figure("transit_bytes").await;
    stream.write_all(head.as_bytes()).await.ok()?;
    stream.write_all(" ".repeat(bytes).as_bytes()).await.ok()?;
    let mut answer = [0; 12];
    let is_refused = tokio::select! {
        biased;
        // Or it has timed out.
        _ = stream.read_exact(&mut answer) => true,
        // Most of it is counted, so the rest has arrived or is about to.
        () = server.until("transit_bytes", |now| now >= before + bytes as u64 * 3 / 4) => false,
    };
    (!is_refused).then_some(stream)
}

/// Bodies of ever smaller size, until each is refused.
async fn hoard(server: &Neighborhood, seat: &Peer, address: &str) -> Vec<TcpStream> {
    let mut streams = Vec::new();
    for bytes in [200_000, 60_000, 10_000] {
        while let Some(stream) = stalled(server, seat, address, bytes).await {
            streams.push(stream);
        }
    }
    streams
}

async fn calls_go_on_while(hoarders: Vec<String>) {
    let server = &Neighborhood::start(&["--memory-bytes", "67108864", "--rate-send", "0"]).await;
    let mut couple = Couple::meet(server, &server.client(STRANGER), "tea").await;
    let mut streams = Vec::new();
    for (number, address) in hoarders.iter().enumerate() {
        let seat = server.join(&server.client(address), &format!("stall-{number}"), json!({})).await.unwrap();
        streams.extend(hoard(server, &seat, address).await);
        if number % 16 == 0 {
            couple.call().await;
        }
    }
    println!("{} bodies, {} bytes", streams.len(), server.figure("transit_bytes").await);
    assert!(!streams.is_empty());
    couple.call().await;
}

/// Bodies that stall took the memory of all others, until they timed out and were sent again.
#[actix_web::test]
async fn one_address_cannot_fill_the_memory_with_bodies_that_stall() {
    calls_go_on_while(vec![ATTACKER.into()]).await;
}

#[actix_web::test]
async fn all_addresses_of_a_48_cannot_fill_the_memory_with_bodies_that_stall() {
    calls_go_on_while(attackers().collect()).await;
}

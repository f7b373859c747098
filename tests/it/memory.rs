//! The bound on memory, reached in every way at once. SECURITY.md has the figures.

use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    attacked::Attacked,
    harness::{Answer, Peer},
};

/// A peer with a mailbox full of so large messages, as far as the server takes them.
async fn stuff(peer: &Peer, size: usize) -> Answer {
    let message = json!({"to": peer.id, "type": "data", "data": "x".repeat(size)});
    let batch = Value::from(vec![message; 50.min(240_000 / (size + 100))]);
    loop {
        let answer = peer.batch(batch.clone()).await;
        if answer.status != 202 {
            return answer;
        }
    }
}

/// Rooms of one, their mailboxes stuffed, until little fits any more.
async fn fill_rooms(server: &Attacked, size: usize) -> usize {
    for number in 0.. {
        let peer = match server.join(&format!("stuffed-{size}-{number}"), json!({})).await {
            Ok(peer) => peer,
            Err(refused) => {
                refused.refused(503, "memory-exhausted");
                return number;
            }
        };
        let refused = stuff(&peer, size).await;
        if refused.status == 503 && peer.messages(0).await.is_empty() {
            refused.refused(503, "memory-exhausted");
            return number;
        }
    }
    unreachable!("numbers do not end");
}

#[actix_web::test]
async fn mailboxes_that_hostile_peers_fill_leave_room_for_others() {
    for size in [5000, 10] {
        let server = Attacked::start(&[]).await;
        let rooms = server.by(fill_rooms(&server, size)).await;
        println!("{rooms} rooms");
        assert!(rooms >= 10, "{rooms}");
        // Somebody new comes in, too, and with the hostile ones gone there is memory for everything again.
        let ann = server.join("late", json!({})).await.unwrap();
        ann.say(&ann, "still").await;
    }
}

/// The largest thing there is to download is no abuse.
#[actix_web::test]
async fn the_least_memory_suffices_for_swagger_ui() {
    let server = Attacked::start(&[]).await;
    server.get("/swagger-ui/swagger-ui-bundle.js").await;
    let bundle = server.get("/swagger-ui/swagger-ui-bundle.js").await;
    assert_eq!(bundle.status, 200);
    assert!(bundle.text.len() > 1 << 20, "{}", bundle.text.len());
}

/// As many connections as there may be, each with half a head; answers that nobody takes; rooms full of mailboxes; all of
/// it on the least memory that may be configured.
#[actix_web::test]
async fn everything_at_once_stays_within_the_bound() {
    let server = Attacked::start(&["--connections-per-address", "1000", "--keep-alive-ms", "60000"]).await;
    let asker = server.join("deaf", json!({})).await.unwrap();
    stuff(&asker, 5000).await;
    let path = asker.path("/messages?after=0&wait=0");
    let asking = format!("GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\n\r\n", asker.token).repeat(4);
    let half = format!("GET /healthz HTTP/1.1\r\nHost: x\r\nx-header: {}", "x".repeat(19_000));
    let server = &server;
    let attack = async {
        let mut streams: Vec<TcpStream> = Vec::new();
        for number in 0..240 {
            let mut stream = server.connect_narrowly().await;
            let bytes = if number % 2 == 0 { &asking } else { &half };
            stream.write_all(bytes.as_bytes()).await.unwrap();
            streams.push(stream);
        }
        server.until("connections", |count| count >= 240).await;
        fill_rooms(server, 5000).await;
        streams
    };
    let streams = server.by(attack).await;
    assert_eq!(streams.len(), 240);
}

#[actix_web::test]
async fn ten_thousand_idle_connections_leave_the_server_to_others() {
    const IDLE: usize = 10_000;
    let have = rlimit::increase_nofile_limit(u64::MAX).unwrap();
    assert!(have as usize > IDLE + 1000, "this test needs {IDLE} file descriptors: ulimit -n says {have}");
    let flags = ["--connections-max", "10500", "--connections-per-address", "10500", "--keep-alive-ms", "60000"];
    let server = Attacked::start_with(640 << 20, &flags).await;
    let before = server.binary.memory();
    let connect = async || {
        let mut stream = server.connect().await;
        stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"HTTP/1.1 200");
        stream
    };
    let attack = async {
        let mut idle = Vec::with_capacity(IDLE);
        while idle.len() < IDLE {
            idle.extend(join_all((0..100).map(|_| connect())).await);
        }
        server.until("connections", |count| count >= IDLE as u64).await;
        idle
    };
    let idle = server.by(attack).await;
    let each = (server.binary.memory() - before) / IDLE;
    println!("{each} bytes for each");
    assert!(each < 64 * 1024, "{each}");
    drop(idle);
    server.until("connections", |count| count < 10).await;
}

//! The memory limit, reached in every way at once. SECURITY.md has the figures.

use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::support::{attacked_server::AttackedServer, harness::Peer};

/// Fills the peer's own mailbox with messages of this size, in batches of these counts, and returns how many were accepted.
async fn stuff(peer: &Peer, size: usize, counts: &[usize]) -> usize {
    let message = json!({"to": peer.id, "type": "data", "data": "x".repeat(size)});
    let mut taken = 0;
    for count in counts {
        let batch = Value::from(vec![message.clone(); *count]);
        loop {
            let answer = peer.batch(batch.clone()).await;
            match answer.status {
                202 => taken += *count,
                429 => break drop(answer.refused(429, "mailbox-full")),
                _ => break drop(answer.refused(503, "memory-exhausted")),
            }
        }
    }
    taken
}

/// Creates rooms of one peer with full mailboxes until the server refuses.
async fn fill_rooms(server: &AttackedServer, size: usize, counts: &[usize]) -> usize {
    for number in 0.. {
        match server.join(&format!("stuffed-{size}-{number}"), json!({})).await {
            Ok(peer) if stuff(&peer, size, counts).await > 0 => {}
            Ok(_) => return number,
            Err(refused) => {
                refused.refused(503, "memory-exhausted");
                return number;
            }
        }
    }
    unreachable!("numbers do not end");
}

#[actix_web::test]
async fn a_server_filled_by_hostile_peers_still_carries_calls() {
    let server = AttackedServer::start(&[]).await;
    let rooms = server.by(fill_rooms(&server, 5000, &[48, 1])).await;
    println!("{rooms} rooms");
    for number in 0..10 {
        let ann = server.join_as_a_stranger(&format!("late-{number}")).await.unwrap();
        ann.say(&ann, "still").await;
    }
}

#[actix_web::test]
async fn many_small_messages_stay_within_their_accounted_cost() {
    let server = AttackedServer::start(&[]).await;
    server.by(fill_rooms(&server, 10, &[50])).await;
}

/// The largest download there is.
#[actix_web::test]
async fn swagger_ui_is_served_with_the_minimum_memory() {
    let server = AttackedServer::start(&[]).await;
    server.get("/swagger-ui/swagger-ui-bundle.js").await;
    let bundle = server.get("/swagger-ui/swagger-ui-bundle.js").await;
    assert_eq!(bundle.status, 200);
    assert!(bundle.text.len() > 1 << 20, "{}", bundle.text.len());
}

/// All connections, each with half a head; unread responses; rooms with full mailboxes; with the minimum memory.
#[actix_web::test]
async fn all_attacks_at_once_stay_within_the_memory_limit() {
    let server = AttackedServer::start(&["--connections-per-address", "1000", "--keep-alive-ms", "60000"]).await;
    let asker = server.join("deaf", json!({})).await.unwrap();
    stuff(&asker, 5000, &[48]).await;
    let path = asker.path("/messages?after=0&wait=0");
    let asking =
        format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n\r\n", asker.token).repeat(4);
    let half = format!("GET /healthz HTTP/1.1\r\nHost: localhost\r\nx-header: {}", "x".repeat(19_000));
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
        fill_rooms(server, 5000, &[48]).await;
        streams
    };
    let streams = server.by(attack).await;
    assert_eq!(streams.len(), 240);
}

#[actix_web::test]
async fn ten_thousand_idle_connections_do_not_block_others() {
    const IDLE: usize = 10_000;
    let have = rlimit::increase_nofile_limit(u64::MAX).unwrap();
    assert!(have as usize > IDLE + 1000, "this test needs {IDLE} file descriptors: ulimit -n says {have}");
    let flags = ["--connections-max", "10500", "--connections-per-address", "10500", "--keep-alive-ms", "600000"];
    let server = AttackedServer::start_with(640 << 20, &flags).await;
    let before = server.binary.memory();
    let connect = async || {
        let mut stream = server.connect().await;
        stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
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

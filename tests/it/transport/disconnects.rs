//! Clients that vanish, and a server that stops.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::support::{
    harness::{Peer, Server},
    process::ServerProcess,
    waits::until_parked,
};

/// Less than a poll is held.
const PATIENCE: Duration = Duration::from_secs(40);

async fn raw_poll(peer: &Peer, port: u16, version: &str) -> TcpStream {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let path = peer.path("/messages?wait=50");
    let head = format!("GET {path} HTTP/{version}\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n\r\n", peer.token);
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

/// Everything up to the end of the connection.
async fn answer(mut stream: TcpStream) -> String {
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

/// A half-close counts as a disconnect, too.
#[actix_web::test]
async fn a_disconnect_ends_the_poll() {
    let server = Server::start(&[]);
    let ann = server.join_room("tea", "Ann").await;
    for close in ["fin", "reset"] {
        let stream = raw_poll(&ann, server.port, "1.1").await;
        until_parked(&server, 1).await;
        if close == "reset" {
            stream.set_zero_linger().unwrap();
        }
        drop(stream);
        until_parked(&server, 0).await;
    }
}

#[actix_web::test]
async fn http_1_0_polls_get_a_length_and_a_close() {
    let server = Server::start(&[]);
    let ann = server.join_room("tea", "Ann").await;
    let stream = raw_poll(&ann, server.port, "1.0").await;
    until_parked(&server, 1).await;
    ann.say(&ann, 1).await;
    let answer = answer(stream).await;
    assert!(answer.starts_with("HTTP/1.0 200 OK"), "{answer}");
    assert!(answer.to_lowercase().contains("content-length:") && answer.ends_with("\"cursor\":1}"), "{answer}");
}

/// Apache Traffic Server may send the same poll four times.
#[actix_web::test]
async fn a_poll_repeated_four_times_loses_nothing() {
    let server = Server::start(&[]);
    let ann = server.join_room("tea", "Ann").await;
    let mut waiting = raw_poll(&ann, server.port, "1.0").await;
    until_parked(&server, 1).await;
    for _ in 0..3 {
        let older = std::mem::replace(&mut waiting, raw_poll(&ann, server.port, "1.0").await);
        assert!(answer(older).await.contains("poll-superseded"));
    }
    ann.say(&ann, 1).await;
    assert!(answer(waiting).await.contains("\"seq\":1"));
    assert_eq!(ann.messages(0).await.len(), 1);
}

#[actix_web::test]
async fn stopping_answers_every_poll() {
    let server = Server::start(&[]);
    let ann = server.join_room("tea", "Ann").await;
    let waiting = actix_web::rt::spawn(crate::support::harness::send(ann.polling(0, 50.0)));
    until_parked(&server, 1).await;
    server.stop();
    let answer = waiting.await.unwrap();
    let after = answer.refused(503, "draining")["retry_after_ms"].as_u64().unwrap();
    assert!((500..2500).contains(&after));
    assert!(answer.headers.contains_key("retry-after"));
    server.join();
}

#[actix_web::test]
async fn sigterm_answers_a_thousand_parked_polls_and_exits_0() {
    const POLLS: usize = 1000;
    let mut binary = ServerProcess::start(&["--rate-join", "0", "--lease-ms", "600000"]).await;
    let base = format!("http://127.0.0.1:{}", binary.port);
    let client = reqwest::Client::new();
    let (mut streams, mut heads) = (Vec::new(), Vec::new());
    for number in 0..POLLS {
        let url = format!("{base}/v1/rooms/r{number}/peers");
        let joined: serde_json::Value = client.post(url).send().await.unwrap().json().await.unwrap();
        let token = joined["token"].as_str().unwrap();
        let path = format!("/v1/rooms/r{number}/peers/{}/messages?wait=50", joined["peer"]["id"].as_str().unwrap());
        heads.push(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n"));
    }
    // All joins first: the first poll must not have ended when the last is sent.
    for head in heads {
        let mut stream = TcpStream::connect(("127.0.0.1", binary.port)).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        streams.push(stream);
    }
    let metrics = || async { client.get(format!("{base}/metrics")).send().await.unwrap().text().await.unwrap() };
    while !metrics().await.contains(&format!("signalpost_parked_polls {POLLS}\n")) {
        tokio::task::yield_now().await;
    }

    binary.terminate().await;
    let answered = async {
        for stream in &mut streams {
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("retry_after_ms"), "{answer}");
        }
    };
    tokio::time::timeout(PATIENCE, answered).await.expect("every poll is answered");
    let exit = tokio::time::timeout(PATIENCE, binary.child.wait()).await.expect("it exits").unwrap();
    assert_eq!(exit.code(), Some(0));
}

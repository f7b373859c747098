//! Attacks over HTTP/1. Other clients are served meanwhile and memory stays within the limit (checked by `AttackedServer::by`).

use std::time::Duration;

use futures_util::future::join_all;
use reqwest::{Method, RequestBuilder};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::support::{
    attacked_server::{AttackedServer, to_the_end},
    harness::{Peer, send},
};

/// Writes the same bytes until the server closes, and returns how much it accepted.
async fn write_for_ever(stream: &mut TcpStream, bytes: &[u8]) -> usize {
    let mut taken = 0;
    while stream.write_all(bytes).await.is_ok() {
        taken += bytes.len();
        assert!(taken < 64 << 20, "it takes what it is given");
    }
    taken
}

fn posting(peer: &Peer, framing: &str) -> String {
    format!(
        "POST {} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n{framing}\r\n\r\n",
        peer.path("/messages"),
        peer.token
    )
}

fn polling(peer: &Peer, query: &str) -> String {
    let path = peer.path(&format!("/messages?{query}"));
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n\r\n", peer.token)
}

/// Puts a quarter of a megabyte into the peer's own mailbox.
async fn fill(peer: &Peer) {
    let message = json!({"to": peer.id, "type": "data", "data": "x".repeat(5000)});
    peer.batch(json!(vec![message; 50])).await.expect(202);
}

#[actix_web::test]
async fn endless_heads_are_not_buffered() {
    let server = AttackedServer::start(&["--keep-alive-ms", "60000"]).await;
    let head =
        |bytes: usize| format!("GET /healthz HTTP/1.1\r\nHost: localhost\r\nx-header: {}\r\n", "x".repeat(bytes));
    let fits = server.say(format!("{}Connection: close\r\n\r\n", head(16_000)).as_bytes()).await;
    assert!(fits.starts_with("HTTP/1.1 200"), "{fits}");
    let attack = join_all((0..100).map(|_| async {
        let mut stream = server.connect().await;
        stream.write_all(head(60_000).as_bytes()).await.unwrap();
        // Not 408 after a time-out. What the client has not sent yet may reset the connection.
        let answer = to_the_end(&mut stream).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
    }));
    server.by(attack).await;
}

#[actix_web::test]
async fn endless_and_misdeclared_bodies_are_refused_without_effect() {
    let server = AttackedServer::start(&[]).await;
    let ann = server.join("lies", json!({})).await.unwrap();
    let (chunked, enormous) =
        (posting(&ann, "Transfer-Encoding: chunked"), posting(&ann, "Content-Length: 99999999999"));
    let attack = async {
        for head in [&chunked, &enormous] {
            let mut stream = server.connect().await;
            stream.write_all(head.as_bytes()).await.unwrap();
            let (mut reading, mut writing) = stream.split();
            let chunk = format!("1000\r\n{}\r\n", "x".repeat(4096));
            let writing = async {
                while writing.write_all(chunk.as_bytes()).await.is_ok() {}
                std::future::pending().await
            };
            let mut answer = vec![0; 4096];
            let length = tokio::select! { length = reading.read(&mut answer) => length.unwrap(), () = writing => 0 };
            let answer = String::from_utf8_lossy(&answer[..length]).into_owned();
            assert!(answer.starts_with("HTTP/1.1 413") && answer.contains("body-too-large"), "{answer}");
        }
        // A client that reads only afterwards gets the response, too.
        let late = format!("{}{}", posting(&ann, "Content-Length: 1000000"), "x".repeat(1_000_000));
        let answer = server.say(late.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
        // Longer than declared: the excess is not a request.
        let body = r#"{"type":"data","data":"too long"}"#;
        let answer = server.say(format!("{}{body}", posting(&ann, "Content-Length: 10")).as_bytes()).await;
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 2, "{answer}");
        assert_eq!(answer.matches("HTTP/1.1 400").count(), 2, "{answer}");
        // Shorter than declared, then closed.
        let mut stream = server.connect().await;
        stream.write_all(format!("{}{body}", posting(&ann, "Content-Length: 34")).as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
        to_the_end(&mut stream).await;
    };
    server.by(attack).await;
    assert!(ann.messages(0).await.is_empty());
}

/// Fifty clients request a quarter of a megabyte sixteen times each and read nothing: 200 MB if all of it were buffered.
#[actix_web::test]
async fn clients_that_stop_reading_are_disconnected() {
    let server = AttackedServer::start(&[]).await;
    let ann = server.join("deaf", json!({})).await.unwrap();
    fill(&ann).await;
    let asking = polling(&ann, "after=0&wait=0").repeat(16);
    let mut streams = Vec::new();
    for _ in 0..50 {
        let mut stream = server.connect_narrowly().await;
        stream.write_all(asking.as_bytes()).await.unwrap();
        streams.push(stream);
    }
    server
        .by(join_all(streams.iter_mut().map(|stream| async move {
            // Nothing is read; the close shows as a failing write.
            let mut interval = tokio::time::interval(Duration::from_millis(20));
            while stream.write_all(b"\r\n").await.is_ok() {
                interval.tick().await;
            }
        })))
        .await;
    server.until("connections", |count| count < 10).await;
}

#[actix_web::test]
async fn requests_pipelined_behind_a_parked_poll_are_not_buffered() {
    let server = AttackedServer::start(&[]).await;
    let ann = server.join("queue", json!({})).await.unwrap();
    let next = format!("GET /healthz HTTP/1.1\r\nHost: localhost\r\nx-header: {}\r\n\r\n", "x".repeat(100_000));
    let mut stream = server.connect().await;
    stream.write_all(polling(&ann, "wait=50").as_bytes()).await.unwrap();
    let taken = server.by(write_for_ever(&mut stream, next.as_bytes())).await;
    println!("{taken}");
    server.until("parked_polls", |count| count == 0).await;
}

#[actix_web::test]
async fn invalid_utf_8_is_refused_everywhere() {
    let server = AttackedServer::start(&[]).await;
    let ann = server.join("bytes", json!({})).await.unwrap();
    let json = |request: RequestBuilder, body: &[u8]| {
        send(request.header("content-type", "application/json").body(body.to_vec()))
    };
    let body = b"{\"type\":\"data\",\"data\":\"\xff\xfe\"}";
    for path in [ann.path("/messages"), "/v1/rooms/bytes/messages".into()] {
        json(ann.request(Method::POST, &path), body).await.refused(400, "malformed-body");
    }
    for path in ["/v1/rooms/other/peers", "/v1/rooms"] {
        json(server.request(Method::POST, path), body).await.refused(400, "malformed-body");
    }
    // A page that is closing cannot read an error.
    json(server.request(Method::POST, &ann.path("/leave")), body).await.expect(204);
    for raw in [
        &b"GET /v1/rooms/\xff HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"[..],
        b"GET /v1/rooms/%ff HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        b"GET /v1/rooms/tea/peers HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer \xff\r\nConnection: close\r\n\r\n",
        b"POST /v1/rooms HTTP/1.1\r\nHost: localhost\r\nIdempotency-Key: \xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\r\nConnection: close\r\n\r\n",
    ] {
        let answer = server.say(raw).await;
        assert!(answer.starts_with("HTTP/1.1 4"), "{}: {answer}", String::from_utf8_lossy(raw));
    }
    server.by(async {}).await;
}

/// Requests that parsers may split differently, with a second request hidden in the body.
fn ambiguous() -> Vec<(&'static str, String)> {
    let hidden = "POST /v1/rooms/hidden/peers HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n";
    let post = |headers: &str, body: &str| {
        format!("POST /v1/rooms HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n{body}{hidden}")
    };
    let length = hidden.len();
    vec![
        (
            "length and chunks",
            post(&format!("Content-Length: {length}\r\nTransfer-Encoding: chunked\r\n"), "0\r\n\r\n"),
        ),
        ("chunks and length", post("Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", "0\r\n\r\n")),
        ("two lengths", post(&format!("Content-Length: 0\r\nContent-Length: {length}\r\n"), "")),
        ("the same length twice", post("Content-Length: 0\r\nContent-Length: 0\r\n", "")),
        ("a list of lengths", post("Content-Length: 0, 0\r\n", "")),
        ("a length with a sign", post("Content-Length: +0\r\n", "")),
        ("a negative length", post("Content-Length: -1\r\n", "")),
        ("a hexadecimal length", post("Content-Length: 0x0\r\n", "")),
        ("a length beyond all numbers", post("Content-Length: 18446744073709551616\r\n", "")),
        ("an unknown coding", post("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n")),
        ("chunks that are not last", post("Transfer-Encoding: chunked, identity\r\n", "0\r\n\r\n")),
        ("identity", post("Transfer-Encoding: identity\r\n", "0\r\n\r\n")),
        ("a coding behind a control character", post("Transfer-Encoding: \u{b}chunked\r\n", "0\r\n\r\n")),
        ("two codings", post("Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n")),
        ("a folded line", post("Transfer-Encoding:\r\n chunked\r\nContent-Length: 0\r\n", "0\r\n\r\n")),
        ("a folded first line", post(" Content-Length: 4\r\n", "")),
        ("a space before the colon", post("Content-Length : 4\r\n", "")),
        ("a tab before the colon", post("Transfer-Encoding\t: chunked\r\n", "0\r\n\r\n")),
        ("a lone carriage return", post("x: a\rContent-Length: 4\r\n", "")),
        ("a zero byte", post("x: a\0\r\n", "")),
        ("two hosts", post("Host: y\r\n", "")),
        ("chunks in HTTP/1.0", post("Transfer-Encoding: chunked\r\n", "0\r\n\r\n").replacen("HTTP/1.1", "HTTP/1.0", 1)),
        ("a version that is none", post("", "").replacen("HTTP/1.1", "HTTP/1.7", 1)),
        ("a chunk with a sign", post("Transfer-Encoding: chunked\r\n", "+0\r\n\r\n")),
        ("a chunk in hexadecimal with 0x", post("Transfer-Encoding: chunked\r\n", "0x0\r\n\r\n")),
        ("a chunk beyond all numbers", post("Transfer-Encoding: chunked\r\n", "10000000000000000\r\n\r\n")),
        ("a chunk that is longer than said", post("Transfer-Encoding: chunked\r\n", "1\r\nab\r\n0\r\n\r\n")),
    ]
}

#[actix_web::test]
async fn ambiguous_framing_is_refused_and_ends_the_connection() {
    let server = AttackedServer::start(&[]).await;
    let attack = async {
        for (name, raw) in ambiguous() {
            let answer = server.say(raw.as_bytes()).await;
            assert!(answer.starts_with("HTTP/1.1 400") || answer.starts_with("HTTP/1.0 400"), "{name}: {answer}");
            assert_eq!(answer.matches("HTTP/1.").count(), 1, "{name}: {answer}");
            server.get("/v1/rooms/hidden").await.refused(404, "room-unknown");
        }
    };
    server.by(attack).await;
}

/// `JOIN_ATTEMPTS=1000000` sends a million, which takes minutes.
#[actix_web::test]
async fn a_flood_of_joins_creates_no_more_than_half_of_rooms_max() {
    let attempts: usize = std::env::var("JOIN_ATTEMPTS").map_or(5000, |number| number.parse().unwrap());
    let server =
        AttackedServer::start(&["--rooms-max", "1000", "--lease-ms", "3600000", "--keep-alive-ms", "600000"]).await;
    let joining = |numbers: std::ops::Range<usize>| {
        let server = &server;
        async move {
            let mut joined = 0;
            let mut stream = tokio::io::BufStream::new(server.connect().await);
            for number in numbers {
                let head =
                    format!("POST /v1/rooms/r{number}/peers HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
                stream.write_all(head.as_bytes()).await.unwrap();
                stream.flush().await.unwrap();
                joined += usize::from(answer_of(&mut stream).await.starts_with("HTTP/1.1 201"));
            }
            joined
        }
    };
    let share = attempts / 10;
    let longest = Duration::from_secs(240 + attempts as u64 / 500);
    let attack = join_all((0..10).map(|part| joining(part * share..(part + 1) * share)));
    let joined = server.by_within(longest, attack).await;
    // Ann and Ben have one room. The other half is for others than the attacker.
    assert_eq!(joined.iter().sum::<usize>(), 500);
    server.join_as_a_stranger("late").await.unwrap();
}

/// One complete response with a length.
async fn answer_of(stream: &mut tokio::io::BufStream<TcpStream>) -> String {
    use tokio::io::AsyncBufReadExt;
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let start = head.len();
        stream.read_line(&mut head).await.unwrap();
        let line = &head[start..];
        if let Some(value) = line.strip_prefix("content-length: ") {
            length = value.trim().parse().unwrap();
        }
        if line == "\r\n" || line.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.unwrap();
    head + &String::from_utf8_lossy(&body)
}

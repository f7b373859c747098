//! HTTP/2 frames beside a request that is open: wasteful ones end the connection, useful ones never do. Whatever a client sends,
//! the log has no line that asks the operator to act.

use std::time::Duration;

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::client::TlsStream;

use crate::support::{
    certificate::{Certificate, write_certificate},
    http2_frames::{
        ACK, CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, INITIAL_WINDOW, PING, PREFACE, PRIORITY,
        RST_STREAM, SETTINGS, WINDOW_UPDATE, field, frame, frames, request,
    },
    process::ServerProcess,
};

/// A kind that no standard defines.
const UNKNOWN: u8 = 0x42;
const REFUSED_STREAM: u32 = 7;
const ENHANCE_YOUR_CALM: u32 = 11;
/// More than any connection may send for nothing.
const FLOOD: u32 = 100_000;

struct Host {
    binary: ServerProcess,
    certificate: Certificate,
}

impl Host {
    async fn start(name: &str) -> Host {
        let certificate = write_certificate(name);
        let flags = certificate.flags();
        let ours = ["--rate-join", "0", "--rate-send", "0", "--token-key", "mDSzq7hJ1o9cYwX3vKfT6bRnE0uLgA2p"];
        let binary = ServerProcess::start(&[&flags.each_ref().map(String::as_str)[..], &ours].concat()).await;
        Host { binary, certificate }
    }

    async fn tls(&self, protocol: &str) -> TlsStream<TcpStream> {
        let stream = TcpStream::connect(("127.0.0.1", self.binary.port)).await.unwrap();
        self.certificate.connect_to(stream, protocol).await.unwrap()
    }

    async fn connect(&self, settings: &[u8]) -> TlsStream<TcpStream> {
        let mut tls = self.tls("h2").await;
        tls.write_all(PREFACE).await.unwrap();
        tls.write_all(&frame(SETTINGS, 0, 0, settings)).await.unwrap();
        tls
    }

    /// The path of a peer's mailbox, and its token.
    async fn join(&self) -> (String, String) {
        let mut tls = self.tls("http/1.1").await;
        let ask = "POST /v1/rooms/tea/peers HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
            content-length: 2\r\nconnection: close\r\n\r\n{}";
        tls.write_all(ask.as_bytes()).await.unwrap();
        let mut text = String::new();
        let _ = tls.read_to_string(&mut text).await;
        let joined: Value = serde_json::from_str(text.split_once("\r\n\r\n").unwrap().1).unwrap();
        let path = format!("/v1/rooms/tea/peers/{}/messages", joined["peer"]["id"].as_str().unwrap());
        (path, format!("Bearer {}", joined["token"].as_str().unwrap()))
    }

    /// A connection with a poll that waits on stream 1, and a message whose body has begun on stream 3.
    async fn beside_a_poll(&self, path: &str, bearer: &str) -> TlsStream<TcpStream> {
        let mut stream = self.connect(&[]).await;
        let poll = request("GET", &format!("{path}?wait=50"), &[("authorization", bearer)]);
        let post = request("POST", path, &[("authorization", bearer), ("content-type", "application/json")]);
        stream.write_all(&frame(HEADERS, END_HEADERS | END_STREAM, 1, &poll)).await.unwrap();
        stream.write_all(&frame(HEADERS, END_HEADERS, 3, &post)).await.unwrap();
        stream.write_all(&frame(DATA, 0, 3, b"{")).await.unwrap();
        stream
    }
}

/// Sends frames until the server closes, and returns how many it took and what it said.
async fn flood(stream: TlsStream<TcpStream>, next: impl Fn(u32) -> Vec<u8>) -> (u32, Vec<(u8, Vec<u8>)>) {
    let (mut reader, mut writer) = tokio::io::split(stream);
    let write = async {
        for start in (0..FLOOD).step_by(50) {
            let batch: Vec<u8> = (start..start + 50).flat_map(&next).collect();
            if writer.write_all(&batch).await.is_err() {
                return start;
            }
        }
        let _ = writer.shutdown().await;
        FLOOD
    };
    tokio::join!(write, frames(&mut reader))
}

fn calmed(said: &[(u8, Vec<u8>)]) -> bool {
    said.iter().any(|(kind, payload)| *kind == GOAWAY && payload[4..8] == ENHANCE_YOUR_CALM.to_be_bytes())
}

type Kind = (&'static str, Box<dyn Fn(u32) -> Vec<u8>>);

fn kinds(path: &str, bearer: &str) -> Vec<Kind> {
    let poll = request("GET", &format!("{path}?wait=50"), &[("authorization", bearer)]);
    let fixed = |bytes: Vec<u8>| -> Box<dyn Fn(u32) -> Vec<u8>> { Box::new(move |_| bytes.clone()) };
    let stream = |number: u32| 2 * number + 5;
    vec![
        // CVE-2019-9518: they use no window.
        ("empty DATA", fixed(frame(DATA, 0, 3, &[]))),
        ("DATA of one byte", fixed(frame(DATA, 0, 3, b" "))),
        ("padding", fixed(frame(DATA, 8, 3, &[0]))),
        ("PING", fixed(frame(PING, 0, 0, &[0; 8]))),
        ("PING that acknowledges none", fixed(frame(PING, ACK, 0, &[0; 8]))),
        ("SETTINGS", fixed(frame(SETTINGS, 0, 0, &[0, INITIAL_WINDOW, 0, 0, 255, 255]))),
        ("a window opened byte by byte", fixed(frame(WINDOW_UPDATE, 0, 0, &[0, 0, 0, 1]))),
        ("a stream's window opened byte by byte", fixed(frame(WINDOW_UPDATE, 0, 1, &[0, 0, 0, 1]))),
        ("PRIORITY", Box::new(move |number| frame(PRIORITY, 0, stream(number), &[0, 0, 0, 1, 16]))),
        ("an unknown kind", fixed(frame(UNKNOWN, 0, 0, &[]))),
        ("an unknown kind, long", fixed(frame(UNKNOWN, 0, 0, &[0; 1000]))),
        // CVE-2024-27316.
        (
            "CONTINUATION",
            Box::new(move |number| match number {
                0 => frame(HEADERS, END_STREAM, 5, &request("GET", "/healthz", &[])[..20]),
                _ => frame(CONTINUATION, 0, 5, &[]),
            }),
        ),
        ("empty HEADERS", Box::new(move |number| frame(HEADERS, END_HEADERS | END_STREAM, stream(number), &[]))),
        // CVE-2023-44487.
        (
            "polls reset at once",
            Box::new(move |number| {
                let open = frame(HEADERS, END_HEADERS | END_STREAM, stream(number), &poll);
                [open, frame(RST_STREAM, 0, stream(number), &[0, 0, 0, 8])].concat()
            }),
        ),
        (
            "answers reset at once",
            Box::new(move |number| {
                let block = request("GET", "/healthz", &[]);
                let open = frame(HEADERS, END_HEADERS | END_STREAM, stream(number), &block);
                [open, frame(RST_STREAM, 0, stream(number), &[0, 0, 0, 8])].concat()
            }),
        ),
        ("RST_STREAM", fixed(frame(RST_STREAM, 0, 3, &[0, 0, 0, 8]))),
    ]
}

/// A parked poll made every byte after it welcome: empty DATA frames cost a whole processor at 28 MB/s, and so did each other
/// frame that costs its sender nothing.
#[actix_web::test]
async fn frames_that_carry_nothing_end_the_connection() {
    let host = Host::start("frames").await;
    let (path, bearer) = host.join().await;
    let mut failed = Vec::new();
    for (name, next) in kinds(&path, &bearer) {
        let stream = host.beside_a_poll(&path, &bearer).await;
        let attack = tokio::time::timeout(Duration::from_secs(120), flood(stream, next));
        let (taken, said) = attack.await.unwrap_or_else(|_| panic!("{name}: the connection stays open"));
        println!("{name}: {taken} frames");
        // All of them may be in the buffers of the socket by then.
        if !calmed(&said) {
            let kinds: Vec<_> = said.iter().rev().take(3).collect();
            failed.push(format!("{name}: {taken} frames taken, and at last {kinds:?}"));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// What busy but honest clients do on one connection: a body in small pieces, pings, cancelled polls, windows opened for each
/// piece, and requests without end.
#[actix_web::test]
async fn useful_frames_never_end_the_connection() {
    let host = Host::start("useful").await;
    let (path, bearer) = host.join().await;
    let mut stream = host.connect(&[]).await;
    let post = request("POST", &path, &[("authorization", &bearer), ("content-type", "application/json")]);
    let poll = request("GET", &format!("{path}?wait=50"), &[("authorization", &bearer)]);
    let health = request("GET", "/healthz", &[]);
    let mut next = (1..).step_by(2);
    let mut answers = 0;
    for _ in 0..20 {
        let mut bytes = Vec::new();
        let number = next.next().unwrap();
        let body = format!(r#"{{"type":"data","data":"{}"}}"#, "x".repeat(3_000));
        bytes.extend(frame(HEADERS, END_HEADERS, number, &post));
        body.as_bytes().chunks(16).for_each(|piece| bytes.extend(frame(DATA, 0, number, piece)));
        bytes.extend(frame(DATA, END_STREAM, number, &[]));
        bytes.extend(frame(PING, 0, 0, &[7; 8]));
        for _ in 0..5 {
            let number = next.next().unwrap();
            bytes.extend(frame(HEADERS, END_HEADERS | END_STREAM, number, &poll));
            bytes.extend(frame(RST_STREAM, 0, number, &[0, 0, 0, 8]));
        }
        for _ in 0..50 {
            let number = next.next().unwrap();
            bytes.extend(frame(HEADERS, END_HEADERS | END_STREAM, number, &health));
        }
        bytes.extend(frame(WINDOW_UPDATE, 0, 0, &[0, 0, 16, 0]).repeat(51));
        stream.write_all(&bytes).await.unwrap();
        // One for the message, and one for each healthz.
        let until = answers + 51;
        while answers < until {
            let mut head = [0; 9];
            stream.read_exact(&mut head).await.unwrap();
            let mut payload = vec![0; u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize];
            stream.read_exact(&mut payload).await.unwrap();
            assert_ne!(head[3], GOAWAY, "after {answers} answers: {payload:?}");
            answers += u32::from(head[3] == HEADERS);
        }
    }
}

/// Clients know the limit from our SETTINGS. A stream that is refused may be tried again (RFC 9113 section 8.7).
#[actix_web::test]
async fn a_connection_has_a_hundred_streams_at_a_time() {
    let host = Host::start("many").await;
    let (path, bearer) = host.join().await;
    let mut stream = host.connect(&[]).await;
    let post = request("POST", &path, &[("authorization", &bearer), ("content-type", "application/json")]);
    let streams: Vec<u32> = (1..).step_by(2).take(101).collect();
    let open: Vec<u8> = streams.iter().flat_map(|number| frame(HEADERS, END_HEADERS, *number, &post)).collect();
    stream.write_all(&open).await.unwrap();
    let reset = next(&mut stream, RST_STREAM).await;
    assert_eq!((reset.stream, &reset.payload[..]), (streams[100], &REFUSED_STREAM.to_be_bytes()[..]));
    // As soon as one has ended, there is room again.
    stream.write_all(&frame(RST_STREAM, 0, streams[0], &[0, 0, 0, 8])).await.unwrap();
    let health = request("GET", "/healthz", &[]);
    stream.write_all(&frame(HEADERS, END_HEADERS | END_STREAM, streams[100] + 2, &health)).await.unwrap();
    assert_eq!(next(&mut stream, HEADERS).await.stream, streams[100] + 2);
}

struct Received {
    stream: u32,
    payload: Vec<u8>,
}

/// The next frame of this kind.
async fn next(tls: &mut TlsStream<TcpStream>, kind: u8) -> Received {
    loop {
        let mut head = [0; 9];
        tls.read_exact(&mut head).await.unwrap();
        let mut payload = vec![0; u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize];
        tls.read_exact(&mut payload).await.unwrap();
        if head[3] == kind {
            return Received { stream: u32::from_be_bytes([head[5], head[6], head[7], head[8]]), payload };
        }
    }
}

/// An operator who is told by mail of each WARN was told by strangers: one line for each response that they reset.
#[actix_web::test]
async fn nothing_that_a_client_sends_is_logged_as_a_warning() {
    let host = Host::start("quiet").await;
    let (path, bearer) = host.join().await;
    for (_, next) in kinds(&path, &bearer) {
        let stream = host.beside_a_poll(&path, &bearer).await;
        let _ = tokio::time::timeout(Duration::from_secs(120), flood(stream, next)).await;
    }
    reset_responses(&host).await;
    break_frames(&host).await;
    break_tls(&host).await;
    let mut hung_up = host.tls("http/1.1").await;
    let poll = format!("GET {path}?wait=50 HTTP/1.1\r\nhost: localhost\r\nauthorization: {bearer}\r\n\r\n");
    hung_up.write_all(poll.as_bytes()).await.unwrap();
    drop(hung_up);
    let logs = host.binary.logs().await;
    let loud: Vec<&str> = logs.lines().filter(|line| line.contains("WARN") || line.contains("ERROR")).collect();
    assert!(loud.is_empty(), "{} lines, such as\n{}", loud.len(), loud[..loud.len().min(5)].join("\n"));
}

/// Resets responses while a closed window keeps their bodies back.
async fn reset_responses(host: &Host) {
    let mut stream = host.connect(&[0, INITIAL_WINDOW, 0, 0, 0, 0]).await;
    for number in 0..20 {
        let block = request("GET", "/openapi.json", &[]);
        stream.write_all(&frame(HEADERS, END_HEADERS | END_STREAM, 2 * number + 1, &block)).await.unwrap();
    }
    let mut head = [0; 9];
    let mut answers = 0;
    while answers < 20 {
        stream.read_exact(&mut head).await.unwrap();
        let mut payload = vec![0; u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize];
        stream.read_exact(&mut payload).await.unwrap();
        answers += u32::from(head[3] == HEADERS);
    }
    for number in 0..20 {
        stream.write_all(&frame(RST_STREAM, 0, 2 * number + 1, &[0, 0, 0, 8])).await.unwrap();
    }
    stream.write_all(&frame(PING, 0, 0, &[1; 8])).await.unwrap();
    stream.read_exact(&mut head).await.unwrap();
    drop(stream);
}

/// Header blocks that are too long, and frames that the standard forbids.
async fn break_frames(host: &Host) {
    let junk: Vec<u8> = (0..200).flat_map(|_| field("x-junk", &"x".repeat(100))).collect();
    for bytes in [
        frame(HEADERS, 0, 1, &junk[..16_000])
            .iter()
            .chain(&frame(CONTINUATION, 0, 1, &junk[..16_000]))
            .copied()
            .collect(),
        frame(DATA, 0, 0, b"x"),
        frame(HEADERS, END_HEADERS, 2, &junk[..100]),
        frame(WINDOW_UPDATE, 0, 0, &[0; 4]),
        frame(SETTINGS, ACK, 0, &[1]),
        frame(DATA, 8, 1, &[200, 1]),
        vec![0xff; 30_000],
    ] {
        let mut stream = host.connect(&[]).await;
        let _ = stream.write_all(&bytes).await;
        frames(&mut stream).await;
    }
}

/// No TLS, half of a handshake, and garbage within TLS.
async fn break_tls(host: &Host) {
    for bytes in [
        &b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n"[..],
        &[22, 3, 1, 2, 0, 1],
        &[0x16, 3, 3, 0xff, 0xff, 1, 2, 3],
        &[],
    ] {
        let mut stream = TcpStream::connect(("127.0.0.1", host.binary.port)).await.unwrap();
        let _ = stream.write_all(bytes).await;
        let _ = stream.shutdown().await;
        let _ = stream.read_to_end(&mut Vec::new()).await;
    }
    for bytes in [
        &b"\x00\xff\xfe garbage\r\n\r\n"[..],
        &[b'x'; 40_000],
        b"POST /v1/rooms HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9\r\n\r\n{",
    ] {
        let mut stream = host.tls("http/1.1").await;
        let _ = stream.write_all(bytes).await;
        let _ = stream.shutdown().await;
        let _ = stream.read_to_end(&mut Vec::new()).await;
    }
}

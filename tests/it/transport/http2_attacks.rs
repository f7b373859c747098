//! Attacks over HTTP/2 and TLS, frame by frame.

use std::{cell::RefCell, time::Duration};

use futures_util::future::join_all;
use h2::client::SendRequest;
use http::Request;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::watch,
};
use tokio_rustls::client::TlsStream;

use crate::support::{
    attacked_server::MEMORY,
    certificate::{Certificate, write_certificate},
    http2_frames::{
        ACK, CONTINUATION, DATA, END_HEADERS, END_STREAM, HEADERS, INITIAL_WINDOW, PING, PREFACE, RST_STREAM, SETTINGS,
        WINDOW_UPDATE, field, frame, frames, request,
    },
    process::ServerProcess,
};

/// A server with little memory and TLS, and a bystander that must be served meanwhile.
struct AttackedServer {
    binary: ServerProcess,
    certificate: Certificate,
    bystander: RefCell<SendRequest<bytes::Bytes>>,
    /// How often the bystander has been served.
    talks: watch::Sender<usize>,
    path: String,
    bearer: String,
}

impl AttackedServer {
    async fn start(name: &str) -> AttackedServer {
        AttackedServer::start_with(name, "1500").await
    }

    async fn start_with(name: &str, keep_alive_ms: &str) -> AttackedServer {
        let certificate = write_certificate(name);
        let (memory, flags) = (MEMORY.to_string(), certificate.flags());
        let ours = ["--memory-bytes", &memory, "--keep-alive-ms", keep_alive_ms, "--log", "off", "--workers", "2"];
        let rates = ["--rate-join", "0", "--rate-send", "0", "--rate-poll", "0"];
        let binary =
            ServerProcess::start(&[&ours[..], &rates[..], &flags.each_ref().map(String::as_str)[..]].concat()).await;
        let bystander = RefCell::new(certificate.h2_at(binary.port).await);
        let (talks, path, bearer) = (watch::Sender::new(0), String::new(), String::new());
        let mut server = AttackedServer { binary, certificate, bystander, talks, path, bearer };
        (server.path, server.bearer) = server.join("tea").await;
        server
    }

    /// A peer's mailbox, and its token.
    async fn join(&self, room: &str) -> (String, String) {
        let (status, joined) = self.ask("", "POST", &format!("/v1/rooms/{room}/peers"), None).await;
        assert_eq!(status, 201);
        let path = format!("/v1/rooms/{room}/peers/{}/messages", joined["peer"]["id"].as_str().unwrap());
        (path, format!("Bearer {}", joined["token"].as_str().unwrap()))
    }

    /// A poll of a mailbox with that much in it.
    async fn asking_for(&self, bytes: usize) -> Vec<u8> {
        let (path, bearer) = self.join("deaf").await;
        for start in (0..bytes).step_by(60_000) {
            let data = "x".repeat(60_000.min(bytes - start));
            let (status, _) =
                self.ask(&bearer, "POST", &path, Some(json!({"type": "data", "data": data}).to_string())).await;
            assert_eq!(status, 202);
        }
        request("GET", &format!("{path}?after=0&wait=0"), &[("authorization", &bearer)])
    }

    /// A new connection, in case the last one was closed as idle on a busy machine.
    async fn bystander(&self) -> SendRequest<bytes::Bytes> {
        let last = self.bystander.borrow().clone();
        if let Ok(ready) = last.ready().await {
            return ready;
        }
        let next = self.certificate.h2_at(self.binary.port).await;
        self.bystander.replace(next.clone());
        next.ready().await.unwrap()
    }

    async fn ask(&self, bearer: &str, method: &str, path: &str, body: Option<String>) -> (u16, Value) {
        let request = Request::builder().method(method).uri(format!("https://localhost{path}"));
        let request = if bearer.is_empty() { request } else { request.header("authorization", bearer) };
        let request = request.header("content-type", "application/json").body(()).unwrap();
        let mut ready = self.bystander().await;
        let (response, mut stream) = ready.send_request(request, body.is_none()).unwrap();
        if let Some(body) = body {
            stream.send_data(body.into(), true).unwrap();
        }
        let response = response.await.unwrap();
        let status = response.status().as_u16();
        let (mut bytes, mut body) = (Vec::new(), response.into_body());
        while let Some(chunk) = body.data().await {
            let chunk = chunk.unwrap();
            body.flow_control().release_capacity(chunk.len()).unwrap();
            bytes.extend_from_slice(&chunk);
        }
        (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
    }

    /// Posts a message to itself and receives it.
    async fn talk(&self) {
        let (status, posted) =
            self.ask(&self.bearer, "POST", &self.path, Some(json!({"type": "bye"}).to_string())).await;
        assert_eq!(status, 202, "{posted}");
        let before = posted["seq"].as_u64().unwrap() - 1;
        let (status, batch) =
            self.ask(&self.bearer, "GET", &format!("{}?after={before}&wait=20", self.path), None).await;
        assert_eq!((status, &batch["messages"][0]["type"]), (200, &json!("bye")));
        self.talks.send_modify(|talks| *talks += 1);
    }

    /// Waits until the bystander has been served this many more times during an attack.
    async fn until_talked(&self, more: usize) {
        let mut talks = self.talks.subscribe();
        let enough = *talks.borrow() + more;
        talks.wait_for(|talks| *talks >= enough).await.unwrap();
    }

    /// Runs the attack; the bystander is served all the time, and memory stays within the limit.
    async fn by<T>(&self, attack: impl Future<Output = T>) -> T {
        let mut attack = std::pin::pin!(tokio::time::timeout(Duration::from_secs(240), attack));
        let mut most = 0;
        let outcome = loop {
            tokio::select! {
                biased;
                outcome = &mut attack => break outcome.expect("the attack is ended by the server"),
                () = self.talk() => most = most.max(self.binary.memory()),
            }
        };
        self.talk().await;
        most = most.max(self.binary.memory());
        println!("{} KiB", most / 1024);
        assert!(most <= MEMORY, "{} KiB", most / 1024);
        outcome
    }

    /// A connection for raw frames.
    async fn connect(&self, settings: &[u8]) -> TlsStream<TcpStream> {
        let stream = TcpStream::connect(("127.0.0.1", self.binary.port)).await.unwrap();
        let mut tls = self.certificate.connect_to(stream, "h2").await.unwrap();
        // On a busy machine it may already have been closed as idle.
        let _ = tls.write_all(PREFACE).await;
        let _ = tls.write_all(&frame(SETTINGS, 0, 0, settings)).await;
        tls
    }
}

/// Writes the same bytes forever, without reading, until the server closes.
async fn write_for_ever(stream: &mut TlsStream<TcpStream>, mut bytes: impl FnMut(u32) -> Vec<u8>) {
    for number in 0.. {
        if stream.write_all(&bytes(number)).await.is_err() {
            return;
        }
    }
}

#[actix_web::test]
async fn frame_floods_end_the_connection() {
    let server = AttackedServer::start("floods").await;
    let block = request("GET", "/healthz", &[]);
    let headers = |number: u32| frame(HEADERS, END_STREAM | END_HEADERS, 2 * number + 1, &block);
    let attack = async {
        // PING and SETTINGS whose acknowledgements are never read.
        let mut pings = server.connect(&[]).await;
        let mut settings = server.connect(&[]).await;
        // Streams reset as soon as they are open (CVE-2023-44487).
        let mut resets = server.connect(&[]).await;
        // Endless CONTINUATION frames (CVE-2024-27316).
        let mut endless = server.connect(&[]).await;
        let _ = endless.write_all(&frame(HEADERS, END_STREAM, 1, &block)).await;
        // Empty frames, which use no window (CVE-2019-9518).
        let mut empty = server.connect(&[]).await;
        let _ = empty.write_all(&frame(HEADERS, END_HEADERS, 1, &request("POST", "/v1/rooms", &[]))).await;
        let junk: Vec<u8> = (0..60).flat_map(|_| field("x-junk", &"x".repeat(200))).collect();
        tokio::join!(
            write_for_ever(&mut pings, |_| frame(PING, 0, 0, &[0; 8]).repeat(100)),
            write_for_ever(&mut settings, |_| frame(SETTINGS, 0, 0, &[]).repeat(100)),
            write_for_ever(&mut resets, |number| [
                headers(number),
                frame(RST_STREAM, 0, 2 * number + 1, &[0, 0, 0, 8])
            ]
            .concat()),
            write_for_ever(&mut endless, |_| frame(CONTINUATION, 0, 1, &junk)),
            write_for_ever(&mut empty, |_| frame(DATA, 0, 1, &[]).repeat(100)),
        );
    };
    server.by(attack).await;
}

/// Thousands of fields in one request: actix would keep their memory for good, and h2 panics beyond the capacity of its map.
#[actix_web::test]
async fn oversized_header_blocks_are_cut_off() {
    let server = AttackedServer::start("fields").await;
    let more: Vec<u8> = (0..40_000).flat_map(|number| field(&format!("x{number:05x}"), "")).collect();
    let block = [request("GET", "/healthz", &[]), more].concat();
    // The first two stop at the limit of a header block; h2 counts 32 bytes and the text for a field.
    let bomb = |stream: u32, bytes: usize| {
        let parts: Vec<&[u8]> = block[..bytes].chunks(16_000).collect();
        let (first, others) = parts.split_first().unwrap();
        let mut frames = frame(HEADERS, END_STREAM, stream, first);
        others.iter().for_each(|part| frames.extend(frame(CONTINUATION, 0, stream, part)));
        [frames, frame(CONTINUATION, END_HEADERS, stream, &field("x", "y"))].concat()
    };
    let (many, too_many) = (bomb(1, 200_000), bomb(1, block.len()));
    let attack = async {
        for bomb in [&many, &too_many].repeat(20) {
            let mut stream = server.connect(&[]).await;
            let _ = stream.write_all(bomb).await;
            let _ = stream.shutdown().await;
            assert!(frames(&mut stream).await.iter().all(|(kind, _)| *kind != HEADERS));
        }
    };
    server.by(attack).await;
    let few: Vec<u8> = (0..97).flat_map(|number| field(&format!("x{number:05x}"), "")).collect();
    let mut stream = server.connect(&[]).await;
    let block = [request("GET", "/healthz", &[]), few].concat();
    stream.write_all(&frame(HEADERS, END_STREAM | END_HEADERS, 1, &block)).await.unwrap();
    let answers = frames(&mut stream).await;
    assert!(answers.iter().any(|(_, payload)| String::from_utf8_lossy(payload).contains("headers-too-large")));
}

/// A zero window: only the heads of responses can be sent.
#[actix_web::test]
async fn responses_blocked_by_flow_control_are_dropped() {
    let server = AttackedServer::start("window").await;
    let block = server.asking_for(60_000).await;
    let attack = join_all((0..80).map(|_| async {
        let mut stream = server.connect(&[0, INITIAL_WINDOW, 0, 0, 0, 0]).await;
        for number in 0..90 {
            let head = frame(HEADERS, END_STREAM | END_HEADERS, 2 * number + 1, &block);
            if stream.write_all(&head).await.is_err() {
                break;
            }
        }
        frames(&mut stream).await
    }));
    for frames in server.by(attack).await {
        assert!(frames.iter().all(|(kind, payload)| *kind != DATA || payload.is_empty()));
    }
}

/// All windows wide open, and nothing read from the socket (CVE-2019-9517). Bytes given to h2 count as sent.
#[actix_web::test]
async fn no_more_requests_are_read_from_a_client_that_stops_reading() {
    let server = AttackedServer::start_with("asks", "60000").await;
    let block = server.asking_for(60_000).await;
    let attack = async {
        let mut stream = server.connect(&[0, INITIAL_WINDOW, 0x7f, 0xff, 0xff, 0xff]).await;
        stream.write_all(&frame(WINDOW_UPDATE, 0, 0, &0x7f00_0000_u32.to_be_bytes())).await.unwrap();
        for number in 0..20_000 {
            let asking = frame(HEADERS, END_STREAM | END_HEADERS, 2 * number + 1, &block);
            // It reads no more from this client if it serves another a hundred times while nothing can be written.
            tokio::select! {
                biased;
                _ = stream.write_all(&asking) => {}
                () = server.until_talked(100) => return number,
            }
        }
        panic!("all of it was read");
    };
    server.by(attack).await;
}

/// The same from a client that answers pings and so is known to be alive.
#[actix_web::test]
async fn a_live_client_that_opens_no_window_is_disconnected() {
    let server = AttackedServer::start("there").await;
    let attack = async |block: Vec<u8>| {
        let mut stream = server.connect(&[0, INITIAL_WINDOW, 0, 0, 0, 0]).await;
        stream.write_all(&frame(HEADERS, END_STREAM | END_HEADERS, 1, &block)).await.unwrap();
        let mut head = [0; 9];
        while stream.read_exact(&mut head).await.is_ok() {
            let mut payload = vec![0; u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize];
            stream.read_exact(&mut payload).await.unwrap();
            assert!(head[3] != DATA);
            if head[3] == PING && head[4] == 0 {
                let _ = stream.write_all(&frame(PING, ACK, 0, &payload)).await;
            }
        }
    };
    // One is answered, and one refused before it reaches an operation.
    for more in [&[][..], &[("x", "y"); 97]] {
        server.by(attack(request("GET", "/v1/rooms/tea", more))).await;
    }
}

#[actix_web::test]
async fn wrong_body_lengths_and_http_1_framing_are_refused() {
    let server = AttackedServer::start("length").await;
    let short = [("content-length", "100")];
    for (name, block, body) in [
        ("shorter than said", request("POST", "/v1/rooms", &short), &b"{}"[..]),
        ("longer than said", request("POST", "/v1/rooms", &[("content-length", "1")]), b"{}"),
        ("two lengths", request("POST", "/v1/rooms", &[("content-length", "2"), ("content-length", "3")]), b"{}"),
        ("chunks", request("POST", "/v1/rooms", &[("transfer-encoding", "chunked")]), b"0\r\n\r\n"),
        ("an upgrade", request("POST", "/v1/rooms", &[("connection", "upgrade")]), b"{}"),
        ("a field in capitals", request("POST", "/v1/rooms", &[("X-Capital", "x")]), b"{}"),
        ("a line break", request("POST", "/v1/rooms", &[("x", "a\r\nb: c")]), b"{}"),
    ] {
        let mut stream = server.connect(&[]).await;
        stream.write_all(&frame(HEADERS, END_HEADERS, 1, &block)).await.unwrap();
        let _ = stream.write_all(&frame(DATA, END_STREAM, 1, body)).await;
        let _ = stream.shutdown().await;
        let frames = server.by(frames(&mut stream)).await;
        let answered = frames.iter().any(|(kind, block)| *kind == HEADERS && is_success(block));
        assert!(!answered, "{name}: {frames:?}");
    }
    let (status, figures) = server.ask("", "GET", "/v1/rooms/tea", None).await;
    assert_eq!((status, &figures["occupancy"]), (200, &json!(1)));
}

/// HPACK's static table has `:status` 200 to 206 at 8 to 10; 201 is a literal value with that name.
fn is_success(block: &[u8]) -> bool {
    matches!(block[0], 0x88..=0x8a) || block.windows(3).any(|text| text == b"201" || text == b"202")
}

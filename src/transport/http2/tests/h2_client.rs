//! A real client, h2's, over a pipe in memory.

use std::{collections::BTreeMap, time::Duration};

use bytes::Bytes;
use h2::{Reason, client, client::SendRequest};
use http::Request;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use crate::transport::http2::connection::{Event, Input, ServerConnection};

/// Serves `/echo` (the body), `/big?N` (N bytes), `/early` (before the body is read) and `/never`; `x-echo` is sent back.
struct EchoServer {
    connection: ServerConnection,
    stream: Option<DuplexStream>,
    out: Vec<u8>,
    requests: BTreeMap<u32, Asked>,
    /// Responses that a window has stopped.
    unsent: BTreeMap<u32, Vec<u8>>,
    resets: usize,
    finished: usize,
}

struct Asked {
    path: String,
    echo: Vec<u8>,
    body: Vec<u8>,
}

impl EchoServer {
    fn new(stream: DuplexStream) -> Self {
        let mut out = Vec::new();
        let connection = ServerConnection::new(0, &mut out);
        let (requests, unsent) = Default::default();
        Self { connection, stream: Some(stream), out, requests, unsent, resets: 0, finished: 0 }
    }

    /// Serves until the client closes. It reads while it cannot write, or both ends might wait for each other.
    async fn run(mut self) -> Self {
        let (mut reader, mut writer) = tokio::io::split(self.stream.take().unwrap());
        let mut buffer = vec![0; 7_000];
        let mut events = Vec::new();
        loop {
            let length = tokio::select! {
                length = reader.read(&mut buffer) => length.unwrap(),
                length = writer.write(&self.out), if !self.out.is_empty() => {
                    self.out.drain(..length.unwrap());
                    continue;
                }
            };
            if length == 0 {
                return self;
            }
            let input = Input { bytes: &buffer[..length], wire_len: 0, earned: 1 << 20, now: 0 };
            self.connection.receive(input, &mut self.out, &mut events).unwrap();
            events.drain(..).for_each(|event| self.on_event(event));
        }
    }

    fn on_event(&mut self, event: Event) {
        match event {
            Event::Request { stream, head, ended } => {
                let echo = head.field("x-echo").unwrap_or_default().to_vec();
                let asked = Asked { path: head.path().to_owned(), echo, body: Vec::new() };
                let is_early = asked.path == "/early";
                self.requests.insert(stream, asked);
                if ended || is_early {
                    self.respond(stream);
                }
            }
            Event::Data { stream, bytes, ended } => {
                self.connection.release(stream, bytes.len() as u32, &mut self.out);
                let asked = self.requests.get_mut(&stream).unwrap();
                asked.body.extend_from_slice(&bytes);
                if ended {
                    self.respond(stream);
                }
            }
            Event::Reset { stream } => {
                assert!(self.requests.remove(&stream).is_some() || self.unsent.remove(&stream).is_some());
                self.resets += 1;
            }
            Event::WindowOpened => {
                for (stream, body) in std::mem::take(&mut self.unsent) {
                    self.send(stream, body);
                }
            }
        }
    }

    fn respond(&mut self, stream: u32) {
        if self.requests[&stream].path == "/never" {
            return;
        }
        let asked = self.requests.remove(&stream).unwrap();
        let body = match asked.path.strip_prefix("/big?") {
            Some(length) => (0..length.parse().unwrap()).map(|at: usize| at as u8).collect(),
            None => asked.body,
        };
        let length = body.len().to_string();
        let fields = [("content-length", length.as_bytes()), ("x-echo", &asked.echo), ("cache-control", b"no-store")];
        self.connection.send_head(stream, 200, fields, false, &mut self.out);
        self.send(stream, body);
    }

    fn send(&mut self, stream: u32, mut body: Vec<u8>) {
        let taken = self.connection.send_data(stream, &body, true, &mut self.out);
        let is_done = taken == body.len();
        body.drain(..taken);
        if is_done {
            self.finished += 1;
        } else {
            self.unsent.insert(stream, body);
        }
    }
}

struct Asking {
    requests: SendRequest<Bytes>,
    random: fastrand::Rng,
}

impl Asking {
    /// Text that Huffman code makes shorter or longer.
    fn text(&mut self) -> String {
        let range = [b'a'..=b'z', b' '..=b'~', b'0'..=b'9'][self.random.usize(..3)].clone();
        let text: String = (0..self.random.usize(..200)).map(|_| self.random.u8(range.clone()) as char).collect();
        text.trim().to_owned()
    }

    async fn ask(&mut self, path: &str, body: Vec<u8>) -> Result<(String, Vec<u8>), h2::Error> {
        let echo = self.text();
        let request = Request::post(format!("https://h.example{path}"))
            .header("x-echo", &echo)
            .header(format!("x-{}", self.random.u8(..30)), self.text())
            .header("authorization", "Bearer abcdefghijklmnopqrstuvwxyz")
            .body(())
            .unwrap();
        self.requests = self.requests.clone().ready().await?;
        let (response, mut stream) = self.requests.send_request(request, body.is_empty())?;
        let send = async {
            let mut body = Bytes::from(body);
            while !body.is_empty() {
                stream.reserve_capacity(body.len());
                let Some(Ok(capacity)) = std::future::poll_fn(|context| stream.poll_capacity(context)).await else {
                    return;
                };
                let piece = body.split_to(capacity.min(body.len()));
                if stream.send_data(piece, body.is_empty()).is_err() {
                    return;
                }
            }
        };
        let receive = async {
            let response = response.await?;
            assert_eq!(
                (response.status(), response.headers()["cache-control"].as_bytes()),
                (http::StatusCode::OK, &b"no-store"[..])
            );
            let echoed = response.headers()["x-echo"].to_str().unwrap().to_owned();
            assert_eq!(echoed, echo);
            let (mut bytes, mut body) = (Vec::new(), response.into_body());
            while let Some(piece) = body.data().await {
                let piece = piece?;
                body.flow_control().release_capacity(piece.len())?;
                bytes.extend_from_slice(&piece);
            }
            Ok((echoed, bytes))
        };
        tokio::join!(send, receive).1
    }

    /// Asks for what is never answered, and gives up.
    async fn give_up(&mut self) {
        self.requests = self.requests.clone().ready().await.unwrap();
        let request = Request::get("https://h.example/never").body(()).unwrap();
        let (response, mut stream) = self.requests.send_request(request, true).unwrap();
        tokio::task::yield_now().await;
        stream.send_reset(Reason::CANCEL);
        assert!(response.await.is_err());
    }
}

/// Drives the client's end, which changes its window again and again.
async fn drive(mut connection: client::Connection<DuplexStream, Bytes>) {
    let mut random = fastrand::Rng::with_seed(5);
    let mut interval = tokio::time::interval(Duration::from_millis(1));
    loop {
        tokio::select! {
            ended = &mut connection => return ended.unwrap(),
            // An earlier change may not be acknowledged yet.
            _ = interval.tick() => drop(connection.set_initial_window_size(random.u32(1_000..200_000))),
        }
    }
}

async fn converse(number: u64) -> usize {
    let (near, far) = tokio::io::duplex(10_000);
    let server = tokio::spawn(EchoServer::new(far).run());
    let mut builder = client::Builder::new();
    builder.initial_window_size(3_000).initial_connection_window_size(70_000).header_table_size(4096);
    let (requests, connection) = builder.handshake(near).await.unwrap();
    let driver = tokio::spawn(drive(connection));
    let tasks = (0..10).map(|task| {
        let mut asking = Asking { requests: requests.clone(), random: fastrand::Rng::with_seed(100 * number + task) };
        tokio::spawn(async move {
            for _ in 0..25 {
                let length = [0, 10, 1_000, 20_000][asking.random.usize(..4)];
                let body: Vec<u8> = (0..length).map(|_| asking.random.u8(..)).collect();
                match asking.random.u8(..10) {
                    0 => asking.give_up().await,
                    // Answered at once; the rest of the body is stopped.
                    1 => assert_eq!(asking.ask("/early", body).await.unwrap().1, b""),
                    2..5 => {
                        let received = asking.ask(&format!("/big?{}", 10 * length), vec![]).await.unwrap().1;
                        assert!(
                            received.len() == 10 * length
                                && received.iter().enumerate().all(|(at, byte)| at as u8 == *byte)
                        );
                    }
                    _ => assert_eq!(asking.ask("/echo", body.clone()).await.unwrap().1, body),
                }
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    drop(requests);
    driver.await.unwrap();
    let server = server.await.unwrap();
    assert_eq!((server.connection.open_streams(), server.requests.len(), server.unsent.len()), (0, 0, 0));
    assert_eq!(server.finished + server.resets, 250);
    server.resets
}

#[test]
fn h2s_client_is_served() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let resets: usize = (0..4).map(|number| runtime.block_on(converse(number))).sum();
    assert!(resets > 50, "{resets}");
}

/// A client that closes gracefully sends GOAWAY; one that is told to go away finishes what it began.
#[test]
fn a_shutdown_is_understood() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let (near, far) = tokio::io::duplex(10_000);
        let mut server = EchoServer::new(far);
        server.connection.go_away(&mut server.out);
        let server = tokio::spawn(server.run());
        let (requests, connection) = client::handshake(near).await.unwrap();
        let driver = tokio::spawn(connection);
        let mut asking = Asking { requests, random: fastrand::Rng::with_seed(1) };
        // The first may be in time.
        let _ = asking.ask("/echo", b"x".to_vec()).await;
        let error = asking.ask("/echo", b"x".to_vec()).await.unwrap_err();
        assert!(error.is_go_away() || error.reason() == Some(Reason::REFUSED_STREAM), "{error}");
        drop(asking);
        driver.await.unwrap().unwrap();
        assert!(server.await.unwrap().connection.is_finished());
    });
}

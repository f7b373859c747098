//! Peers that speak HTTP/2 over TLS, each on one connection, as in a browser.

use std::{
    cell::{Cell, RefCell},
    io,
    net::SocketAddr,
    path::Path,
    rc::Rc,
    time::Instant,
};

use bytes::Bytes;
use h2::client::{ResponseFuture, SendRequest};
use tokio::{
    net::TcpStream,
    task::{LocalSet, spawn_local},
};
use tokio_rustls::TlsConnector;

use crate::{
    crowd::Faults,
    drivers::{Driver, Seat},
    measure::Latencies,
    signal::{self, Found, Kind, Stamp},
    socket::{client_config, server_name},
    wire::{Answer, Request},
};

/// What all peers of a run share.
pub struct Shared {
    driver: Box<dyn Driver>,
    tls: TlsConnector,
    addr: SocketAddr,
    started: Instant,
    requests: Cell<u64>,
    latencies: RefCell<Latencies>,
    faults: RefCell<Faults>,
}

/// A peer in its room.
#[derive(Clone)]
pub struct Peer {
    pub number: usize,
    pub seat: Seat,
    shared: Rc<Shared>,
    client: SendRequest<Bytes>,
}

/// Runs on this thread.
pub fn block_on<T>(future: impl Future<Output = Result<T, String>>) -> Result<T, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    LocalSet::new().block_on(&runtime.map_err(|error| error.to_string())?, future)
}

impl Shared {
    /// Of a server that presents the certificate in a folder.
    pub fn new(driver: Box<dyn Driver>, addr: SocketAddr, folder: &Path) -> Result<Rc<Self>, String> {
        let tls = TlsConnector::from(client_config(folder, "h2")?);
        let (requests, latencies, faults) = Default::default();
        Ok(Rc::new(Self { driver, tls, addr, started: Instant::now(), requests, latencies, faults }))
    }

    /// The latencies of the messages that have arrived since the last call.
    pub fn take_latencies(&self) -> Latencies {
        self.latencies.take()
    }

    /// How many requests were sent.
    pub fn requests(&self) -> u64 {
        self.requests.get()
    }

    pub fn faults(&self) -> Faults {
        *self.faults.borrow()
    }

    async fn connect(&self) -> io::Result<SendRequest<Bytes>> {
        let socket = TcpStream::connect(self.addr).await?;
        socket.set_nodelay(true)?;
        let stream = self.tls.connect(server_name()?, socket).await?;
        let (client, connection) = h2::client::handshake(stream).await.map_err(io::Error::other)?;
        spawn_local(async { drop(connection.await) });
        Ok(client)
    }

    fn micros(&self) -> u64 {
        self.started.elapsed().as_micros() as u64
    }
}

impl Peer {
    /// Connects, and joins a room of two.
    pub async fn enter(shared: &Rc<Shared>, number: usize) -> Result<Self, String> {
        let mut peer = Self::connect(shared, number).await?;
        peer.join(format!("room-{}", number / 2), format!("peer-{number}")).await?;
        Ok(peer)
    }

    pub async fn connect(shared: &Rc<Shared>, number: usize) -> Result<Self, String> {
        let client = shared.connect().await.map_err(|error| format!("no connection: {error}"))?;
        Ok(Self { number, seat: Seat::default(), shared: shared.clone(), client })
    }

    /// Joins a room of two, on the connection that there is.
    pub async fn join(&mut self, room: String, name: String) -> Result<(), String> {
        self.seat = Seat { room, name, capacity: 2, ..Seat::default() };
        let (mut request, mut last) = (Request::default(), None);
        let shared = self.shared.clone();
        while shared.driver.enter(&mut self.seat, last.as_ref(), &mut request)? {
            last = Some(answer(self.ask(&request).await?).await?);
        }
        Ok(())
    }

    pub async fn leave(&self) -> Result<(), String> {
        let mut request = Request::default();
        self.shared.driver.leave(&self.seat, &mut request);
        answer(self.ask(&request).await?).await.map(drop)
    }

    /// Sends a poll; [`hear`](Self::hear) waits for its answer.
    pub async fn poll(&self) -> Result<ResponseFuture, String> {
        let mut request = Request::default();
        self.shared.driver.poll(&self.seat, &mut request);
        self.ask(&request).await
    }

    /// Waits until a poll is answered.
    pub async fn hear(&mut self, poll: ResponseFuture) -> Result<Answer, String> {
        let news = answer(poll).await?;
        self.shared.driver.polled(&mut self.seat, &news, &mut Request::default())?;
        Ok(news)
    }

    /// Checks the messages in an answer, of which the first should have this number. Returns how many there are.
    pub fn check(&self, news: &Answer, mut expected: u32) -> usize {
        let now = self.shared.micros();
        let first = expected;
        let mut faults = self.shared.faults.borrow_mut();
        for Found { stamp: Stamp { to, number, sent, .. }, whole, .. } in signal::find(news.body()) {
            faults.broken += u64::from(!whole || to as usize != self.number);
            faults.doubled += u64::from(number < expected);
            faults.disordered += u64::from(number > expected);
            self.shared.latencies.borrow_mut().record(now.saturating_sub(sent));
            expected += 1;
        }
        (expected - first) as usize
    }

    /// Posts messages to the other peer in its room, in one request, with the number of the first.
    pub async fn post(&self, other: &Seat, kinds: &[Kind], first: u32) -> Result<(), String> {
        let (from, to, sent) = (self.number as u32, self.number as u32 ^ 1, self.shared.micros());
        let written = kinds.iter().zip(first..).map(|(kind, number)| {
            let mut text = Vec::new();
            signal::write(&mut text, *kind, Stamp { from, to, number, sent });
            text
        });
        let texts: Vec<Vec<u8>> = written.collect();
        let mail: Vec<(&Seat, &[u8])> = texts.iter().map(|text| (other, &text[..])).collect();
        let mut request = Request::default();
        self.shared.driver.post(&self.seat, &mail, &mut request);
        let posted = answer(self.ask(&request).await?).await?;
        if posted.is_success() { Ok(()) } else { Err(format!("a post was refused: {}", posted.glance())) }
    }

    /// Sends the request; returns the future of its response.
    async fn ask(&self, request: &Request) -> Result<ResponseFuture, String> {
        self.shared.requests.update(|count| count + 1);
        let Request { method, path, head, body } = request;
        let mut request = http::Request::builder().method(*method).uri(format!("https://localhost{path}"));
        for (name, value) in head.lines().filter_map(|line| line.split_once(": ")) {
            request = request.header(name, value);
        }
        let request = request.body(()).map_err(|error| error.to_string())?;
        let mut client = self.client.clone().ready().await.map_err(|error| error.to_string())?;
        let sent = client.send_request(request, body.is_empty());
        let (asked, mut stream) = sent.map_err(|error| error.to_string())?;
        if !body.is_empty() {
            stream.send_data(Bytes::copy_from_slice(body), true).map_err(|error| error.to_string())?;
        }
        Ok(asked)
    }
}

async fn answer(asked: ResponseFuture) -> Result<Answer, String> {
    let response = asked.await.map_err(|error| error.to_string())?;
    let status = response.status().as_u16();
    let head: String = ["last-modified", "etag"]
        .iter()
        .filter_map(|name| Some(format!("{name}: {}\r\n", response.headers().get(*name)?.to_str().ok()?)))
        .collect();
    let mut bytes = format!("\r\n{head}").into_bytes();
    let start = bytes.len();
    let mut stream = response.into_body();
    while let Some(chunk) = stream.data().await {
        let chunk = chunk.map_err(|error| error.to_string())?;
        stream.flow_control().release_capacity(chunk.len()).map_err(|error| error.to_string())?;
        bytes.extend_from_slice(&chunk);
    }
    Ok(Answer::new(status, bytes, start))
}

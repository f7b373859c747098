//! Ping-pong over TLS and HTTP/2: each peer has one connection, for its poll and its posts.

use std::{
    cell::{Cell, RefCell},
    path::Path,
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use h2::client::{ResponseFuture, SendRequest};
use tokio::{
    net::TcpStream,
    sync::mpsc::{UnboundedSender, unbounded_channel},
    task::{LocalSet, spawn_local},
    time::{sleep, timeout},
};
use tokio_rustls::{
    TlsConnector,
    rustls::{
        ClientConfig, RootCertStore,
        crypto::ring,
        pki_types::{CertificateDer, ServerName, pem::PemObject},
    },
};

use crate::{
    crowd::Faults,
    drivers::{Driver, Seat},
    measure::{Latencies, Outcome, Window, figures},
    servers::{Running, Setting},
    signal::{self, Kind, Stamp},
    stage::{LAST, Task, WARM_UP},
    wire::{Answer, Request},
};

/// State that all peers share.
struct Game {
    driver: Box<dyn Driver>,
    started: Instant,
    latencies: RefCell<Latencies>,
    faults: RefCell<Faults>,
    is_over: Cell<bool>,
    /// Each pair reports once: its last message has arrived, or what went wrong.
    ended: UnboundedSender<Result<(), String>>,
}

struct Peer {
    game: Rc<Game>,
    number: u32,
    seat: Seat,
    client: SendRequest<Bytes>,
    request: Request,
}

pub fn run(running: &Running, driver: Box<dyn Driver>, setting: &Setting, task: Task) -> Result<Outcome, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    LocalSet::new().block_on(&runtime, play(running, driver, setting, task))
}

async fn play(running: &Running, driver: Box<dyn Driver>, setting: &Setting, task: Task) -> Result<Outcome, String> {
    let (ended, mut endings) = unbounded_channel();
    let (latencies, faults, is_over) = Default::default();
    let game = Rc::new(Game { driver, started: Instant::now(), latencies, faults, is_over, ended });
    let connector = connector(&setting.folder)?;
    let mut peers = Vec::new();
    for number in 0..2 * task.size {
        peers.push(Peer::enter(&game, number, &connector, running).await?);
    }
    let seats: Vec<Seat> = peers.iter().map(|peer| peer.seat.clone()).collect();
    for peer in peers {
        let other = seats[peer.number as usize ^ 1].clone();
        let ended = game.ended.clone();
        spawn_local(async move {
            if let Err(error) = peer.play(other).await {
                let _ = ended.send(Err(error));
            }
        });
    }
    sleep(Duration::from_secs_f64(task.seconds * WARM_UP)).await;
    game.latencies.take();
    let window = Window::open(std::slice::from_ref(&running.process))?;
    sleep(Duration::from_secs_f64(task.seconds)).await;
    let spent = window.close(std::slice::from_ref(&running.process))?;
    let mut latencies = game.latencies.take();
    let checked = latencies.len() as u64;
    game.is_over.set(true);
    for _ in 0..task.size {
        let ending = timeout(LAST, endings.recv()).await;
        ending.map_err(|_| "some last messages did not arrive".to_owned())?.unwrap_or(Ok(()))?;
    }
    let faults = *game.faults.borrow();
    let generator = spent.generator;
    Ok(Outcome { figures: figures(&spent, &mut latencies), faults, checked, generator })
}

fn connector(folder: &Path) -> Result<TlsConnector, String> {
    let mut roots = RootCertStore::empty();
    let certificate = CertificateDer::from_pem_file(folder.join("cert.pem")).map_err(|error| error.to_string())?;
    roots.add(certificate).map_err(|error| error.to_string())?;
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let config = config.with_safe_default_protocol_versions().map_err(|error| error.to_string())?;
    let mut config = config.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec!["h2".into()];
    Ok(TlsConnector::from(Arc::new(config)))
}

impl Peer {
    async fn enter(game: &Rc<Game>, number: usize, tls: &TlsConnector, running: &Running) -> Result<Self, String> {
        let name = ServerName::try_from("localhost").map_err(|error| error.to_string())?;
        let socket = TcpStream::connect(running.addr).await.map_err(|error| error.to_string())?;
        socket.set_nodelay(true).map_err(|error| error.to_string())?;
        let stream = tls.connect(name, socket).await.map_err(|error| error.to_string())?;
        let (client, connection) = h2::client::handshake(stream).await.map_err(|error| error.to_string())?;
        spawn_local(async { drop(connection.await) });
        let seat = Seat {
            room: format!("room-{}", number / 2),
            name: format!("peer-{number}"),
            capacity: 2,
            ..Seat::default()
        };
        let number = u32::try_from(number).map_err(|error| error.to_string())?;
        let mut peer = Self { game: game.clone(), number, seat, client, request: Request::default() };
        let mut last = None;
        while game.driver.enter(&mut peer.seat, last.as_ref(), &mut peer.request)? {
            let asked = peer.ask().await?;
            last = Some(answer(asked).await?);
        }
        Ok(peer)
    }

    /// Sends the request; returns the future of its response.
    async fn ask(&mut self) -> Result<ResponseFuture, String> {
        let Request { method, path, head, body } = &self.request;
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

    async fn poll(&mut self) -> Result<ResponseFuture, String> {
        self.game.driver.poll(&self.seat, &mut self.request);
        self.ask().await
    }

    async fn post(&mut self, number: u32, other: &Seat) -> Result<(), String> {
        let sent = self.game.started.elapsed().as_micros() as u64;
        let mut text = Vec::new();
        signal::write(&mut text, Kind::Data, Stamp { from: self.number, to: self.number ^ 1, number, sent });
        self.game.driver.post(&self.seat, &[(other, &text)], &mut self.request);
        let posted = answer(self.ask().await?).await?;
        if posted.is_success() { Ok(()) } else { Err(format!("a post was refused: {}", posted.glance())) }
    }

    async fn play(mut self, other: Seat) -> Result<(), String> {
        let game = self.game.clone();
        let mut poll = self.poll().await?;
        let (mut heard, mut posted) = (0, 0);
        if self.number.is_multiple_of(2) {
            self.post(posted, &other).await?;
            posted += 1;
        }
        loop {
            let news = answer(poll).await?;
            game.driver.polled(&mut self.seat, &news, &mut self.request)?;
            poll = self.poll().await?;
            for found in signal::find(news.body()) {
                self.check(&found, heard);
                heard += 1;
                if game.is_over.get() {
                    let _ = game.ended.send(Ok(()));
                } else {
                    self.post(posted, &other).await?;
                    posted += 1;
                }
            }
        }
    }

    fn check(&self, found: &signal::Found, expected: u32) {
        let Stamp { to, number, sent, .. } = found.stamp;
        let now = self.game.started.elapsed().as_micros() as u64;
        let mut faults = self.game.faults.borrow_mut();
        faults.broken += u64::from(!found.whole || to != self.number);
        faults.doubled += u64::from(number < expected);
        faults.disordered += u64::from(number > expected);
        self.game.latencies.borrow_mut().record(now.saturating_sub(sent));
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

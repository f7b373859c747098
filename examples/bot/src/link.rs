//! The connection with one peer: one str0m `Rtc` after the other, each driven by this loop.

use std::error::Error;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use signalpost_client::{Candidate as Sent, Peer, Room, Signal};
use str0m::change::{SdpAnswer, SdpOffer, SdpPendingOffer};
use str0m::channel::{ChannelConfig, ChannelId};
use str0m::net::{Protocol, Receive};
use str0m::{Candidate, Event, IceConnectionState, Input, Output, Rtc};
use tokio::net::UdpSocket;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{sleep_until, timeout_at};

use crate::{media, words};

type Failure = Box<dyn Error + Send + Sync>;

/// How long a connection may take, or be interrupted, before the next one is offered.
const PATIENCE: Duration = Duration::from_secs(15);
const MAX_ATTEMPTS: u32 = 8;
/// Candidates that may wait for their description.
const MAX_EARLY: usize = 128;

/// The same for all links.
#[derive(Clone, Copy)]
pub struct Setup {
    /// Where packets arrive.
    pub address: IpAddr,
    /// Whether picture and sound are sent back. Otherwise none are taken.
    pub echo: bool,
}

pub enum Order {
    /// A new connection, beginning with an offer.
    Offer,
    OfferUnlessConnected,
    /// The peer has just joined, and is going to offer.
    Expect,
    Take(Signal),
}

/// Runs until its orders end.
pub async fn run(
    room: Room,
    peer: Arc<Peer>,
    setup: Setup,
    mut orders: UnboundedReceiver<Order>,
) -> Result<(), Failure> {
    let socket = UdpSocket::bind((setup.address, 0)).await?;
    let mut link = Link::new(room, peer, socket, setup.echo)?;
    let mut buffer = vec![0; 2_000];
    loop {
        let next = link.drive().await?;
        let due = next.min(link.deadline.unwrap_or(next));
        tokio::select! {
            order = orders.recv() => match order {
                Some(order) => link.obey(order)?,
                None => return Ok(()),
            },
            received = link.socket.recv_from(&mut buffer) => {
                // A port that is closed is told here, too.
                if let Ok((length, source)) = received {
                    link.receive(&buffer[..length], source)?;
                }
            }
            () = sleep_until(due.into()) => link.elapsed()?,
        }
    }
}

struct Link {
    room: Room,
    peer: Arc<Peer>,
    socket: UdpSocket,
    echo: bool,
    rtc: Rtc,
    pending: Option<SdpPendingOffer>,
    /// The fingerprint of the peer's certificate, once a description of this connection has come.
    remote: Option<String>,
    early: Vec<Sent>,
    connected: bool,
    /// When to begin anew.
    deadline: Option<Instant>,
    attempts: u32,
}

impl Link {
    fn new(room: Room, peer: Arc<Peer>, socket: UdpSocket, echo: bool) -> Result<Self, Failure> {
        let rtc = fresh(&socket)?;
        let (pending, remote, early, connected, deadline, attempts) = Default::default();
        Ok(Self { room, peer, socket, echo, rtc, pending, remote, early, connected, deadline, attempts })
    }

    /// Does what is due, and says when something will be due next.
    async fn drive(&mut self) -> Result<Instant, Failure> {
        loop {
            match self.rtc.poll_output()? {
                Output::Timeout(at) => return Ok(at),
                // What cannot be sent is lost, as in any network.
                Output::Transmit(packet) => {
                    let sending = self.socket.send_to(&packet.contents, packet.destination);
                    let _ = timeout_at(tokio::time::Instant::now() + Duration::from_millis(100), sending).await;
                }
                Output::Event(event) => self.happened(event)?,
            }
        }
    }

    fn happened(&mut self, event: Event) -> Result<(), Failure> {
        match event {
            Event::IceConnectionStateChange(state) => self.ice(state),
            Event::ChannelOpen(id, _) => {
                println!("chat with {}", self.peer.name);
                self.say(id, words::GREETING)?;
            }
            Event::ChannelData(data) => {
                let people: Vec<_> =
                    self.room.peers().iter().chain([&self.room.me()]).map(|peer| peer.name.clone()).collect();
                let text = String::from_utf8_lossy(&data.data);
                if let Some(answer) = words::answer(&text, &people, |sides| fastrand::u32(1..=sides)) {
                    self.say(data.id, &answer)?;
                }
            }
            Event::MediaData(data) if self.echo => media::echo(&mut self.rtc, data),
            Event::KeyframeRequest(request) => media::request(&mut self.rtc, request),
            _ => {}
        }
        Ok(())
    }

    fn ice(&mut self, state: IceConnectionState) {
        match state {
            IceConnectionState::Connected | IceConnectionState::Completed => {
                (self.connected, self.deadline, self.attempts) = (true, None, 0);
            }
            IceConnectionState::Disconnected => {
                self.connected = false;
                self.wait();
            }
            _ => {}
        }
    }

    fn say(&mut self, id: ChannelId, text: &str) -> Result<(), Failure> {
        if let Some(mut channel) = self.rtc.channel(id) {
            channel.write(false, text.as_bytes())?;
        }
        Ok(())
    }

    fn obey(&mut self, order: Order) -> Result<(), Failure> {
        match order {
            Order::Offer => self.offer(),
            Order::OfferUnlessConnected if self.connected => Ok(()),
            Order::OfferUnlessConnected => self.offer(),
            Order::Expect => {
                self.wait();
                Ok(())
            }
            Order::Take(signal) => {
                // What str0m does not understand is treated like something that was lost.
                if let Err(error) = self.take(signal) {
                    println!("not understood from {}: {error}", self.peer.name);
                    self.wait();
                }
                Ok(())
            }
        }
    }

    fn receive(&mut self, contents: &[u8], source: std::net::SocketAddr) -> Result<(), Failure> {
        let destination = self.socket.local_addr()?;
        // Anything can arrive at an open port.
        if let Ok(contents) = contents.try_into() {
            let packet = Receive { proto: Protocol::Udp, source, destination, contents };
            let input = Input::Receive(Instant::now(), packet);
            if self.rtc.accepts(&input) {
                self.rtc.handle_input(input)?;
            }
        }
        Ok(())
    }

    fn elapsed(&mut self) -> Result<(), Failure> {
        let now = Instant::now();
        if self.deadline.is_some_and(|deadline| deadline <= now) {
            self.deadline = None;
            self.attempts += 1;
            if self.attempts <= MAX_ATTEMPTS {
                self.offer()?;
            }
        }
        Ok(self.rtc.handle_input(Input::Timeout(now))?)
    }

    fn wait(&mut self) {
        self.deadline = Some(Instant::now() + PATIENCE);
    }

    fn renew(&mut self) -> Result<(), Failure> {
        self.rtc = fresh(&self.socket)?;
        (self.pending, self.remote, self.connected) = (None, None, false);
        self.wait();
        Ok(())
    }

    fn offer(&mut self) -> Result<(), Failure> {
        self.renew()?;
        let mut changes = self.rtc.sdp_api();
        changes.add_channel_with_config(chat());
        let (offer, pending) = changes.apply().ok_or("nothing to offer")?;
        self.pending = Some(pending);
        drop(self.room.send(&self.peer.id, Signal::Offer(offer.to_sdp_string())));
        Ok(())
    }

    fn take(&mut self, signal: Signal) -> Result<(), Failure> {
        match signal {
            Signal::Offer(sdp) => self.answer(&sdp),
            Signal::Answer(sdp) => self.accept(&sdp),
            Signal::Candidate(Some(candidate)) if self.remote.is_none() => {
                self.early.truncate(MAX_EARLY - 1);
                self.early.push(candidate);
                Ok(())
            }
            Signal::Candidate(Some(candidate)) => {
                self.add(&candidate);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn answer(&mut self, sdp: &str) -> Result<(), Failure> {
        // If both offer at once, the peer that joined later gives way; str0m cannot roll back, but a new connection can.
        let is_polite = self.room.me().order > self.peer.order;
        if self.pending.is_some() && !is_polite {
            return Ok(());
        }
        // Another certificate is another connection: the page was loaded again (docs/clients.md).
        let fingerprint = fingerprint(sdp);
        let is_first = self.remote.is_none();
        if self.pending.is_some() || !is_first && self.remote != fingerprint {
            self.renew()?;
        }
        let offer = if self.echo { sdp.to_owned() } else { media::without(sdp) };
        let answer = self.rtc.sdp_api().accept_offer(SdpOffer::from_sdp_string(&offer)?)?;
        if self.remote.is_none() {
            self.rtc.direct_api().create_data_channel(chat());
        }
        drop(self.room.send(&self.peer.id, Signal::Answer(answer.to_sdp_string())));
        self.described(fingerprint);
        Ok(())
    }

    fn accept(&mut self, sdp: &str) -> Result<(), Failure> {
        // An answer to an offer that was given up.
        let Some(pending) = self.pending.take() else { return Ok(()) };
        self.rtc.sdp_api().accept_answer(pending, SdpAnswer::from_sdp_string(sdp)?)?;
        self.described(fingerprint(sdp));
        Ok(())
    }

    fn described(&mut self, fingerprint: Option<String>) {
        self.remote = fingerprint;
        if !self.connected {
            self.wait();
        }
        for candidate in std::mem::take(&mut self.early) {
            self.add(&candidate);
        }
    }

    /// str0m takes no TCP and no names such as `*.local`. A peer that has only those is found by the packets that it sends.
    fn add(&mut self, candidate: &Sent) {
        if let Ok(candidate) = Candidate::from_sdp_string(&candidate.candidate) {
            self.rtc.add_remote_candidate(candidate);
        }
    }
}

fn fresh(socket: &UdpSocket) -> Result<Rtc, Failure> {
    let mut rtc = Rtc::builder().build(Instant::now());
    rtc.add_local_candidate(Candidate::host(socket.local_addr()?, "udp")?);
    Ok(rtc)
}

/// The channel that both ends agree on beforehand (docs/clients.md).
fn chat() -> ChannelConfig {
    ChannelConfig { label: "chat".into(), negotiated: Some(0), ..Default::default() }
}

fn fingerprint(sdp: &str) -> Option<String> {
    let line = sdp.lines().find_map(|line| line.strip_prefix("a=fingerprint:"))?;
    Some(line.trim().to_ascii_lowercase())
}

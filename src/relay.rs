//! Puts the relay together from the options: sockets, credentials, and what peers are told of it.

use std::{
    net::{SocketAddr, TcpListener, UdpSocket},
    sync::Arc,
    time::Duration,
};

use crate::{
    api::auth::token::TokenKey,
    bind,
    clock::Clock,
    config::Config,
    engine::Engine,
    ice::{MainPort, OwnRelay, split_port},
    transport::{
        client_address::TrustedProxies,
        other_protocol::{OtherProtocol, Others},
    },
    turn::{
        Credentials, RelayNodes, RelayParts, TurnServer,
        net::{endpoint::Endpoint, thread::TurnThread},
    },
};

/// A call that sends nothing for so long is over: each end checks the connection at least every 2.5 s (RFC 7675 section 5.1: 5 s).
const QUIET: Duration = Duration::from_secs(6);
/// How often to check whether any call is left.
const DRAIN_INTERVAL: Duration = Duration::from_millis(50);

/// STUN and the relay; nothing if neither is configured.
pub struct Relay {
    pub server: Option<Arc<TurnServer>>,
    /// What peers are told.
    pub offer: Option<OwnRelay>,
    /// TCP of `--turn-listen`.
    pub listeners: Vec<TcpListener>,
    endpoints: Vec<Arc<Endpoint>>,
    stun: Option<SocketAddr>,
    /// Where the relay is reached besides the server's own address.
    more: Vec<SocketAddr>,
    /// The server's own address, if the relay is there.
    main: Option<SocketAddr>,
    pub drain: Duration,
}

impl Relay {
    /// With the server's own address, and UDP on it, if there is a relay.
    pub fn build(
        config: &Config,
        (addr, main): (SocketAddr, Option<UdpSocket>),
        engine: &Engine,
        tokens: &TokenKey,
        proxies: &Arc<TrustedProxies>,
        clock: Clock,
    ) -> Result<Self, String> {
        let failed = |error: std::io::Error| format!("the relay cannot start: {error}");
        let stun = config.stun_listen.map(|addr| bind::udp(addr, "--stun-listen")).transpose()?;
        let stun_addr = stun.as_ref().and_then(|socket| socket.local_addr().ok());
        let (mut sockets, mut listeners, mut more) = (Vec::new(), Vec::new(), Vec::new());
        let main_addr = main.as_ref().map(|_| addr);
        sockets.extend(main);
        sockets.extend(stun);
        for addr in &config.relay.turn_listen {
            let (listener, addr, socket) = bind::tcp_and_udp(*addr, "--turn-listen")?;
            listeners.push(listener);
            sockets.push(socket);
            more.push(addr);
        }
        let endpoints = (0..).zip(sockets).map(|(number, socket)| Endpoint::new(socket, number));
        let endpoints = endpoints.collect::<std::io::Result<Vec<_>>>().map_err(failed)?;
        let credentials = config.has_relay().then(|| Credentials::new(&tokens.derive_key(b"relay"))).transpose();
        let credentials = credentials.map_err(failed)?.map(Arc::new);
        let nodes = config.relay.public_host.as_ref().map(|host| Arc::new(RelayNodes::new(with_port(host, addr))));
        let offer = credentials.clone().map(|credentials| OwnRelay {
            credentials,
            port: main_port(config, addr, &more),
            nodes: nodes.clone(),
            more_ports: more.iter().map(SocketAddr::port).collect::<Vec<_>>(),
            encrypted: config.is_encrypted(),
        });
        config.check_relay_sockets()?;
        let (peers, peer_sockets) = config.relay_peers();
        let limits = config.relay_limits();
        let relay = credentials.map(|credentials| RelayParts { credentials, limits, peers, sockets: peer_sockets });
        let server = (!endpoints.is_empty()).then(|| TurnServer::new(relay, engine.clone(), proxies.clone(), clock));
        let drain = Duration::from_millis(config.drain_ms);
        Ok(Self { server, offer, listeners, endpoints, stun: stun_addr, more, main: main_addr, drain })
    }

    pub fn stun_addr(&self) -> Option<SocketAddr> {
        self.stun
    }

    pub fn others(&self) -> Others {
        let server = self.server.clone().filter(|server| server.has_relay())?;
        Some(Arc::new(server) as Arc<dyn OtherProtocol>)
    }

    /// Where the relay is reached, besides STUN.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.main.iter().chain(&self.more).copied().collect()
    }

    /// Serves UDP until the returned value is dropped.
    pub fn start(&mut self) -> std::io::Result<Option<TurnThread>> {
        let endpoints = std::mem::take(&mut self.endpoints);
        self.server.clone().map(|server| TurnThread::start(server, endpoints)).transpose()
    }

    /// Waits until no call is relayed any more, for a limited time.
    pub async fn drained(&self) {
        let Some(server) = &self.server else { return };
        let _ = tokio::time::timeout(self.drain, async {
            while server.is_busy(QUIET) {
                tokio::time::sleep(DRAIN_INTERVAL).await;
            }
        })
        .await;
    }
}

/// The other nodes cannot know which port is meant without one.
fn with_port(host: &str, addr: SocketAddr) -> String {
    match split_port(host) {
        (_, Some(_)) => host.to_owned(),
        (host, None) => format!("{host}:{}", addr.port()),
    }
}

fn main_port(config: &Config, addr: SocketAddr, more: &[SocketAddr]) -> MainPort {
    match config.is_encrypted() {
        true => MainPort::AsRequested,
        false if more.is_empty() => MainPort::Fixed(addr.port()),
        false => MainPort::None,
    }
}

//! The application as a value: built from a [`Config`], it has an address, runs, and can be stopped.

use std::{
    io::Write,
    net::{SocketAddr, TcpListener, UdpSocket},
    sync::Arc,
    time::Duration,
};

use actix_web::dev::Server;
use futures_util::future::{OptionFuture, join, join_all};
use tokio::sync::watch;

use crate::{
    api::{Api, auth::rate_limit::RateLimiters, base_path::BasePath, request_metrics::RequestMetrics},
    bind,
    cli::reachable::reachable_at,
    clock::Clock,
    config::Config,
    relay::Relay,
    server::ServerOptions,
    tls::Tls,
    transport::{
        client_address::TrustedProxies,
        limits::{self, registry::ConnectionRegistry},
    },
};

pub struct App {
    server: Server,
    metrics_server: Option<Server>,
    metrics_connections: Arc<ConnectionRegistry>,
    addr: SocketAddr,
    base_path: BasePath,
    metrics_addr: Option<SocketAddr>,
    api: Arc<Api>,
    tls: Option<Tls>,
    relay: Relay,
    /// Of `--turn-listen`, over TCP.
    turn_servers: Vec<Server>,
    stop: watch::Sender<bool>,
    warnings: Vec<&'static str>,
}

/// Stops an [`App`] from elsewhere, as SIGTERM would.
#[derive(Clone, Debug)]
pub struct Stopper(watch::Sender<bool>);

impl Stopper {
    pub fn stop(&self) {
        // Unlike `send`, this also works before anything subscribes.
        self.0.send_replace(true);
    }
}

/// Time for writing the last responses after the last handler has returned.
const FLUSH_TIME: Duration = Duration::from_millis(300);
/// The longest that requests in flight delay the end.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);
/// How often idle rate limits are dropped and overdue connections closed, at least.
const SWEEP_INTERVAL: Duration = Duration::from_secs(5);

impl App {
    /// Binds the addresses and builds everything else. An error says what to change.
    pub fn build(mut config: Config) -> Result<Self, String> {
        // Each client is a connection, and the default limit is meant for programs with a few files.
        let descriptors = rlimit::increase_nofile_limit(u64::MAX).unwrap_or(1024);
        config.bound_relay(descriptors);
        let clock = Clock::start();
        let limits = Arc::new(config.limits());
        let proxies = Arc::new(TrustedProxies(config.trusted_proxy.clone()));
        let registry = |limits| {
            let clock = limits::Clock::new(move || clock.now().millis());
            ConnectionRegistry::new(limits, proxies.clone(), clock)
        };
        let connections = registry(config.connections(descriptors));
        let metrics_connections = registry(config.metrics_connections());
        config.check()?;
        let (listener, addr, udp) = listen(&config)?;
        let (engine, tokens) = (config.engine(&limits, clock)?, config.token_key()?);
        let mut relay = Relay::build(&config, (addr, udp), &engine, &tokens, &proxies, clock)?;
        let api = Arc::new(Api {
            engine,
            limits,
            tokens,
            tickets: config.ticket_keys()?.map(Arc::new),
            rates: Arc::new(RateLimiters::new(config.rates(), clock)),
            proxies: proxies.clone(),
            ice: config.ice(relay.stun_addr().map(|addr| addr.port()), relay.offer.clone()),
            turn: relay.server.clone(),
            clock,
            request_metrics: Arc::default(),
            connections: connections.clone(),
            latest_stats: Arc::default(),
            metrics_at: config.metrics_at(),
            base_path: config.base_path.clone(),
        });
        let tls = config.tls(&reachable_at(addr))?;
        let options = server_options(&config, &relay, tls.as_ref())?;
        let metrics = config.metrics_listen.map(|addr| bind::tcp(addr, "--metrics-listen")).transpose()?;
        let metrics_addr = metrics.as_ref().map(|(_, addr)| *addr);
        let serve_metrics = |(listener, _)| {
            crate::server::serve_metrics(listener, api.clone(), metrics_connections.clone(), &config.host)
        };
        let turn_servers = serve_turn(&mut relay, &connections)?;
        let metrics_server = metrics.map(serve_metrics).transpose().map_err(|error| error.to_string())?;
        Ok(Self {
            server: crate::server::serve(listener, api.clone(), options).map_err(|error| error.to_string())?,
            metrics_server,
            metrics_connections,
            addr,
            base_path: config.base_path.clone(),
            metrics_addr,
            api,
            tls,
            relay,
            turn_servers,
            stop: watch::channel(false).0,
            warnings: config.warnings(),
        })
    }

    /// The address it listens on, with the real port.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The address of `--metrics-listen`, with the real port.
    pub fn metrics_addr(&self) -> Option<SocketAddr> {
        self.metrics_addr
    }

    /// The address of `--stun-listen`, with the real port.
    pub fn stun_addr(&self) -> Option<SocketAddr> {
        self.relay.stun_addr()
    }

    pub fn stopper(&self) -> Stopper {
        Stopper(self.stop.clone())
    }

    /// Prints the addresses, and logs what should be different on the internet.
    pub fn announce(&self) {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        let addresses = reachable_at(self.addr);
        let line = |address: &SocketAddr| format!("listening on {scheme}://{address}");
        let mut lines: Vec<String> = addresses.iter().map(line).collect();
        lines.push(format!("API: {scheme}://{}{}/swagger-ui/", addresses[0], self.base_path.as_str()));
        let others = |address: Option<SocketAddr>| address.map(reachable_at).unwrap_or_default();
        lines.extend(others(self.metrics_addr).iter().map(|address| format!("metrics: http://{address}/metrics")));
        lines.extend(others(self.stun_addr()).iter().map(|address| format!("STUN: udp://{address}")));
        let relays = self.relay.addresses().into_iter().flat_map(reachable_at);
        lines.extend(relays.map(|address| format!("relay: turn:{address}")));
        // A script that waited for the first line may have closed the pipe.
        let _ = writeln!(std::io::stdout(), "{}", lines.join("\n"));
        for warning in &self.warnings {
            tracing::warn!("{warning}");
        }
    }

    /// Runs until SIGTERM, SIGINT or a [`Stopper`], then answers every parked poll and all requests in flight.
    pub async fn run_until_stopped(self) -> std::io::Result<()> {
        let Self { server, metrics_server, metrics_connections, api, tls, mut relay, turn_servers, stop, .. } = self;
        // Dropped at the end, which ends it.
        let _turn_thread = relay.start()?;
        let mut stop = stop.subscribe();
        let background_api = api.clone();
        let background = actix_web::rt::spawn(async move {
            let api = background_api;
            let certificate = OptionFuture::from(tls.as_ref().map(Tls::follow_files));
            let ticket_keys = OptionFuture::from(api.tickets.as_ref().map(|keys| keys.follow_file()));
            let sweep = sweep(&api, &metrics_connections);
            let nodes = OptionFuture::from(api.ice.relay_nodes().map(|nodes| nodes.follow(&api.engine)));
            let servers = join_all(metrics_server.into_iter().chain(turn_servers));
            tokio::join!(api.engine.sweep(), sweep, certificate, ticket_keys, nodes, servers)
        });
        let handle = server.handle();
        let mut server = std::pin::pin!(server);
        let outcome = tokio::select! {
            outcome = &mut server => outcome,
            () = stop_requested(&mut stop) => {
                tracing::info!("stopping: answering parked polls");
                // The listener closes, responses say `connection: close`, and the engine ends all polls.
                let graceful = actix_web::rt::spawn(handle.stop(true));
                api.connections.drain();
                api.engine.drain();
                if let Some(nodes) = api.ice.relay_nodes() {
                    nodes.leave(&api.engine).await;
                }
                // Not the graceful stop's own end: an idle HTTP/2 connection would delay it until its time-out.
                let mut rest = std::pin::pin!(join(drained(&api.request_metrics), relay.drained()));
                let ended = tokio::select! {
                    outcome = &mut server => Some(outcome),
                    _ = &mut rest => None,
                };
                if let Some(outcome) = ended {
                    outcome?;
                    rest.await;
                }
                graceful.abort();
                Ok(())
            }
        };
        background.abort();
        outcome
    }
}

fn server_options(config: &Config, relay: &Relay, tls: Option<&Tls>) -> Result<ServerOptions, String> {
    Ok(ServerOptions {
        workers: config.workers.map(usize::from),
        base_path: config.base_path.clone(),
        hosts: config.host.clone(),
        cors_origins: config.cors_origin.clone(),
        web_dir: config.web_dir.clone(),
        tls: tls.map(Tls::server_config).transpose()?,
        others: relay.others(),
        drain: relay.drain,
    })
}

fn serve_turn(relay: &mut Relay, connections: &Arc<ConnectionRegistry>) -> Result<Vec<Server>, String> {
    let others = relay.others();
    let serve = |listener| crate::server::serve_turn(listener, connections.clone(), others.clone());
    relay.listeners.drain(..).map(|listener| serve(listener).map_err(|error| error.to_string())).collect()
}

/// The listener, its address with the real port, and UDP on the same port for the relay, if there is one.
fn listen(config: &Config) -> Result<(TcpListener, SocketAddr, Option<UdpSocket>), String> {
    if config.has_relay() {
        bind::tcp_and_udp(config.listen, "--listen").map(|(listener, addr, udp)| (listener, addr, Some(udp)))
    } else {
        bind::tcp(config.listen, "--listen").map(|(listener, addr)| (listener, addr, None))
    }
}

/// Frees the memory of idle rate limits, and closes overdue connections.
async fn sweep(api: &Api, metrics_connections: &ConnectionRegistry) {
    let interval = SWEEP_INTERVAL.min(api.connections.idle_limit() / 2);
    loop {
        tokio::time::sleep(interval).await;
        api.rates.remove_idle();
        api.connections.close_overdue();
        metrics_connections.close_overdue();
    }
}

/// Waits until no request is in flight, for a limited time.
async fn drained(metrics: &RequestMetrics) {
    let _ = tokio::time::timeout(DRAIN_TIMEOUT, async {
        while metrics.in_flight() > 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
    tokio::time::sleep(FLUSH_TIME).await;
}

async fn stop_requested(stop: &mut watch::Receiver<bool>) {
    use tokio::signal::unix::{SignalKind, signal};
    let caught = async |kind| match signal(kind) {
        Ok(mut signals) => drop(signals.recv().await),
        Err(_) => std::future::pending().await,
    };
    tokio::select! {
        () = caught(SignalKind::terminate()) => {}
        () = caught(SignalKind::interrupt()) => {}
        _ = stop.wait_for(|stop| *stop) => {}
    }
}

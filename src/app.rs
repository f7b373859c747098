//! The application as a value: built from a configuration, it has an address, runs, and can be stopped.

use std::{
    io::Write,
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};

use actix_web::dev::Server;
use tokio::sync::watch;

use crate::{
    api::{
        Api,
        auth::{rate_limit::RateLimiters, ticket::TicketKeys},
        base_path::BasePath,
        request_metrics::RequestMetrics,
    },
    cli::reachable::{dual_stack, reachable_at},
    clock::Clock,
    config::Config,
    server::ServerOptions,
    stun::StunResponder,
    tls::Tls,
    transport::{
        client_address::TrustedProxies,
        limits::{self, registry::ConnectionRegistry},
    },
};

pub struct App {
    server: Server,
    metrics_server: Option<Server>,
    addr: SocketAddr,
    base_path: BasePath,
    metrics_addr: Option<SocketAddr>,
    api: Arc<Api>,
    tls: Option<Tls>,
    stun: Option<Arc<StunResponder>>,
    stop: watch::Sender<bool>,
    warnings: Vec<&'static str>,
}

/// Stops an [`App`] from elsewhere, as SIGTERM would.
#[derive(Clone, Debug)]
pub struct Stopper(watch::Sender<bool>);

impl Stopper {
    pub fn stop(&self) {
        // Not `send`, which forgets the word when nobody listens yet.
        self.0.send_replace(true);
    }
}

/// Connections that wait to be accepted, when everybody comes at once. The kernel has the last word
/// (`net.core.somaxconn`).
const BACKLOG: i32 = 4096;
/// For the last answers to be written after the last handler has returned.
const LAST_WORDS: Duration = Duration::from_millis(300);
/// However slow the last requests are, the server is gone after this.
const DRAIN_LIMIT: Duration = Duration::from_secs(10);
/// Between two looks at who has not asked, and at connections with nothing on them.
const TIDY_EVERY: Duration = Duration::from_secs(10);

impl App {
    /// Binds the address and puts everything together. An error says what to change.
    pub fn build(config: Config) -> Result<Self, String> {
        // Each client is a connection, and the usual limit is for programs with a handful of files.
        let descriptors = rlimit::increase_nofile_limit(u64::MAX).unwrap_or(1024);
        let clock = Clock::start();
        let limits = Arc::new(config.limits());
        let proxies = Arc::new(TrustedProxies(config.trusted_proxy.clone()));
        let connections = ConnectionRegistry::new(config.connections(descriptors), proxies.clone(), monotonic(clock));
        let stun = config.stun_listen.map(|addr| listen_for_stun(addr, clock)).transpose()?;
        let stun_port = stun.as_ref().and_then(|stun| stun.addr().ok()).map(|addr| addr.port());
        let api = Arc::new(Api {
            engine: config.engine(&limits, clock)?,
            limits,
            tokens: config.token_key()?,
            tickets: config.ticket_key.as_ref().map(TicketKeys::new).transpose()?.map(Arc::new),
            rates: Arc::new(RateLimiters::new(config.rates(), clock)),
            proxies,
            ice: config.ice(stun_port),
            stun: stun.clone(),
            clock,
            request_metrics: Arc::default(),
            connections,
            has_metrics_listener: config.metrics_listen.is_some(),
        });
        let (listener, addr) = bind(config.listen, "--listen")?;
        let tls = config.tls(&reachable_at(addr))?;
        let options = ServerOptions {
            workers: config.workers,
            keep_alive: Duration::from_millis(config.keep_alive_ms),
            base_path: config.base_path.clone(),
            cors_origins: config.cors_origin.clone(),
            web_dir: config.web_dir.clone(),
            tls: tls.as_ref().map(Tls::server_config).transpose()?,
        };
        let metrics = config.metrics_listen.map(|addr| bind(addr, "--metrics-listen")).transpose()?;
        let metrics_addr = metrics.as_ref().map(|(_, addr)| *addr);
        let metrics_server =
            metrics.map(|(listener, _)| crate::server::serve_metrics(listener, api.clone())).transpose();
        Ok(Self {
            server: crate::server::serve(listener, api.clone(), options).map_err(|error| error.to_string())?,
            metrics_server: metrics_server.map_err(|error| error.to_string())?,
            addr,
            base_path: config.base_path.clone(),
            metrics_addr,
            api,
            tls,
            stun,
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
        self.stun.as_ref()?.addr().ok()
    }

    pub fn stopper(&self) -> Stopper {
        Stopper(self.stop.clone())
    }

    /// Prints where it can be opened, and says what should not be so on the internet.
    pub fn announce(&self) {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        let addresses = reachable_at(self.addr);
        let line = |address: &SocketAddr| format!("listening on {scheme}://{address}");
        let mut lines: Vec<String> = addresses.iter().map(line).collect();
        lines.push(format!("API: {scheme}://{}{}/swagger-ui/", addresses[0], self.base_path.as_str()));
        let others = |address: Option<SocketAddr>| address.map(reachable_at).unwrap_or_default();
        lines.extend(others(self.metrics_addr).iter().map(|address| format!("metrics: http://{address}/metrics")));
        lines.extend(others(self.stun_addr()).iter().map(|address| format!("STUN: udp://{address}")));
        // Whoever waited for the first line may have closed its end by now.
        let _ = writeln!(std::io::stdout(), "{}", lines.join("\n"));
        for warning in &self.warnings {
            tracing::warn!("{warning}");
        }
    }

    /// Runs until SIGTERM, SIGINT or a [`Stopper`], then ends in good order: not ready, every parked poll answered.
    pub async fn run_until_stopped(self) -> std::io::Result<()> {
        let Self { server, metrics_server, api, tls, stun, stop, .. } = self;
        let mut stop = stop.subscribe();
        let chores_api = api.clone();
        let chores = actix_web::rt::spawn(async move {
            let certificates = async {
                match &tls {
                    Some(tls) => tls.follow_files().await,
                    None => std::future::pending().await,
                }
            };
            let metrics = async {
                match metrics_server {
                    Some(server) => drop(server.await),
                    None => std::future::pending().await,
                }
            };
            let stun = async {
                match &stun {
                    Some(stun) => stun.run().await,
                    None => std::future::pending().await,
                }
            };
            let api = chores_api;
            tokio::join!(api.engine.sweep(), tidy(&api), certificates, metrics, stun)
        });
        let handle = server.handle();
        let mut server = std::pin::pin!(server);
        let outcome = tokio::select! {
            outcome = &mut server => outcome,
            () = asked_to_stop(&mut stop) => {
                tracing::info!("stopping: parked polls are being answered");
                // The listener closes and answers carry `connection: close`; polls end because the engine drains.
                let graceful = actix_web::rt::spawn(handle.stop(true));
                api.connections.drain();
                api.engine.drain();
                // An idle HTTP/2 connection would hold a graceful stop to its time-out, so it is not waited for.
                tokio::select! {
                    outcome = &mut server => outcome,
                    () = answered(&api.request_metrics) => Ok(()),
                }?;
                graceful.abort();
                Ok(())
            }
        };
        chores.abort();
        outcome
    }
}

/// The clock as the transport wants it.
fn monotonic(clock: Clock) -> limits::Clock {
    limits::Clock::new(move || clock.now().millis())
}

fn listen_for_stun(addr: SocketAddr, clock: Clock) -> Result<Arc<StunResponder>, String> {
    let socket = dual_stack(addr, socket2::Type::DGRAM);
    let responder = socket.and_then(|socket| StunResponder::new(socket.into(), clock));
    responder.map(Arc::new).map_err(|error| bind_error(addr, "--stun-listen", &error))
}

fn bind(addr: SocketAddr, option: &str) -> Result<(TcpListener, SocketAddr), String> {
    let socket = dual_stack(addr, socket2::Type::STREAM).map_err(|error| bind_error(addr, option, &error))?;
    // The standard library lets 128 wait; whoever comes when they are as many is dropped, and tries again a second later.
    socket.listen(BACKLOG).map_err(|error| bind_error(addr, option, &error))?;
    let listener = TcpListener::from(socket);
    let addr = listener.local_addr().map_err(|error| error.to_string())?;
    Ok((listener, addr))
}

fn bind_error(addr: SocketAddr, option: &str, error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::AddrInUse => {
            format!("{addr} is in use; choose another with {option}, port 0 for any free one")
        }
        std::io::ErrorKind::PermissionDenied => format!("{addr} is not permitted; ports from 1024 up need no rights"),
        _ => format!("{addr}: {error}"),
    }
}

/// Keeps the memory of the rate limits to those who have asked of late, and connections to those in use.
async fn tidy(api: &Api) {
    let every = api.connections.idle_limit().min(TIDY_EVERY) / 2;
    loop {
        tokio::time::sleep(every).await;
        api.rates.remove_idle();
        api.connections.close_overdue();
    }
}

/// When nothing is being answered any more, or that takes too long.
async fn answered(request_metrics: &RequestMetrics) {
    let _ = tokio::time::timeout(DRAIN_LIMIT, async {
        while request_metrics.in_flight() > 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
    tokio::time::sleep(LAST_WORDS).await;
}

async fn asked_to_stop(stop: &mut watch::Receiver<bool>) {
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

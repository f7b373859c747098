//! The application as a value: built from a configuration, it has an address, runs, and can be stopped.

use std::{
    io::Write,
    net::{IpAddr, SocketAddr, TcpListener},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use actix_cors::Cors;
use actix_web::{
    HttpServer,
    dev::{Server, Service},
    http::header,
    middleware::Condition,
    web::Data,
};
use tokio::sync::watch;
use utoipa_actix_web::AppExt;

use crate::{
    clock::Clock,
    config::Config,
    engine::{Engine, Memory},
    http::{self, Api, Rates, TicketKeys, TrustedProxies},
};

pub struct App {
    server: Server,
    addr: SocketAddr,
    engine: Engine,
    rates: Arc<Rates>,
    in_flight: Arc<AtomicUsize>,
    stop: watch::Sender<bool>,
    random_key: bool,
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

/// Longer than the idle time-outs of the load balancers in front, so that they, not we, close idle connections.
const KEEP_ALIVE: Duration = Duration::from_secs(75);
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// How long browsers may remember a preflight; Chromium takes no more.
const PREFLIGHT_SECONDS: usize = 7200;
/// For the last answers to be written after the last handler has returned.
const LAST_WORDS: Duration = Duration::from_millis(300);
/// However slow the last requests are, the server is gone after this.
const FORGET_EVERY: Duration = Duration::from_secs(30);
const DRAIN_LIMIT: Duration = Duration::from_secs(10);

impl App {
    /// Binds the address and puts everything together. An error says what to change.
    pub fn build(config: Config) -> Result<Self, String> {
        let tokens = config.token_key()?;
        let limits = Arc::new(config.limits());
        let clock = Clock::start();
        let engine = Engine::Memory(Memory::new(limits.clone(), clock));
        let rates = Arc::new(Rates::new(config.rates(), clock));
        let api = Data::new(Api {
            engine: engine.clone(),
            limits,
            tokens,
            tickets: config.ticket_key.as_ref().map(TicketKeys::new).transpose()?.map(Arc::new),
            rates: rates.clone(),
            proxies: Arc::new(TrustedProxies(config.trusted_proxy.clone())),
            ice: config.ice(),
            clock,
        });

        let listener = TcpListener::bind(config.listen).map_err(|error| bind_error(config.listen, &error))?;
        let addr = listener.local_addr().map_err(|error| error.to_string())?;
        let in_flight = Arc::new(AtomicUsize::new(0));
        let random_key = config.token_key.is_none();
        let server = serve(config, listener, api, in_flight.clone()).map_err(|error| error.to_string())?;
        Ok(Self { server, addr, engine, rates, in_flight, stop: watch::channel(false).0, random_key })
    }

    /// The address it listens on, with the real port.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    pub fn stopper(&self) -> Stopper {
        Stopper(self.stop.clone())
    }

    /// Prints where it can be opened, and says what should not be so on the internet.
    pub fn announce(&self) {
        let addresses = reachable_at(self.addr);
        let mut lines: Vec<String> = addresses.iter().map(|address| format!("listening on http://{address}")).collect();
        lines.push(format!("API: http://{}/swagger-ui/", addresses[0]));
        // Whoever waited for the first line may have closed its end by now.
        let _ = writeln!(std::io::stdout(), "{}", lines.join("\n"));
        if self.random_key {
            tracing::info!("tokens are made with a random key: peers will not survive a restart (see --token-key)");
        }
        if !self.addr.ip().is_loopback() {
            tracing::warn!("anybody who reaches this address may make and join rooms, over plain HTTP");
            tracing::warn!("browsers give cameras only to https:// and localhost: put a TLS proxy in front");
        }
    }

    /// Runs until SIGTERM, SIGINT or a [`Stopper`], then ends in good order: not ready, every parked poll answered.
    pub async fn run_until_stopped(self) -> std::io::Result<()> {
        let mut stop = self.stop.subscribe();
        let engine = self.engine.clone();
        let rates = self.rates.clone();
        let sweeper = actix_web::rt::spawn(async move { tokio::join!(engine.sweep(), forget_the_idle(&rates)) });
        let handle = self.server.handle();
        let mut server = std::pin::pin!(self.server);

        let outcome = tokio::select! {
            outcome = &mut server => outcome,
            () = asked_to_stop(&mut stop) => {
                tracing::info!("stopping: parked polls are being answered");
                // The listener closes and answers carry `connection: close`; polls end because the engine drains.
                let graceful = actix_web::rt::spawn(handle.stop(true));
                self.engine.drain();
                tokio::select! {
                    outcome = &mut server => outcome,
                    () = answered(&self.in_flight) => Ok(()),
                }?;
                graceful.abort();
                Ok(())
            }
        };
        sweeper.abort();
        outcome
    }
}

fn serve(
    config: Config,
    listener: TcpListener,
    api: Data<Api>,
    in_flight: Arc<AtomicUsize>,
) -> std::io::Result<Server> {
    let workers = config.workers;
    let document = http::document();
    let methods = Arc::new(http::Methods::of_document(&document));
    let server = HttpServer::new(move || {
        let (app, document) =
            actix_web::App::new().into_utoipa_app().openapi(http::shared()).configure(http::api).split_for_parts();
        let in_flight = in_flight.clone();
        app.app_data(api.clone())
            .configure(|pages| http::pages(pages, document, methods.clone(), config.web_dir.clone()))
            .wrap(Condition::new(!config.cors_origin.is_empty(), cors(&config.cors_origin)))
            .wrap_fn(move |request, service| {
                let counted = Counted::new(in_flight.clone());
                let answer = service.call(request);
                async move {
                    let answer = answer.await;
                    drop(counted);
                    answer
                }
            })
    })
    // A client that has gone ends its poll at once (tests/it/chaos.rs).
    .h1_allow_half_closed(false)
    .keep_alive(KEEP_ALIVE)
    .client_request_timeout(HEAD_TIMEOUT)
    .shutdown_timeout(DRAIN_LIMIT.as_secs())
    .disable_signals()
    .tcp_nodelay(true);
    let server = match workers {
        Some(workers) => server.workers(workers),
        None => server,
    };
    Ok(server.listen(listener)?.run())
}

fn cors(origins: &[String]) -> Cors {
    let cors = Cors::default()
        .allowed_methods(["GET", "POST", "PATCH", "DELETE"])
        .allowed_headers([header::AUTHORIZATION, header::CONTENT_TYPE])
        .allowed_header("idempotency-key")
        .allowed_header("last-event-id")
        .expose_headers([header::RETRY_AFTER])
        .block_on_origin_mismatch(false)
        .max_age(PREFLIGHT_SECONDS);
    if origins.iter().any(|origin| origin == "*") {
        return cors.allow_any_origin().send_wildcard();
    }
    origins.iter().fold(cors, |cors, origin| cors.allowed_origin(origin))
}

/// Keeps the memory of the rate limits to those who have asked of late.
async fn forget_the_idle(rates: &Rates) {
    loop {
        tokio::time::sleep(FORGET_EVERY).await;
        rates.forget_the_idle();
    }
}

/// One request that is being answered.
struct Counted(Arc<AtomicUsize>);

impl Counted {
    fn new(count: Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::AcqRel);
        Self(count)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// When nothing is being answered any more, or that takes too long.
async fn answered(in_flight: &AtomicUsize) {
    let _ = tokio::time::timeout(DRAIN_LIMIT, async {
        while in_flight.load(Ordering::Acquire) > 0 {
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

/// Where people can open it: on all interfaces that is each address of this machine.
fn reachable_at(addr: SocketAddr) -> Vec<SocketAddr> {
    if !addr.ip().is_unspecified() {
        return vec![addr];
    }
    let mut ips: Vec<IpAddr> =
        if_addrs::get_if_addrs().unwrap_or_default().iter().map(if_addrs::Interface::ip).collect();
    ips.retain(|ip| ip.is_ipv4() == addr.is_ipv4() && !is_link_local(*ip));
    // Loopback first: that one always works, and from there browsers give cameras.
    ips.sort_by_key(|ip| (!ip.is_loopback(), *ip));
    ips.dedup();
    if ips.is_empty() { vec![addr] } else { ips.into_iter().map(|ip| SocketAddr::new(ip, addr.port())).collect() }
}

fn is_link_local(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    }
}

fn bind_error(addr: SocketAddr, error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::AddrInUse => {
            format!("{addr} is in use; choose another with --listen, port 0 for any free one")
        }
        std::io::ErrorKind::PermissionDenied => format!("{addr} is not permitted; ports from 1024 up need no rights"),
        _ => format!("{addr}: {error}"),
    }
}

//! The HTTP servers: the API and the pages behind one listener, and monitoring behind another.

use std::{future::Future, io, net::TcpListener, path::PathBuf, sync::Arc, time::Duration};

use actix_server::Server;
use actix_service::{IntoServiceFactory, ServiceFactory, map_config};
use actix_web::{App, dev::AppConfig, web::Data};
use rustls::ServerConfig;

use crate::{
    api::{
        Api, Code, Problem, accept::metrics_format, allowed_hosts::AllowedHosts, base_path::BasePath, cors::Cors,
        dispatch::Dispatch, handlers::health, router::Router, schema::openapi,
    },
    pages::{self, document::WrittenDocument, security_headers::security_headers},
    transport::{
        Overload, Request, Response, Service, limits::registry::ConnectionRegistry, listener::Protocols,
        other_protocol::Others,
    },
};

/// What the server needs besides the API itself.
pub struct ServerOptions {
    pub base_path: BasePath,
    pub workers: Option<usize>,
    pub hosts: Vec<String>,
    pub cors_origins: Vec<String>,
    pub web_dir: Option<PathBuf>,
    pub tls: Option<ServerConfig>,
    /// What else is served on the port.
    pub others: Others,
    /// How long calls that are relayed may delay the end.
    pub drain: Duration,
}

/// In case `App` has not stopped the server by then.
const SHUTDOWN_SECONDS: u64 = 10;

/// A server on the listener, not yet polled.
pub fn serve(listener: TcpListener, api: Arc<Api>, options: ServerOptions) -> io::Result<Server> {
    let ServerOptions { base_path, workers, hosts, cors_origins, web_dir, tls, others, drain } = options;
    let hosts = Arc::new(AllowedHosts::new(listener.local_addr()?, &hosts));
    let (router, cors) = (Arc::new(Router::from_operations()), Arc::new(Cors::new(cors_origins)));
    let document = Data::new(WrittenDocument::new(&openapi::document()));
    let (connections, is_tls) = (api.connections.clone(), tls.is_some());
    let service = move || {
        let (api, router, base_path) = (api.clone(), router.clone(), base_path.clone());
        let (hosts, cors) = (hosts.clone(), cors.clone());
        let app = App::new()
            .wrap(security_headers(is_tls))
            .configure(|pages| pages::configure(pages, document.clone(), web_dir.clone()));
        async move {
            // Requests reach the API first, and the application only if the API does not know their path.
            let pages = map_config(app.into_factory(), |()| AppConfig::default()).new_service(()).await?;
            Ok(Dispatch { api, router, hosts, cors, base_path, pages })
        }
    };
    let builder = Server::build().shutdown_timeout(SHUTDOWN_SECONDS.max(drain.as_secs() + 1)).disable_signals();
    let builder = match workers {
        Some(workers) => builder.workers(workers),
        None => builder,
    };
    Ok(Protocols { connections, tls, others }.listen(builder, listener, service)?.run())
}

/// A server for `--metrics-listen`, with its own connections: full ones on the public listener do not block it.
pub fn serve_metrics(
    listener: TcpListener,
    api: Arc<Api>,
    connections: Arc<ConnectionRegistry>,
    hosts: &[String],
) -> io::Result<Server> {
    let builder = Server::build().workers(1).disable_signals();
    let hosts = Arc::new(AllowedHosts::new(listener.local_addr()?, hosts));
    let service = move || std::future::ready(Ok(Monitoring { api: api.clone(), hosts: hosts.clone() }));
    Ok(Protocols { connections, tls: None, others: None }.listen(builder, listener, service)?.run())
}

/// A server for `--turn-listen`, over TCP.
pub fn serve_turn(listener: TcpListener, connections: Arc<ConnectionRegistry>, others: Others) -> io::Result<Server> {
    let builder = Server::build().workers(1).disable_signals();
    let service = || std::future::ready(Ok(NoHttp));
    Ok(Protocols { connections, tls: None, others }.listen(builder, listener, service)?.run())
}

/// Where only the relay is served.
struct NoHttp;

impl Service for NoHttp {
    fn call(&self, _: Request) -> impl Future<Output = Response> + 'static {
        std::future::ready(Response::from(&Problem::new(Code::NotFound, "Only the relay (TURN) is served here.")))
    }

    fn refuse(&self, overload: Overload, _: Option<&Request>) -> Response {
        Response::from(&Problem::from(overload))
    }

    fn upgrades(&self, _: &str) -> bool {
        false
    }
}

/// Metrics and health, for operators.
struct Monitoring {
    api: Arc<Api>,
    hosts: Arc<AllowedHosts>,
}

impl Service for Monitoring {
    fn call(&self, request: Request) -> impl Future<Output = Response> + 'static {
        let known = self.hosts.check(&request, &self.api.proxies);
        let (api, method, path) = (self.api.clone(), request.method().to_owned(), request.path().to_owned());
        let format = metrics_format(&request.headers().get_all("accept"));
        let is_read = matches!(method.as_str(), "GET" | "HEAD");
        async move {
            if let Err(problem) = known {
                return Response::from(&problem);
            }
            let result = match path.as_str() {
                "/metrics" if is_read => Ok(health::rendered_metrics(&api, format).await),
                "/healthz" if is_read => health::healthz().await,
                "/readyz" if is_read => health::readiness(&api),
                "/metrics" | "/healthz" | "/readyz" => Err(Problem::method_not_allowed(&method, "GET, HEAD", "")),
                _ => Err(Problem::new(Code::NotFound, "Only /metrics, /healthz and /readyz are served here.")),
            };
            result.unwrap_or_else(|problem| Response::from(&problem))
        }
    }

    fn refuse(&self, overload: Overload, _: Option<&Request>) -> Response {
        Response::from(&Problem::from(overload))
    }

    fn upgrades(&self, _: &str) -> bool {
        false
    }
}

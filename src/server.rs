//! The HTTP server: actix with our limits, middleware and time-outs.

use std::{io, net::TcpListener, path::PathBuf, sync::Arc, time::Duration};

use actix_cors::Cors;
use actix_server::Server;
use actix_service::{IntoServiceFactory, apply_fn_factory, map_config};
use actix_web::{
    App, HttpServer,
    dev::AppConfig,
    http::header,
    middleware::Condition,
    web::{self, Data},
};
use rustls::ServerConfig;
use utoipa_actix_web::AppExt;

use crate::{
    api::{Api, base_path::BasePath, dispatch::Front, handlers::health, methods::Methods, router, schema::openapi},
    pages::document::WrittenDocument,
    transport::listener::Protocols,
};

/// What the server needs besides the API itself.
pub struct ServerOptions {
    pub workers: Option<usize>,
    pub keep_alive: Duration,
    pub base_path: BasePath,
    pub cors_origins: Vec<String>,
    pub web_dir: Option<PathBuf>,
    pub tls: Option<ServerConfig>,
}

/// How long browsers may remember a preflight; Chromium takes no more.
const PREFLIGHT_SECONDS: usize = 7200;
/// Only in case the orderly end, which is quicker, does not come about.
const SHUTDOWN_SECONDS: u64 = 10;

/// A server on the listener, not yet polled.
pub fn serve(listener: TcpListener, api: Data<Api>, options: ServerOptions) -> io::Result<Server> {
    let ServerOptions { base_path, workers, keep_alive, cors_origins, web_dir, tls } = options;
    let document = openapi::document();
    let methods = Arc::new(Methods::of_document(&document));
    let document = Data::new(WrittenDocument::new(&document));
    let accepting = api.connections.clone();
    let has_cors = !cors_origins.is_empty();
    let front = Front { api: api.clone(), base_path: base_path.clone(), has_cors };
    let app = move || {
        let app = App::new()
            .into_utoipa_app()
            .configure(router::api)
            .into_app()
            .app_data(api.clone())
            .configure(|pages| router::pages(pages, document.clone(), methods.clone(), web_dir.clone()))
            .wrap(Condition::new(has_cors, cors(&cors_origins)));
        let front = front.clone();
        apply_fn_factory(map_config(app.into_factory(), |()| AppConfig::default()), move |asked, routes: &_| {
            front.call(asked, routes)
        })
    };
    let builder = Server::build().shutdown_timeout(SHUTDOWN_SECONDS).disable_signals();
    let builder = match workers {
        Some(workers) => builder.workers(workers),
        None => builder,
    };
    let stopping = builder.graceful_shutdown_signal();
    let protocols =
        Protocols { connections: accepting, keep_alive, stopping, tls, plain_under: (!has_cors).then_some(base_path) };
    Ok(protocols.listen(builder, listener, app)?.run())
}

fn cors(origins: &[String]) -> Cors {
    let cors = Cors::default()
        .allowed_methods(["GET", "POST", "PATCH", "DELETE"])
        // Tracing and monitoring add fields to each request of a page (traceparent, baggage, sentry-trace, x-datadog-…), and one
        // that is not listed fails the preflight, and with it the call. A list would protect nothing: who may do what is told by
        // the token, which no browser adds by itself, and unknown fields are ignored. They are echoed, because `*` would not
        // cover `Authorization` (Fetch standard, CORS protocol).
        .allow_any_header()
        .expose_headers([header::RETRY_AFTER])
        .block_on_origin_mismatch(false)
        .max_age(PREFLIGHT_SECONDS);
    if origins.iter().any(|origin| origin == "*") {
        return cors.allow_any_origin().send_wildcard();
    }
    origins.iter().fold(cors, |cors, origin| cors.allowed_origin(origin))
}

/// A server for operators: only `/metrics`, and whether all is well.
pub fn serve_metrics(listener: TcpListener, api: Data<Api>) -> io::Result<Server> {
    let server = HttpServer::new(move || {
        App::new()
            .app_data(api.clone())
            .route("/metrics", web::get().to(health::figures))
            .service(health::healthz)
            .service(health::readyz)
    });
    Ok(server.workers(1).disable_signals().listen(listener)?.run())
}

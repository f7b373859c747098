//! The HTTP server: actix with our limits, middleware and time-outs.

use std::{future::ready, net::TcpListener, path::PathBuf, sync::Arc, time::Duration};

use actix_cors::Cors;
use actix_web::{
    App, HttpServer, ResponseError,
    dev::{Server, Service, ServiceResponse},
    http::{Method, header},
    middleware::Condition,
    web::{self, Data},
};
use futures_util::future::Either;
use rustls::ServerConfig;
use utoipa_actix_web::AppExt;

use super::{
    Api, health,
    methods::{Methods, has_head},
    openapi, routes,
};

/// What the server needs besides the API itself.
pub struct ServerOptions {
    pub workers: Option<usize>,
    pub keep_alive: Duration,
    pub cors_origins: Vec<String>,
    pub web_dir: Option<PathBuf>,
    pub tls: Option<ServerConfig>,
}

const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);
/// How long browsers may remember a preflight; Chromium takes no more.
const PREFLIGHT_SECONDS: usize = 7200;
/// Only in case the orderly end, which is quicker, does not come about.
const SHUTDOWN_SECONDS: u64 = 10;

/// A server on the listener, not yet polled.
pub fn serve(listener: TcpListener, api: Data<Api>, options: ServerOptions) -> std::io::Result<Server> {
    let ServerOptions { workers, keep_alive, cors_origins, web_dir, tls } = options;
    let methods = Arc::new(Methods::of_document(&openapi::document()));
    let accepted = api.connections.clone();
    let server = HttpServer::new(move || {
        let (app, document) =
            App::new().into_utoipa_app().openapi(openapi::shared()).configure(routes::api).split_for_parts();
        let (observed, connections) = (api.observed.clone(), api.connections.clone());
        app.app_data(api.clone())
            .configure(|pages| routes::pages(pages, document, methods.clone(), web_dir.clone()))
            .wrap(Condition::new(!cors_origins.is_empty(), cors(&cors_origins)))
            .wrap_fn(move |mut request, service| {
                if *request.method() == Method::HEAD && has_head(request.path()) {
                    // Answered as a GET; the body of the answer stays behind (RFC 9110 section 9.3.2).
                    request.head_mut().method = Method::GET;
                }
                let under_way = observed.begin(&request);
                match connections.begin(&request) {
                    Err(problem) => {
                        let answer = request.into_response(problem.error_response().map_into_right_body());
                        Either::Left(ready(under_way.end(Ok(answer))))
                    }
                    Ok(on_connection) => {
                        let answer = service.call(request);
                        Either::Right(async move {
                            let answer = answer.await.map(ServiceResponse::map_into_left_body);
                            let answer = under_way.end(answer);
                            drop(on_connection);
                            answer
                        })
                    }
                }
            })
    })
    .on_connect(move |io, data| accepted.accept(io, data))
    // A client that has gone ends its poll at once (tests/it/chaos.rs).
    .h1_allow_half_closed(false)
    .keep_alive(keep_alive)
    .client_request_timeout(HEAD_TIMEOUT)
    .tls_handshake_timeout(HANDSHAKE_TIMEOUT)
    .shutdown_timeout(SHUTDOWN_SECONDS)
    // Our own limit says so; this one lets clients hang.
    .max_connections(usize::MAX >> 8)
    .disable_signals()
    .tcp_nodelay(true);
    let server = match workers {
        Some(workers) => server.workers(workers),
        None => server,
    };
    let server = match tls {
        Some(config) => server.listen_rustls_0_23(listener, config)?,
        None => server.listen(listener)?,
    };
    Ok(server.run())
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

/// A server for operators: only `/metrics`, and whether all is well.
pub fn serve_metrics(listener: TcpListener, api: Data<Api>) -> std::io::Result<Server> {
    let server = HttpServer::new(move || {
        App::new()
            .app_data(api.clone())
            .route("/metrics", web::get().to(health::figures))
            .service(health::healthz)
            .service(health::readyz)
    });
    Ok(server.workers(1).disable_signals().listen(listener)?.run())
}

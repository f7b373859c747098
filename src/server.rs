//! The HTTP server: the API and the pages behind one listener, and what operators look at behind another.

use std::{io, net::TcpListener, path::PathBuf, sync::Arc, time::Duration};

use actix_server::Server;
use actix_service::{IntoServiceFactory, ServiceFactory, map_config};
use actix_web::{
    App, HttpRequest, HttpResponse, HttpServer,
    dev::AppConfig,
    http::header,
    web::{self, Data},
};
use rustls::ServerConfig;

use crate::{
    api::{
        Api,
        base_path::BasePath,
        cors::Cors,
        dispatch::Dispatch,
        handlers::health::{self, metrics_format},
        problem::Problem,
        router::Router,
        schema::openapi,
    },
    pages::{self, document::WrittenDocument},
    transport::listener::Protocols,
};

/// What the server needs besides the API itself.
pub struct ServerOptions {
    pub base_path: BasePath,
    pub workers: Option<usize>,
    pub keep_alive: Duration,
    pub cors_origins: Vec<String>,
    pub web_dir: Option<PathBuf>,
    pub tls: Option<ServerConfig>,
}

/// Only in case the orderly end, which is quicker, does not come about.
const SHUTDOWN_SECONDS: u64 = 10;

/// A server on the listener, not yet polled.
pub fn serve(listener: TcpListener, api: Arc<Api>, options: ServerOptions) -> io::Result<Server> {
    let ServerOptions { base_path, workers, keep_alive, cors_origins, web_dir, tls } = options;
    let (router, cors) = (Arc::new(Router::new()), Arc::new(Cors::new(cors_origins)));
    let document = Data::new(WrittenDocument::new(&openapi::document()));
    let connections = api.connections.clone();
    let service = move || {
        let (api, router, cors, base_path) = (api.clone(), router.clone(), cors.clone(), base_path.clone());
        let app = App::new().configure(|pages| pages::configure(pages, document.clone(), web_dir.clone()));
        async move {
            // The API stands in front of the application: what it does not know is a page, or nothing.
            let pages = map_config(app.into_factory(), |()| AppConfig::default()).new_service(()).await?;
            Ok(Dispatch { api, router, cors, base_path, pages })
        }
    };
    let builder = Server::build().shutdown_timeout(SHUTDOWN_SECONDS).disable_signals();
    let builder = match workers {
        Some(workers) => builder.workers(workers),
        None => builder,
    };
    let stopping = builder.graceful_shutdown_signal();
    Ok(Protocols { connections, keep_alive, stopping, tls }.listen(builder, listener, service)?.run())
}

/// A server for operators: only `/metrics`, and whether all is well.
pub fn serve_metrics(listener: TcpListener, api: Arc<Api>) -> io::Result<Server> {
    let server = HttpServer::new(move || {
        App::new()
            .app_data(Data::from(api.clone()))
            .route("/metrics", web::get().to(figures))
            .route("/healthz", web::get().to(async || health::healthz().await.map(HttpResponse::from)))
            .route("/readyz", web::get().to(readyz))
    });
    Ok(server.workers(1).disable_signals().listen(listener)?.run())
}

async fn figures(request: HttpRequest, api: Data<Api>) -> HttpResponse {
    let accept = request.headers().get_all(header::ACCEPT).filter_map(|value| value.to_str().ok());
    health::rendered_metrics(&api, metrics_format(&accept.collect::<Vec<_>>())).await.into()
}

async fn readyz(api: Data<Api>) -> Result<HttpResponse, Problem> {
    health::readyz(api.into_inner()).await.map(HttpResponse::from)
}

//! The HTTP server: actix with our limits, middleware and time-outs.

use std::{future::ready, io, net::TcpListener, path::PathBuf, sync::Arc, time::Duration};

use actix_cors::Cors;
use actix_server::Server;
use actix_web::{
    App, HttpServer, ResponseError,
    body::{EitherBody, MessageBody},
    dev::{Service, ServiceRequest, ServiceResponse},
    http::{
        Method,
        header::{self, HeaderMap, HeaderName},
    },
    middleware::Condition,
    web::{self, Data},
};
use futures_util::future::Either;
use rustls::ServerConfig;
use utoipa_actix_web::AppExt;

use super::{
    Api,
    connections::Begun,
    health,
    methods::{Methods, has_head},
    openapi,
    problem::Problem,
    protocols::Protocols,
    routes,
    sent::Sent,
};

/// What the server needs besides the API itself.
pub struct ServerOptions {
    pub workers: Option<usize>,
    pub keep_alive: Duration,
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
    let ServerOptions { workers, keep_alive, cors_origins, web_dir, tls } = options;
    let methods = Arc::new(Methods::of_document(&openapi::document()));
    let accepting = api.connections.clone();
    let app = move || {
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
                match connections.begin(&mut request) {
                    Err(problem) => {
                        let answer = request.into_response(problem.error_response().map_into_right_body());
                        Either::Left(ready(under_way.end(Ok(answer))))
                    }
                    Ok(begun) => {
                        lighten(&mut request);
                        let answer = service.call(request);
                        Either::Right(async move { under_way.end(answer.await.map(|answer| sending(answer, begun))) })
                    }
                }
            })
    };
    let builder = Server::build().shutdown_timeout(SHUTDOWN_SECONDS).disable_signals();
    let builder = match workers {
        Some(workers) => builder.workers(workers),
        None => builder,
    };
    let protocols = Protocols { connections: accepting, keep_alive, stopping: builder.graceful_shutdown_signal(), tls };
    Ok(protocols.listen(builder, listener, app)?.run())
}

/// The answer on its way, or that there is no memory to send it.
fn sending<B: MessageBody>(answer: ServiceResponse<B>, begun: Option<Begun>) -> ServiceResponse<EitherBody<Sent<B>>> {
    let (request, response) = answer.into_parts();
    let (head, body) = response.into_parts();
    match Sent::new(body, begun) {
        Some(body) => ServiceResponse::new(request, head.set_body(body)).map_into_left_body(),
        None => ServiceResponse::new(request, Problem::memory_exhausted().error_response()).map_into_right_body(),
    }
}

/// Keeps of a poll's header fields those that are asked for later. actix has made a table for a good many, which takes
/// 6.7 KB for as long as the poll waits.
fn lighten(request: &mut ServiceRequest) {
    if *request.method() != Method::GET || !request.path().ends_with("/messages") {
        return;
    }
    let headers = &mut request.head_mut().headers;
    let mut kept = HeaderMap::with_capacity(3);
    for name in [header::AUTHORIZATION, HeaderName::from_static("last-event-id"), header::ORIGIN] {
        if let Some(value) = headers.get(&name).cloned() {
            kept.insert(name, value);
        }
    }
    *headers = kept;
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

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    #[test]
    fn of_a_poll_only_what_is_asked_for_later_is_kept() {
        let fields = [("authorization", "Bearer x"), ("last-event-id", "7"), ("origin", "https://a.example")];
        let request = |path: &str| {
            let asked = TestRequest::get().uri(path).insert_header(("user-agent", "a browser"));
            fields.iter().fold(asked, |asked, field| asked.insert_header(*field)).to_srv_request()
        };
        let mut poll = request("/v1/rooms/tea/peers/x/messages?wait=25");
        lighten(&mut poll);
        let kept = poll.headers().iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap()));
        let mut kept: Vec<_> = kept.collect();
        kept.sort_unstable();
        assert_eq!(kept, fields);

        let mut other = request("/v1/rooms/tea/peers");
        lighten(&mut other);
        assert_eq!(other.headers().len(), 4);
    }
}

//! Health checks and metrics, for operators.

use std::sync::Arc;

use actix_web::http::StatusCode;

use crate::{
    api::{Api, Call, Code, FromRequest, MetricsAt, Problem, accept::metrics_format, auth::caller::Anyone},
    telemetry::{Format, MetricsSnapshot},
    transport::{
        Response,
        response::{NO_STORE, SharedFields},
    },
};

/// Liveness: is the process running?
#[utoipa::path(
    get,
    path = "/healthz",
    tag = "operation",
    operation_id = "getHealth",
    responses((status = 200, body = String, content_type = "text/plain", description = "It is", example = "ok\n"))
)]
pub async fn healthz() -> Result<Response, Problem> {
    Ok(plain("ok\n"))
}

/// Readiness: can it take new requests?
#[utoipa::path(
    get,
    path = "/readyz",
    tag = "operation",
    operation_id = "getReadiness",
    responses((status = 200, body = String, content_type = "text/plain", description = "It can", example = "ready\n"))
)]
pub async fn readyz(api: Arc<Api>, _: Anyone) -> Result<Response, Problem> {
    readiness(&api)
}

/// The same for operators, without a rate limit.
pub fn readiness(api: &Api) -> Result<Response, Problem> {
    api.engine.check_ready()?;
    Ok(plain("ready\n"))
}

/// Metrics for Prometheus
///
/// Their figures are at most a second old. In Prometheus' text format 0.0.4, or as OpenMetrics 1.0.0 if `Accept` prefers `application/openmetrics-text`.
#[utoipa::path(
    get,
    path = "/metrics",
    tag = "operation",
    operation_id = "getMetrics",
    responses((
        status = 200,
        description = "The metrics",
        content((String = "text/plain"), (String = "application/openmetrics-text"))
    ))
)]
pub async fn metrics(api: Arc<Api>, _: Anyone, format: Format) -> Result<Response, Problem> {
    let why = match api.metrics_at {
        MetricsAt::Here => None,
        MetricsAt::OwnListener => Some("Metrics are served only to operators, on the address of `--metrics-listen`."),
        MetricsAt::Nowhere => Some(
            "Metrics are off on a public address. Start the server with `--metrics-listen ADDR` to serve them on a private one, or \
             with `--metrics-public` to serve them here.",
        ),
    };
    if let Some(detail) = why {
        return Err(Problem::new(Code::NotFound, detail));
    }
    Ok(rendered_metrics(&api, format).await)
}

/// The metrics, here or on the listener for operators.
pub async fn rendered_metrics(api: &Api, format: Format) -> Response {
    let figures = MetricsSnapshot {
        stats: api.latest_stats.read(&api.engine, api.clock).await,
        connections: api.connections.count(),
        transit_bytes: api.connections.memory.used(),
        refusals: api.request_metrics.refusals(),
        turn: api.turn.as_ref().map(|turn| turn.stats()).unwrap_or_default(),
    };
    let mut response = Response::text(StatusCode::OK, METRICS, figures.render(format));
    response.add("content-type", format.content_type());
    response
}

impl FromRequest for Format {
    fn from_request(call: &Call<'_>) -> Result<Self, Problem> {
        Ok(metrics_format(&call.headers().get_all("accept")))
    }
}

fn plain(text: &'static str) -> Response {
    Response::text(StatusCode::OK, PLAIN, text)
}

const METRICS: SharedFields = &[("vary", "Accept"), ("cache-control", NO_STORE)];
const PLAIN: SharedFields = &[("content-type", "text/plain; charset=utf-8"), ("cache-control", NO_STORE)];

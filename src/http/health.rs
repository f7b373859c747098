//! For operators and their machines.

use actix_web::{HttpResponse, get, http::header, web::Data};

use super::{
    Api,
    problem::{Code, Problem},
    refusals,
};
use crate::telemetry::{self, Figures};

refusals!(ReadyRefusals: Draining, EngineUnavailable);
refusals!(MetricsRefusals: NotFound);

/// Is the process alive?
#[utoipa::path(
    tag = "operation",
    operation_id = "getHealth",
    responses((status = 200, body = String, content_type = "text/plain", description = "It is", example = "ok\n"))
)]
#[get("/healthz")]
pub async fn healthz() -> HttpResponse {
    plain("ok\n")
}

/// Should it be sent new requests?
#[utoipa::path(
    tag = "operation",
    operation_id = "getReadiness",
    responses(
        (status = 200, body = String, content_type = "text/plain", description = "It should", example = "ready\n"),
        ReadyRefusals
    )
)]
#[get("/readyz")]
pub async fn readyz(api: Data<Api>) -> Result<HttpResponse, Problem> {
    api.engine.check_ready()?;
    Ok(plain("ready\n"))
}

/// Figures, in the OpenMetrics text format that Prometheus reads
#[utoipa::path(
    tag = "operation",
    operation_id = "getMetrics",
    responses(
        (status = 200, body = String, content_type = "application/openmetrics-text", description = "The figures"),
        MetricsRefusals
    )
)]
#[get("/metrics")]
pub async fn metrics(api: Data<Api>) -> Result<HttpResponse, Problem> {
    if api.metrics_elsewhere {
        return Err(Problem::new(Code::NotFound, "The figures are shown to operators only."));
    }
    Ok(figures(api).await)
}

/// The figures, for the listener that only operators reach.
pub async fn figures(api: Data<Api>) -> HttpResponse {
    let text = telemetry::render(Figures {
        stats: api.engine.stats().await,
        connections: api.connections.count(),
        transit_bytes: api.connections.transit.used(),
        refusals: api.observed.refusals(),
        stun: api.stun.as_ref().map(|stun| stun.counts()),
    });
    HttpResponse::Ok().content_type("application/openmetrics-text; version=1.0.0; charset=utf-8").body(text)
}

fn plain(text: &'static str) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/plain; charset=utf-8")
        .insert_header((header::CACHE_CONTROL, super::NEVER_STORED))
        .body(text)
}

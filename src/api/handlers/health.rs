//! For operators and their machines.

use actix_web::{HttpRequest, HttpResponse, get, http::header, web::Data};

use crate::{
    api::{
        Api,
        accept::prefers_open_metrics,
        problem::{Code, Problem},
        refusals,
    },
    telemetry::{Figures, Format},
};

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

/// Figures for Prometheus
///
/// In Prometheus' text format 0.0.4, or as OpenMetrics 1.0.0 if `Accept` prefers `application/openmetrics-text`.
#[utoipa::path(
    tag = "operation",
    operation_id = "getMetrics",
    responses(
        (
            status = 200,
            description = "The figures",
            content((String = "text/plain"), (String = "application/openmetrics-text"))
        ),
        MetricsRefusals
    )
)]
#[get("/metrics")]
pub async fn metrics(request: HttpRequest, api: Data<Api>) -> Result<HttpResponse, Problem> {
    if api.metrics_elsewhere {
        return Err(Problem::new(Code::NotFound, "The figures are shown to operators only."));
    }
    Ok(figures(request, api).await)
}

/// The figures, for the listener that only operators reach.
pub async fn figures(request: HttpRequest, api: Data<Api>) -> HttpResponse {
    let figures = Figures {
        stats: api.engine.stats().await,
        connections: api.connections.count(),
        transit_bytes: api.connections.transit.used(),
        refusals: api.observed.refusals(),
        stun: api.stun.as_ref().map(|stun| stun.counts()),
    };
    let format = if prefers_open_metrics(request.headers()) { Format::OpenMetrics } else { Format::Text };
    HttpResponse::Ok()
        .content_type(format.content_type())
        .insert_header((header::VARY, "Accept"))
        .insert_header((header::CACHE_CONTROL, crate::api::NEVER_STORED))
        .body(figures.render(format))
}

fn plain(text: &'static str) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/plain; charset=utf-8")
        .insert_header((header::CACHE_CONTROL, crate::api::NEVER_STORED))
        .body(text)
}

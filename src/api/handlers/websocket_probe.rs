//! For the page that tests a network: do upgrades get through?

use actix_http::{body::BodyStream, ws};
use actix_web::{
    HttpRequest, HttpResponse, get,
    http::header,
    web::{Bytes, Data},
};
use futures_util::stream;

use crate::api::{
    Api,
    auth::caller::From,
    problem::{Code, Problem},
    refusals,
};

refusals!(UpgradeRefusals: MalformedRequest, RateLimited);

/// A WebSocket's last frame (RFC 6455 section 5.5.1): close, with the code for an orderly end.
const CLOSE_FRAME: [u8; 4] = [0x88, 0x02, 0x03, 0xe8];

/// See whether a WebSocket gets through
///
/// A diagnosis only: Signalpost itself never uses WebSockets. The handshake is accepted, and the WebSocket closed at once.
/// Where it does not come about, something on the way refuses upgrades.
#[utoipa::path(
    tag = "operation",
    operation_id = "probeUpgrade",
    responses((status = 101, description = "It does"), UpgradeRefusals)
)]
#[get("/v1/probe/upgrade")]
pub async fn upgrade(api: Data<Api>, request: HttpRequest, from: From) -> Result<HttpResponse, Problem> {
    api.rates.join(from.0)?;
    let refused = |error| Problem::new(Code::MalformedRequest, format!("This takes a WebSocket handshake: {error}."));
    let mut accepted = ws::handshake(request.head()).map_err(refused)?;
    let close = stream::iter([Ok::<_, std::convert::Infallible>(Bytes::from_static(&CLOSE_FRAME))]);
    accepted.insert_header((header::CACHE_CONTROL, crate::api::NEVER_STORED));
    Ok(accepted.body(BodyStream::new(close)).map_into_boxed_body().into())
}

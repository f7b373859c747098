//! For the network test page: do WebSocket upgrades get through?

use std::convert::Infallible;

use actix_http::{
    ResponseBuilder,
    body::BodyStream,
    ws::{self, HandshakeError},
};
use actix_web::{http::header, web::Bytes};
use futures_util::stream;

use crate::{
    api::{Call, Code, FromRequest, Problem, auth::caller::Client},
    transport::{Response, response::NO_STORE},
};

/// A Close frame (RFC 6455 section 5.5.1) with status 1000, normal closure.
const CLOSE_FRAME: [u8; 4] = [0x88, 0x02, 0x03, 0xe8];

/// Test whether WebSockets get through
///
/// For diagnosis only: Signalpost itself never uses WebSockets. The handshake is accepted and the WebSocket closed at once.
/// If it fails, an intermediary refuses upgrades.
#[utoipa::path(
    get,
    path = "/v1/probe/upgrade",
    tag = "operation",
    operation_id = "probeUpgrade",
    responses((status = 101, description = "They do"))
)]
// An image on another website is no handshake, so it is not counted.
pub async fn upgrade(handshake: Handshake, _: Client) -> Result<Response, Problem> {
    let Handshake(mut accepted) = handshake;
    let close = stream::iter([Ok::<_, Infallible>(Bytes::from_static(&CLOSE_FRAME))]);
    accepted.insert_header((header::CACHE_CONTROL, NO_STORE));
    Ok(Response::from_actix(accepted.body(BodyStream::new(close)).map_into_boxed_body().into()))
}

/// The response to a WebSocket handshake.
pub struct Handshake(ResponseBuilder);

impl FromRequest for Handshake {
    const PROBLEMS: &[Code] = &[Code::MalformedRequest];

    fn from_request(call: &Call<'_>) -> Result<Self, Problem> {
        let malformed = |error| Problem::new(Code::MalformedRequest, format!("Not a WebSocket handshake: {error}."));
        // A request that was read in place has no `Upgrade` field.
        let request = call.request.as_decoded().ok_or_else(|| malformed(HandshakeError::NoWebsocketUpgrade))?;
        ws::handshake(request.head()).map(Self).map_err(malformed)
    }
}

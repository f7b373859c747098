//! For the page that tests a network: do upgrades get through?

use std::sync::Arc;

use actix_http::{
    ResponseBuilder,
    body::BodyStream,
    ws::{self, HandshakeError},
};
use actix_web::{http::header, web::Bytes};
use futures_util::stream;

use crate::{
    api::{
        Api,
        auth::caller::From,
        operation::{Call, FromRequest},
        problem::{Code, Problem},
        schema::problem_responses::refusals,
    },
    transport::{Response, response::NO_STORE},
};

refusals!(UpgradeRefusals: MalformedRequest, RateLimited);

/// A WebSocket's last frame (RFC 6455 section 5.5.1): close, with the code for an orderly end.
const CLOSE_FRAME: [u8; 4] = [0x88, 0x02, 0x03, 0xe8];

/// See whether a WebSocket gets through
///
/// A diagnosis only: Signalpost itself never uses WebSockets. The handshake is accepted, and the WebSocket closed at once.
/// Where it does not come about, something on the way refuses upgrades.
#[utoipa::path(
    get,
    path = "/v1/probe/upgrade",
    tag = "operation",
    operation_id = "probeUpgrade",
    responses((status = 101, description = "It does"), UpgradeRefusals)
)]
pub async fn upgrade(api: Arc<Api>, from: From, handshake: Handshake) -> Result<Response, Problem> {
    api.rates.check_join(from.0)?;
    let refused = |error| Problem::new(Code::MalformedRequest, format!("This takes a WebSocket handshake: {error}."));
    let mut accepted = handshake.0.map_err(refused)?;
    let close = stream::iter([Ok::<_, std::convert::Infallible>(Bytes::from_static(&CLOSE_FRAME))]);
    accepted.insert_header((header::CACHE_CONTROL, NO_STORE));
    Ok(Response::from_actix(accepted.body(BodyStream::new(close)).map_into_boxed_body().into()))
}

/// The response to a WebSocket's handshake, or what is wrong with that.
pub struct Handshake(Result<ResponseBuilder, HandshakeError>);

impl FromRequest for Handshake {
    fn from_request(call: &Call<'_>) -> Result<Self, Problem> {
        // A request that was read in place has no `Upgrade`.
        let decoded = call.request.as_decoded();
        Ok(Self(decoded.map_or(Err(HandshakeError::NoWebsocketUpgrade), |request| ws::handshake(request.head()))))
    }
}

//! The beacon that a page sends when it is unloaded.

use std::sync::Arc;

use serde::Deserialize;

use crate::{
    api::{
        Api, Problem,
        auth::caller::Anyone,
        json::{body::BeaconBody, write::no_content},
    },
    domain::{PeerId, RoomName},
    transport::Response,
};

#[derive(Deserialize)]
struct Beacon<'a> {
    token: &'a str,
}

/// Leave from a page that is being unloaded
///
/// For `navigator.sendBeacon`, which cannot set header fields: the body is the token, either plain or as
/// `{"token": "…"}`. The seat is kept for three seconds, so that a page that is only being reloaded gets it back. Nobody
/// reads the response to a beacon, so it is 204 whether or not the seat existed.
#[utoipa::path(
    post,
    path = "/v1/rooms/{room}/peers/{peer}/leave",
    tag = "peers",
    operation_id = "sayGoodbye",
    request_body(content = Option<String>, content_type = "text/plain", description = "The peer's token"),
    responses((status = 204, description = "Accepted"))
)]
pub async fn goodbye(
    api: Arc<Api>,
    by: Anyone,
    room: RoomName,
    peer: PeerId,
    body: BeaconBody,
) -> Result<Response, Problem> {
    let bytes = body.read().await?;
    let token = token_in(&bytes);
    if api.tokens.verify_peer(&room, token).is_some_and(|claim| claim.peer == peer) {
        // The client does not read the response, so a missing seat is no error.
        let _ = api.engine.say_goodbye(&room, peer).await;
    } else {
        api.rates.record_miss(by.0, &[room.as_str(), token].join(" "));
    }
    Ok(no_content())
}

/// The token, plain or in JSON.
pub fn token_in(body: &[u8]) -> &str {
    let text = std::str::from_utf8(body).unwrap_or_default().trim();
    serde_json::from_str::<Beacon<'_>>(text).map_or(text, |beacon| beacon.token)
}

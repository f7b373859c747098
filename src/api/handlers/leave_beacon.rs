//! The last word of a page that goes away.

use std::sync::Arc;

use serde::Deserialize;

use crate::{
    api::{
        Api,
        auth::caller::{Addressee, InRoom},
        json::{body::BeaconBody, write::no_content},
        problem::Problem,
        room_name::RoomNameText,
        schema::problem_responses::refusals,
    },
    transport::Response,
};

#[derive(Deserialize)]
struct Beacon<'a> {
    token: &'a str,
}

refusals!(BeaconRefusals: MalformedBody, PeerUnknown, BodyTimeout, BodyTooLarge, RoomNameInvalid);

/// Say goodbye from a page that goes away
///
/// For `navigator.sendBeacon`, which can set no header: the token is the body, as it is or as `{"token": "…"}`. The
/// seat is kept for three seconds, so that a page that is only being loaded again finds it. Nobody reads the answer of a
/// beacon, so it is 204 whether or not there was a seat.
#[utoipa::path(
    post,
    path = "/v1/rooms/{room}/peers/{peer}/leave",
    tag = "peers",
    operation_id = "sayGoodbye",
    params(
        ("room" = RoomNameText, Path, description = "The room's name", example = "tea"),
        ("peer" = Uuid, Path, description = "The peer's id"),
    ),
    request_body(content = Option<String>, content_type = "text/plain", description = "The peer's token"),
    responses((status = 204, description = "Noted"), BeaconRefusals)
)]
pub async fn goodbye(api: Arc<Api>, room: InRoom, whom: Addressee, body: BeaconBody) -> Result<Response, Problem> {
    let bytes = body.read().await?;
    if api.tokens.verify_peer(&room.0, token_in(&bytes)) == Some(whom.0) {
        // Whether there was still a seat to give up is nobody's business any more.
        let _ = api.engine.say_goodbye(&room.0, whom.0).await;
    }
    Ok(no_content())
}

/// The token, as it is or in JSON.
pub fn token_in(body: &[u8]) -> &str {
    let text = std::str::from_utf8(body).unwrap_or_default().trim();
    serde_json::from_str::<Beacon<'_>>(text).map_or(text, |beacon| beacon.token)
}

//! ICE servers for a member, fresh.

use std::sync::Arc;

use actix_web::http::{StatusCode, uri::Authority};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    api::{
        Api,
        auth::caller::Reader,
        json::write,
        operation::{Call, FromRequest},
        problem::Problem,
        room_name::RoomNameText,
        schema::problem_responses::refusals,
    },
    ice::IceServer,
    transport::{Response, known_header::KnownHeader},
};

/// For `RTCPeerConnection.setConfiguration`.
#[derive(Serialize, ToSchema)]
pub struct IceServers {
    pub ice_servers: Vec<IceServer>,
    /// How long the TURN credentials hold, in seconds; null if there are none.
    #[schema(example = 3600, required)]
    pub ttl_s: Option<u64>,
}

refusals!(IceRefusals: TokenMissing, TokenInvalid, NotYours, Kicked, PeerUnknown, PeerGone, RoomNameInvalid,
    RateLimited, EngineUnavailable);

/// Get ICE servers with fresh TURN credentials
#[utoipa::path(
    get,
    path = "/v1/rooms/{room}/peers/{peer}/ice-servers",
    tag = "ice",
    operation_id = "getIceServers",
    params(
        ("room" = RoomNameText, Path, description = "The room's name", example = "tea"),
        ("peer" = Uuid, Path, description = "One's own id"),
    ),
    responses((status = 200, body = IceServers, description = "STUN and TURN servers"), IceRefusals),
    security(("peer_token" = []))
)]
pub async fn ice_servers(api: Arc<Api>, by: Reader, host: RequestHost) -> Result<Response, Problem> {
    let Reader(by) = by;
    // Only members: a token alone may be of somebody who was removed.
    api.engine.roster(&by.room, by.peer).await?;
    let answer = IceServers {
        ice_servers: api.ice.servers(by.peer, host.0.as_deref(), api.clock.wall_seconds()),
        ttl_s: api.ice.ttl().map(|ttl| ttl.as_secs()),
    };
    Ok(write::json(StatusCode::OK, &answer))
}

/// The server's name as the client knows it (RFC 9110 section 7.2), without the port. Only ever told to that client again.
#[derive(Debug)]
pub struct RequestHost(pub Option<String>);

impl FromRequest for RequestHost {
    fn from_request(call: &Call<'_>) -> Result<Self, Problem> {
        let named = || call.headers().text(KnownHeader::Host)?.parse::<Authority>().ok();
        let authority = call.request.authority().cloned().or_else(named);
        Ok(Self(authority.map(|authority| authority.host().to_owned())))
    }
}

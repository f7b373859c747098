//! ICE servers for a member, fresh.

use actix_web::{HttpResponse, get, http::StatusCode, web::Data};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Api, answers, caller::Owner, problem::Problem, refusals};
use crate::ice::IceServer;

/// For `RTCPeerConnection.setConfiguration`.
#[derive(Serialize, ToSchema)]
pub struct IceServers {
    pub ice_servers: Vec<IceServer>,
    /// How long the TURN credentials hold, in seconds; null if there are none.
    #[schema(example = 3600, required)]
    pub ttl_s: Option<u64>,
}

refusals!(IceRefusals: TokenMissing, TokenInvalid, NotYours, Kicked, PeerUnknown, PeerGone, RoomNameInvalid);

/// Get ICE servers with fresh TURN credentials
#[utoipa::path(
    tag = "ice",
    operation_id = "getIceServers",
    params(
        ("room" = String, Path, description = "The room's name", example = "tea"),
        ("peer" = Uuid, Path, description = "One's own id"),
    ),
    responses((status = 200, body = IceServers, description = "STUN and TURN servers"), IceRefusals),
    security(("peer_token" = []))
)]
#[get("/v1/rooms/{room}/peers/{peer}/ice-servers")]
pub async fn ice_servers(api: Data<Api>, by: Owner) -> Result<HttpResponse, Problem> {
    // Only members: a token alone may be of somebody who was removed.
    api.engine.roster(&by.room, by.peer).await?;
    let answer = IceServers {
        ice_servers: api.ice.servers(by.peer, api.clock.wall_seconds()),
        ttl_s: api.ice.ttl().map(|ttl| ttl.as_secs()),
    };
    Ok(answers::json(StatusCode::OK, &answer))
}

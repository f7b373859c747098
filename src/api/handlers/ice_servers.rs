//! ICE servers with fresh credentials.

use std::sync::Arc;

use actix_web::http::{StatusCode, uri::Authority};

use crate::{
    api::{Api, Call, FromRequest, Problem, auth::caller::Reader, json::write, schema::responses::IceServers},
    domain::PeerId,
    transport::{Response, known_header::KnownHeader},
};

/// Get ICE servers with fresh TURN credentials
#[utoipa::path(
    get,
    path = "/v1/rooms/{room}/peers/{peer}/ice-servers",
    tag = "ice",
    operation_id = "getIceServers",
    responses((status = 200, body = IceServers, description = "STUN and TURN servers")),
    security(("peer_token" = []))
)]
pub async fn ice_servers(api: Arc<Api>, by: Reader, host: RequestHost) -> Result<Response, Problem> {
    let Reader(by) = by;
    // A removed peer still has its token, so membership is checked, too.
    api.engine.roster(&by.room, by.peer).await?;
    Ok(write::json(StatusCode::OK, &servers_for(&api, by.peer, &host)))
}

pub fn servers_for(api: &Api, peer: PeerId, host: &RequestHost) -> IceServers {
    IceServers {
        ice_servers: api.ice.servers(peer, host.0.as_deref(), api.clock.wall_seconds()),
        ttl_s: api.ice.ttl().map(|ttl| ttl.as_secs()),
    }
}

/// The host to which the client sent the request (RFC 9110 section 7.2), without the port. It is unverified, and only sent
/// back to the same client.
#[derive(Debug)]
pub struct RequestHost(Option<String>);

impl FromRequest for RequestHost {
    fn from_request(call: &Call<'_>) -> Result<Self, Problem> {
        let from_header = || call.headers().text(KnownHeader::Host)?.parse::<Authority>().ok();
        let authority = call.request.authority().cloned().or_else(from_header);
        Ok(Self(authority.map(|authority| authority.host().to_owned())))
    }
}

//! ICE servers for a member, fresh.

use std::future::Ready;

use actix_web::{
    FromRequest, HttpRequest,
    dev::Payload,
    get,
    http::{StatusCode, uri::Authority},
    web::Data,
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    api::{
        Api,
        auth::caller::{Call, Reader},
        json::write,
        problem::Problem,
        refusals,
        room_name::RoomNameText,
    },
    ice::IceServer,
    transport::{headers::Field, response::Answer},
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
    tag = "ice",
    operation_id = "getIceServers",
    params(
        ("room" = RoomNameText, Path, description = "The room's name", example = "tea"),
        ("peer" = Uuid, Path, description = "One's own id"),
    ),
    responses((status = 200, body = IceServers, description = "STUN and TURN servers"), IceRefusals),
    security(("peer_token" = []))
)]
#[get("/v1/rooms/{room}/peers/{peer}/ice-servers")]
pub async fn ice_servers(api: Data<Api>, Reader(by): Reader, host: AskedHost) -> Result<Answer, Problem> {
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
pub struct AskedHost(pub Option<String>);

impl FromRequest for AskedHost {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        std::future::ready(Call::routed(request).map(|call| Self::of(&call)))
    }
}

impl AskedHost {
    pub fn of(call: &Call<'_>) -> Self {
        let named = || call.fields.text(Field::Host)?.parse::<Authority>().ok();
        let authority = call.authority.cloned().or_else(named);
        Self(authority.map(|authority| authority.host().to_owned()))
    }
}

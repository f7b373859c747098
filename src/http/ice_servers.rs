//! ICE servers for a member, fresh.

use std::{convert::Infallible, future::Ready};

use actix_web::{
    FromRequest, HttpRequest, HttpResponse,
    dev::{Payload, RequestHead},
    get,
    http::{StatusCode, header, uri::Authority},
    web::Data,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Api, answers, caller::Reader, problem::Problem, refusals, room_name::RoomNameText};
use crate::ice::IceServer;

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
pub async fn ice_servers(api: Data<Api>, Reader(by): Reader, host: AskedHost) -> Result<HttpResponse, Problem> {
    // Only members: a token alone may be of somebody who was removed.
    api.engine.roster(&by.room, by.peer).await?;
    let answer = IceServers {
        ice_servers: api.ice.servers(by.peer, host.0.as_deref(), api.clock.wall_seconds()),
        ttl_s: api.ice.ttl().map(|ttl| ttl.as_secs()),
    };
    Ok(answers::json(StatusCode::OK, &answer))
}

/// The server's name as the client knows it (RFC 9110 section 7.2), without the port. Only ever told to that client again.
#[derive(Debug)]
pub struct AskedHost(pub Option<String>);

impl FromRequest for AskedHost {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        std::future::ready(Ok(Self::of(request.head())))
    }
}

impl AskedHost {
    pub fn of(head: &RequestHead) -> Self {
        let named = || head.headers().get(header::HOST)?.to_str().ok()?.parse::<Authority>().ok();
        let authority = head.uri.authority().cloned().or_else(named);
        Self(authority.map(|authority| authority.host().to_owned()))
    }
}

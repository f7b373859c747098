//! ICE servers with fresh credentials.

use std::sync::Arc;

use actix_web::http::{StatusCode, uri::Authority};

use crate::{
    api::{
        Api, Call, FromRequest, Problem,
        auth::caller::{ClientAddress, Reader},
        json::write,
        schema::responses::IceServers,
    },
    domain::Subject,
    transport::{Response, known_header::KnownHeader},
};

/// Get ICE servers with fresh TURN credentials
///
/// A peer that is alone in its room gets no credentials, unless it came with a ticket.
#[utoipa::path(
    get,
    path = "/v1/rooms/{room}/peers/{peer}/ice-servers",
    tag = "ice",
    operation_id = "getIceServers",
    responses((status = 200, body = IceServers, description = "STUN and TURN servers")),
    security(("peer_token" = []))
)]
pub async fn ice_servers(
    api: Arc<Api>,
    by: Reader,
    address: ClientAddress,
    host: RequestHost,
) -> Result<Response, Problem> {
    let Reader(by) = by;
    // A removed peer still has its token, so membership is checked, too.
    let roster = api.engine.roster(&by.room, by.peer).await?;
    let user = turn_user(&api, address, roster.subject, roster.peers.len());
    Ok(write::json(StatusCode::OK, &servers_for(&api, user.as_deref(), &host)))
}

/// The user that a TURN server's quotas count: the ticket's subject or the address (IPv6: its /48), as a pseudonym. `None` for a
/// peer that is alone, or a stranger who takes one seat after another would have a free relay.
pub fn turn_user(api: &Api, address: ClientAddress, subject: Option<Subject>, seated: usize) -> Option<String> {
    let is_entitled = api.tickets.is_some() || seated > 1;
    is_entitled.then(|| match subject {
        Some(subject) => api.tokens.pseudonym(b"subject", subject.as_digest()),
        None => api.tokens.pseudonym(b"address", &address.0.site().unwrap_or(address.0).to_bytes()),
    })
}

pub fn servers_for(api: &Api, user: Option<&str>, host: &RequestHost) -> IceServers {
    let ttl = api.ice.ttl().map(|ttl| if user.is_some() { ttl.as_secs() } else { 0 });
    IceServers { ice_servers: api.ice.servers(user, host.0.as_deref(), api.clock.wall_seconds()), ttl_s: ttl }
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

//! ICE servers with fresh credentials.

use std::{net::IpAddr, sync::Arc};

use actix_web::http::{StatusCode, uri::Authority};

use crate::{
    api::{
        Api, Call, FromRequest, Problem,
        auth::caller::{ClientAddress, Member, Reader},
        json::write,
        schema::responses::IceServers,
    },
    domain::{RoomName, Subject},
    ice::{IceUser, Reached},
    transport::{Response, known_header::KnownHeader},
    turn,
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
    let user = ice_user(&api, &by, address, roster.subject, roster.peers.len());
    Ok(write::json(StatusCode::OK, &servers_for(&api, &by.room, user.as_ref(), &host)))
}

/// Whom TURN credentials are for. Another TURN server counts by the ticket's subject or the address (IPv6: its /48), as a
/// pseudonym. `None` for a peer that is alone, or a stranger who takes one seat after another would have a free relay.
pub fn ice_user(
    api: &Api,
    by: &Member,
    address: ClientAddress,
    subject: Option<Subject>,
    seated: usize,
) -> Option<IceUser> {
    let is_entitled = api.tickets.is_some() || seated > 1;
    is_entitled.then(|| IceUser {
        pseudonym: Some(match subject {
            Some(subject) => api.tokens.pseudonym(b"subject", subject.as_digest()),
            None => api.tokens.pseudonym(b"address", &address.0.site().unwrap_or(address.0).to_bytes()),
        }),
        member: turn::Member { room: by.room.clone(), peer: by.peer, address: address.0 },
    })
}

pub fn servers_for(api: &Api, room: &RoomName, user: Option<&IceUser>, host: &RequestHost) -> IceServers {
    let ttl = api.ice.ttl().map(|ttl| if user.is_some() { ttl.as_secs() } else { 0 });
    IceServers { ice_servers: api.ice.servers(room, user, host.reached(), api.clock.wall_seconds()), ttl_s: ttl }
}

/// The host to which the client sent the request (RFC 9110 section 7.2), also if a trusted proxy has replaced it by one that means
/// something only behind it. It is unverified, and only sent back to the same client.
#[derive(Debug)]
pub struct RequestHost(Option<Authority>);

impl RequestHost {
    fn reached(&self) -> Option<Reached<'_>> {
        self.0.as_ref().map(|authority| Reached { host: authority.host(), port: authority.port_u16() })
    }
}

impl FromRequest for RequestHost {
    fn from_request(call: &Call<'_>) -> Result<Self, Problem> {
        let from_header = || call.headers().text(KnownHeader::Host)?.parse::<Authority>().ok();
        let host = call.request.authority().cloned().or_else(from_header);
        if host.as_ref().is_some_and(|host| !is_internal(host.host())) {
            return Ok(Self(host));
        }
        let forwarded = call.api.proxies.hosts(call.request.peer().ip(), call.headers());
        Ok(Self(forwarded.into_iter().find_map(|host| host.parse().ok()).or(host)))
    }
}

/// Ends of names that are not in the public DNS.
const INTERNAL: [&str; 5] = [".local", ".localhost", ".internal", ".lan", ".home.arpa"];

/// Whether a host is of a proxy's own network: an address that is not public, or a name that only it knows.
fn is_internal(host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    match host.trim_matches(['[', ']']).parse::<IpAddr>().map(|ip| ip.to_canonical()) {
        // The last: RFC 6598, which tunnels use.
        Ok(IpAddr::V4(ip)) => {
            ip.is_loopback() || ip.is_private() || ip.is_link_local() || ip.to_bits() >> 22 == 0b01_1001_0001
        }
        Ok(IpAddr::V6(ip)) => ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local(),
        Err(_) => !host.contains('.') || INTERNAL.iter().any(|end| host.ends_with(end)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_of_the_own_network_are_told_from_public_ones() {
        for internal in [
            "127.0.0.1",
            "10.1.2.3",
            "192.168.0.1",
            "169.254.1.1",
            "100.64.0.1",
            "100.127.255.255",
            "[::1]",
            "[fd00::5]",
            "[fe80::1]",
            "[::ffff:10.0.0.1]",
            "backend",
            "localhost.",
            "App.Internal",
            "box.local",
            "signalpost.default.svc.cluster.local",
        ] {
            assert!(is_internal(internal), "{internal}");
        }
        for public in [
            "203.0.113.9",
            "100.63.0.1",
            "100.128.0.1",
            "[2001:db8::5]",
            "call.example.org",
            "local.example",
            "a.test.example",
        ] {
            assert!(!is_internal(public), "{public}");
        }
    }
}

//! ICE servers in `Link` fields (RFC 9725 section 4.6).

use crate::{
    api::{
        Api,
        auth::{
            admission::Admission,
            caller::{ClientAddress, Member},
        },
        handlers::ice_servers::{RequestHost, ice_user, servers_for},
        whip::{callers::Caller, kind::Kind},
    },
    domain::RoomName,
    ice::{IceServer, IceUser},
    transport::Response,
};

/// Names the ICE servers for this user, or those that need no credentials.
pub fn add_links(response: &mut Response, api: &Api, room: &RoomName, user: Option<&IceUser>, host: &RequestHost) {
    for link in servers_for(api, room, user, host).ice_servers.iter().flat_map(links) {
        response.add("link", link);
    }
}

/// Who has credentials for this server's relay before the call: they are of no use until the seat is taken. Not with a room's secret, because whether
/// the relay accepts them would tell whether it is the right one. Credentials for other TURN servers come with the seat.
pub fn early_user(api: &Api, caller: &Caller, kind: Kind) -> Option<IceUser> {
    let bearer = caller.bearer.as_deref();
    if api.tickets.is_none() && bearer.is_some() {
        return None;
    }
    let admission = Admission::check(api, caller.address, &caller.room, None, bearer, None).ok()?;
    let member = Member { room: caller.room.clone(), peer: caller.peer(&api.tokens, kind) };
    let user = ice_user(api, &member, ClientAddress(caller.address), admission.subject, 2)?;
    admission.rights.enter.then_some(IceUser { pseudonym: None, ..user })
}

/// User names and passwords consist of digits, colons and base64; a host from the request is an [`Authority`](actix_web::http::uri::Authority), which has
/// no quotes and no angle brackets.
fn links(server: &IceServer) -> Vec<String> {
    let credentials = match (&server.username, &server.credential) {
        (Some(username), Some(credential)) => {
            format!("; username=\"{username}\"; credential=\"{credential}\"; credential-type=\"password\"")
        }
        _ => String::new(),
    };
    server.urls.iter().map(|url| format!("<{url}>; rel=\"ice-server\"{credentials}")).collect()
}

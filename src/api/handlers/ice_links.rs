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

/// Who may have credentials before the call. Those for this server's relay are of no use until the seat is taken. Others are for holders of tickets
/// only: without tickets, anyone can ask with any room's name.
pub fn early_user(api: &Api, caller: &Caller, kind: Kind) -> Option<IceUser> {
    let ticket = caller.bearer.as_deref().filter(|_| api.tickets.is_some());
    let admission = Admission::check(api, caller.address, &caller.room, None, ticket, None).ok()?;
    let member = Member { room: caller.room.clone(), peer: caller.peer(&api.tokens, kind) };
    let user = ice_user(api, &member, ClientAddress(caller.address), admission.subject, 2)?;
    match (&api.tickets, admission.rights.enter) {
        (_, false) => None,
        (Some(_), true) => Some(user),
        (None, true) => Some(IceUser { pseudonym: None, ..user }),
    }
}

/// The values are base64, numbers and UUIDs, so nothing needs escaping.
fn links(server: &IceServer) -> Vec<String> {
    let credentials = match (&server.username, &server.credential) {
        (Some(username), Some(credential)) => {
            format!("; username=\"{username}\"; credential=\"{credential}\"; credential-type=\"password\"")
        }
        _ => String::new(),
    };
    server.urls.iter().map(|url| format!("<{url}>; rel=\"ice-server\"{credentials}")).collect()
}

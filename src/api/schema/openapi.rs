//! The OpenAPI 3.1 document: the operations of the router, and what applies to all of them.

use utoipa::{
    IntoParams, Modify, OpenApi,
    openapi::{
        self, RefOr,
        path::HttpMethod,
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};
use uuid::Uuid;

use crate::api::{
    handlers::{peers::JoinRequest, rooms::CreateRequest},
    problem::ProblemBody,
    room_name::RoomNameText,
    router::{Operations, Route, routes},
    schema::problem_responses::add_problems,
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Signalpost",
        description = "WebRTC signaling over plain HTTP: peers meet in rooms, POST offers, answers and candidates into \
            each other's mailboxes, and long-poll their own.\n\nTo make a call by hand: **join** twice, once for each \
            peer. Put the first token into **Authorize** and **post** an offer to the second peer's id. Authorize with \
            the second token, **poll** its mailbox, post the answer, and so on. Errors are problem documents (RFC 9457) \
            that say what to do.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
        contact(name = "Signalpost", url = "https://github.com/signalpost/signalpost"),
    ),
    tags(
        (name = "rooms", description = "Where peers meet"),
        (name = "peers", description = "Joining and leaving"),
        (name = "messages", description = "Mailboxes: other peers post, the owner polls"),
        (name = "ice", description = "STUN and TURN"),
        (name = "whip", description = "Encoders (WHIP, RFC 9725) and players (WHEP)"),
        (name = "operation", description = "For operators"),
    ),
    // utoipa does not collect schemas that only errors, parameters or optional bodies refer to.
    components(schemas(ProblemBody, RoomNameText, CreateRequest, JoinRequest)),
    modifiers(&Shared),
)]
struct Shared;

impl Modify for Shared {
    fn modify(&self, document: &mut openapi::OpenApi) {
        let scheme = |description: &str| {
            SecurityScheme::Http(
                HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(description)).build(),
            )
        };
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("peer_token", scheme("The `token` from a join; it speaks for that peer."));
        components.add_security_scheme(
            "whip_token",
            scheme("A ticket, or the room's secret: what a join would have in its body."),
        );
        components.add_security_scheme("room_token", scheme("The `room_token` given to the room's creator."));
        // An operation that names no security is open to anyone.
        document.security = Some(vec![openapi::SecurityRequirement::default()]);
        // Relative to the document, whatever host and prefix it was served under.
        document.servers = Some(vec![openapi::Server::new(".")]);
    }
}

#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[allow(dead_code, reason = "only described")]
struct PathParameters {
    /// The room's name
    #[param(value_type = RoomNameText, example = "tea")]
    room: String,
    /// The peer's id
    peer: Uuid,
    /// From `Location`
    session: String,
}

/// The whole document. Parameters in the path and problems are added to what each operation says itself.
pub fn document() -> openapi::OpenApi {
    let mut document = Shared::openapi();
    document.merge(Operations::openapi());
    for Route { methods, path, problems, .. } in routes() {
        let Some(item) = document.paths.paths.get_mut(&path) else { continue };
        let operation = match methods[..] {
            [HttpMethod::Get] => &mut item.get,
            [HttpMethod::Post] => &mut item.post,
            [HttpMethod::Patch] => &mut item.patch,
            [HttpMethod::Delete] => &mut item.delete,
            [HttpMethod::Options] => &mut item.options,
            _ => continue,
        };
        let Some(operation) = operation else { continue };
        let mut parameters = PathParameters::into_params(|| None);
        parameters.retain(|parameter| path.contains(&format!("{{{}}}", parameter.name)));
        let documented = operation.parameters.take().unwrap_or_default();
        let parameters: Vec<_> = parameters.into_iter().map(RefOr::T).chain(documented).collect();
        operation.parameters = Some(parameters).filter(|parameters| !parameters.is_empty());
        add_problems(&mut operation.responses, &problems);
    }
    document
}

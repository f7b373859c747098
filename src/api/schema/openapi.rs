//! The OpenAPI 3.1 document. Paths come from the one list of routes; here is only what is said once for all of them.

use utoipa::{
    Modify, OpenApi,
    openapi::{
        self,
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

use crate::api::{
    handlers::{peers::JoinRequest, rooms::CreateRequest},
    problem::ProblemBody,
    room_name::RoomNameText,
    router::Operations,
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Signalpost",
        description = "WebRTC signaling over plain HTTP: peers meet in rooms, POST offers, answers and candidates into \
            each other's mailboxes, and long-poll their own.\n\nA call by hand: **join** twice (once for each peer), \
            put the first token into **Authorize**, **post** an offer to the second peer's id; authorize with the \
            second token, **poll** its mailbox, post the answer, and so on. Errors are problem documents (RFC 9457) \
            that say what to do.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
        contact(name = "Signalpost", url = "https://github.com/signalpost/signalpost"),
    ),
    tags(
        (name = "rooms", description = "Where peers meet"),
        (name = "peers", description = "Taking a seat and leaving it"),
        (name = "messages", description = "Mailboxes: others post, the owner polls"),
        (name = "ice", description = "STUN and TURN"),
        (name = "operation", description = "For operators"),
    ),
    // What is reached only through error answers, parameters or bodies that may be left out is not collected by itself.
    components(schemas(ProblemBody, RoomNameText, CreateRequest, JoinRequest)),
    modifiers(&Tokens),
)]
struct Shared;

struct Tokens;

impl Modify for Tokens {
    fn modify(&self, document: &mut openapi::OpenApi) {
        let scheme = |says: &str| {
            SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(says)).build())
        };
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("peer_token", scheme("The `token` of a join: speaks for that peer."));
        components.add_security_scheme("room_token", scheme("The `room_token` of whoever made the room."));
        // Where an operation says nothing, anybody may call it.
        document.security = Some(vec![openapi::SecurityRequirement::default()]);
        // Beside the document: whichever server it came from, and under whatever path that is.
        document.servers = Some(vec![openapi::Server::new(".")]);
    }
}

/// The whole document. Its paths come from the one list of routes.
pub fn document() -> openapi::OpenApi {
    let mut document = Shared::openapi();
    document.merge(Operations::openapi());
    document
}

//! The OpenAPI 3.1 document. Paths come from the one list of routes; here is only what is said once for all of them.

use std::collections::BTreeMap;

use actix_web::App;
use serde_json::{Value, json};
use utoipa::{
    Modify, OpenApi,
    openapi::{
        self, Content, Ref, RefOr, Response,
        example::ExampleBuilder,
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};
use utoipa_actix_web::AppExt;

use crate::{
    api::{
        handlers::{peers::JoinRequest, rooms::CreateRequest},
        problem::{Code, Problem, ProblemBody},
        room_name::RoomNameText,
        router,
    },
    domain::{Refusal, Seat},
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

/// The whole document.
pub fn document() -> openapi::OpenApi {
    let (_, document) = App::new().into_utoipa_app().openapi(shared()).configure(router::api).split_for_parts();
    document
}

/// The document without its paths, to which the routes add themselves.
fn shared() -> openapi::OpenApi {
    Shared::openapi()
}

/// The error answers of an operation, from the table: one for each status, with an example of each problem.
pub fn problem_responses(codes: &[Code]) -> BTreeMap<String, RefOr<Response>> {
    let mut by_status: BTreeMap<String, Vec<Code>> = BTreeMap::new();
    // Every operation may meet the server's own mistakes and limits.
    for code in codes.iter().copied().chain([Code::Internal, Code::TooManyConnections, Code::MemoryExhausted]) {
        by_status.entry(code.row().status.to_string()).or_default().push(code);
    }
    by_status.into_iter().map(|(status, codes)| (status, RefOr::T(problem_response(&codes)))).collect()
}

fn problem_response(codes: &[Code]) -> Response {
    let says: Vec<String> = codes.iter().map(|code| format!("`{}`: {}", code.row().slug, code.row().title)).collect();
    let examples = codes.iter().map(|code| {
        let example = ExampleBuilder::new().summary(code.row().title).value(Some(example_of(*code)));
        (code.row().slug.to_owned(), RefOr::T(example.build()))
    });
    let content = Content::builder()
        .schema(Some(Ref::from_schema_name("Problem")))
        .examples_from_iter(examples.collect::<Vec<_>>())
        .build();
    openapi::ResponseBuilder::new().description(says.join(". ")).content("application/problem+json", content).build()
}

/// What a problem of this kind looks like, with its further members.
pub fn example_of(code: Code) -> Value {
    let span = std::time::Duration::from_millis;
    let problem: Problem = match code {
        Code::RoomFull => {
            let seats = vec![Seat { frees_in: None }, Seat { frees_in: Some(span(12_000)) }];
            Refusal::RoomFull { capacity: 2, seats }.into()
        }
        Code::Draining => Refusal::Draining.into(),
        code => Problem::new(code, "…"),
    };
    let mut body = json!(problem.body());
    if code == Code::Draining {
        // Jittered in life; the document must be the same each time.
        body["retry_after_ms"] = 1500.into();
    }
    body
}

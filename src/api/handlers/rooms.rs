//! Making, looking at, locking and closing rooms.

use std::sync::Arc;

use actix_web::http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    api::{
        Api,
        auth::{
            admission::{Admission, hash_secret},
            caller::{Creator, From, InRoom},
        },
        idempotency::IdempotencyKey,
        json::{
            body::{JsonBody, parse, parse_or_default},
            write::{self, no_content},
        },
        params::{parse_capacity, parse_room},
        problem::{Code, Problem},
        room_name::{RoomNameText, generate_room_name},
        schema::{problem_responses::refusals, responses::Room},
    },
    domain::{CreatorId, Refusal, RoomPlan},
    transport::Response,
};

#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CreateRequest {
    /// The name. Without one, the server makes a short readable one.
    #[schema(value_type = Option<RoomNameText>)]
    pub room: Option<String>,
    /// Seats, from 1 up to the server's limit (64 unless it says otherwise).
    #[schema(value_type = Option<u16>, example = 2, minimum = 1, maximum = 64)]
    pub capacity: Option<f64>,
    /// What joining will need.
    #[schema(example = "two lumps", min_length = 1, max_length = 256)]
    pub secret: Option<String>,
    /// A JWT by the app's login that allows to create, where the server asks for one.
    #[schema(example = "eyJhbGciOiJIUzI1NiJ9.…")]
    pub ticket: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeRequest {
    /// Whether nobody new is let in.
    #[schema(example = true)]
    pub locked: bool,
}

refusals!(CreateRefusals: MalformedBody, MalformedRequest, TicketMissing, TicketMalformed, TicketAlgorithm, TicketSignature,
    TicketExpired, TicketOtherRoom, TicketCannotCreate, BodyTimeout, RoomExists, RoomClosed, BodyTooLarge,
    UnsupportedMediaType, Invalid, RoomNameInvalid, KeyReused, RateLimited, TooManyFailures, RoomsExhausted, Draining,
    EngineUnavailable);
refusals!(ShowRefusals: RoomUnknown, RoomNameInvalid, EngineUnavailable);
refusals!(ChangeRefusals: MalformedBody, TokenMissing, TokenInvalid, NotYours, RoomUnknown, BodyTimeout, BodyTooLarge,
    UnsupportedMediaType, Invalid, RoomNameInvalid, EngineUnavailable);
refusals!(CloseRefusals: TokenMissing, TokenInvalid, NotYours, RoomUnknown, RoomNameInvalid, EngineUnavailable);

/// Names tried before giving up on finding a free one: each is one of 7 × 10^10.
const NAMES_TRIED: u64 = 4;

/// Make a room ahead
///
/// Joining makes a room by itself; this makes one that nobody is in yet, with its own capacity or secret. It stays for
/// ten minutes while nobody is in it. The answer holds the room token, which closes, locks and kicks.
#[utoipa::path(
    post,
    path = "/v1/rooms",
    tag = "rooms",
    operation_id = "createRoom",
    params(("Idempotency-Key" = Option<String>, Header, nullable = false, pattern = "^[!-~]{16,64}$",
        description = "A UUID. A repeat with the same key gets the first answer again.")),
    request_body(content = ref("#/components/schemas/CreateRequest"), content_type = "application/json",
        example = json!({"room": "tea", "capacity": 2})),
    responses((status = 201, body = Room, description = "Made"), CreateRefusals)
)]
pub async fn create(api: Arc<Api>, from: From, key: IdempotencyKey, body: JsonBody) -> Result<Response, Problem> {
    api.rates.check_join(from.0)?;
    let bytes = body.read().await?;
    let request: CreateRequest = parse_or_default(&bytes)?;
    let wished = request.room.as_deref().map(parse_room).transpose()?;
    let plan = RoomPlan {
        capacity: parse_capacity(request.capacity, &api.limits)?,
        secret: request.secret.as_deref().map(hash_secret).transpose()?,
        made_by: key.keyed(&[b"create", &bytes]),
        ..RoomPlan::default()
    };
    for attempt in 0..NAMES_TRIED {
        let creator = CreatorId::from_bytes(Uuid::new_v4().into_bytes());
        let name = match &wished {
            Some(name) => name.clone(),
            None => generate_room_name(&api.tokens, key.as_deref(), attempt)?,
        };
        let admission = Admission::of(&api, from.0, &name, request.ticket.as_deref(), None)?;
        admission.rights.check_create()?;
        match api.engine.create(&name, plan.clone(), creator).await {
            Err(Refusal::RoomExists | Refusal::RoomClosed) if wished.is_none() => {}
            Err(refusal) => return Err(refusal.into()),
            Ok(created) => {
                let room_token = Some(api.tokens.room_token(&name, created.creator));
                let room = Room { room_token, ..Room::new(&name, created.view) };
                return Ok(write::json(StatusCode::CREATED, &room));
            }
        }
    }
    Err(Problem::new(Code::RoomExists, "No free name was found. Name the room yourself."))
}

/// Look at a room
#[utoipa::path(
    get,
    path = "/v1/rooms/{room}",
    tag = "rooms",
    operation_id = "getRoom",
    params(("room" = RoomNameText, Path, description = "The room's name", example = "tea")),
    responses((status = 200, body = Room, description = "The room"), ShowRefusals)
)]
pub async fn show(api: Arc<Api>, room: InRoom) -> Result<Response, Problem> {
    let InRoom(name) = room;
    let view = api.engine.view(&name).await?;
    Ok(write::json(StatusCode::OK, &Room::new(&name, view)))
}

/// Lock or unlock a room
///
/// A locked room lets nobody new in; those who are in it stay, and may reload their pages.
#[utoipa::path(
    patch,
    path = "/v1/rooms/{room}",
    tag = "rooms",
    operation_id = "changeRoom",
    params(("room" = RoomNameText, Path, description = "The room's name", example = "tea")),
    request_body(content = ChangeRequest, content_type = "application/json", example = json!({"locked": true})),
    responses((status = 200, body = Room, description = "The room as it is now"), ChangeRefusals),
    security(("room_token" = []))
)]
pub async fn change(api: Arc<Api>, by: Creator, body: JsonBody) -> Result<Response, Problem> {
    let request: ChangeRequest = parse(&body.read().await?)?;
    let view = api.engine.lock(&by.room, by.creator, request.locked).await?;
    Ok(write::json(StatusCode::OK, &Room::new(&by.room, view)))
}

/// Close a room
///
/// Everybody in it finds `room-closed` in the mailbox, and can do nothing more there.
#[utoipa::path(
    delete,
    path = "/v1/rooms/{room}",
    tag = "rooms",
    operation_id = "closeRoom",
    params(("room" = RoomNameText, Path, description = "The room's name", example = "tea")),
    responses((status = 204, description = "Closed"), CloseRefusals),
    security(("room_token" = []))
)]
pub async fn close(api: Arc<Api>, by: Creator) -> Result<Response, Problem> {
    api.engine.close(&by.room, by.creator).await?;
    Ok(no_content())
}

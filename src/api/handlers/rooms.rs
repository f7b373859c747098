//! Creating, viewing, locking and closing rooms.

use std::sync::Arc;

use actix_web::http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    api::{
        Api, Code, Problem,
        auth::{
            admission::{Admission, check_secret},
            caller::{Anyone, Client, Creator},
        },
        idempotency::IdempotencyKey,
        json::{
            body::{JsonBody, parse, parse_or_default},
            write::{self, no_content},
        },
        params::{parse_capacity, parse_room},
        room_name::{RoomNameText, generate_room_name},
        schema::responses::Room,
    },
    domain::{CreatorId, Refusal, RoomName, RoomPlan},
    transport::Response,
};

#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CreateRequest {
    /// The name. Without one, the server generates a pronounceable name that nobody can guess.
    #[schema(value_type = Option<RoomNameText>)]
    pub room: Option<String>,
    /// The number of seats, from 1 to the server's limit (64 by default).
    #[schema(value_type = Option<u16>, example = 2, minimum = 1, maximum = 64)]
    pub capacity: Option<f64>,
    /// Joining will require it.
    #[schema(example = "two lumps", min_length = 8, max_length = 256)]
    pub secret: Option<String>,
    /// A JWT from the app's login that allows to create rooms, if the server requires tickets.
    #[schema(example = "eyJhbGciOiJIUzI1NiJ9.…")]
    pub ticket: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeRequest {
    /// Whether to keep new peers out.
    #[schema(example = true)]
    pub locked: bool,
}

/// How many generated names to try, each one of 2^128: taken ones come from a key that was used before.
const NAME_ATTEMPTS: u64 = 4;

/// Create a room ahead of time
///
/// Joining creates a room, too. This creates an empty one with its own capacity or secret, which is kept for ten minutes
/// while empty. The response has the room token, which allows to close and lock the room and to remove peers, unless a ticket
/// does not say `admin`.
#[utoipa::path(
    post,
    path = "/v1/rooms",
    tag = "rooms",
    operation_id = "createRoom",
    params(IdempotencyKey),
    request_body(content = ref("#/components/schemas/CreateRequest"), content_type = "application/json",
        example = json!({"room": "tea", "capacity": 2})),
    responses((status = 201, body = Room, description = "Created"))
)]
pub async fn create(api: Arc<Api>, client: Client, key: IdempotencyKey, body: JsonBody) -> Result<Response, Problem> {
    let bytes = body.read_valid(&api.limits).await?;
    let request: CreateRequest = parse_or_default(&bytes)?;
    let requested = request.room.as_deref().map(parse_room).transpose()?;
    request.secret.as_deref().map(check_secret).transpose()?;
    let plan = RoomPlan {
        capacity: parse_capacity(request.capacity, &api.limits)?,
        made_by: key.keyed(&[b"create", &bytes]),
        source: api.tokens.source(client.0),
        ..RoomPlan::default()
    };
    for attempt in 0..NAME_ATTEMPTS {
        let name = match &requested {
            Some(name) => name.clone(),
            None => generate_room_name(&api.tokens, key.as_deref(), attempt)?,
        };
        let admission = Admission::check(&api, client.0, &name, None, request.ticket.as_deref(), None)?;
        admission.rights.check_create()?;
        let secret = request.secret.as_deref().map(|secret| api.tokens.digest_secret(&name, secret));
        match api.engine.create(&name, RoomPlan { secret, ..plan.clone() }, new_creator()).await {
            Err(Refusal::RoomExists | Refusal::RoomClosed) if requested.is_none() => {}
            Err(refusal) => return Err(refusal.into()),
            Ok(created) => {
                let room_token = admission.rights.own.then(|| api.tokens.room_token(&name, created.creator));
                let room = Room { room_token, ..Room::new(&name, created.view) };
                return Ok(write::json(StatusCode::CREATED, &room));
            }
        }
    }
    Err(Problem::new(Code::RoomExists, "All generated names were taken. Choose a name yourself."))
}

pub fn new_creator() -> CreatorId {
    CreatorId::from_bytes(Uuid::new_v4().into_bytes())
}

/// Get a room
#[utoipa::path(
    get,
    path = "/v1/rooms/{room}",
    tag = "rooms",
    operation_id = "getRoom",
    responses((status = 200, body = Room, description = "The room"))
)]
pub async fn show(api: Arc<Api>, by: Anyone, room: RoomName) -> Result<Response, Problem> {
    let Anyone(address) = by;
    api.rates.check_misses(address)?;
    let view = api.engine.view(&room).await.inspect_err(|refusal| {
        if *refusal == Refusal::RoomUnknown {
            api.rates.record_miss(address, room.as_str());
        }
    })?;
    Ok(write::json(StatusCode::OK, &Room::new(&room, view)))
}

/// Lock or unlock a room
///
/// A locked room admits no new peers. Its members stay and may reload their pages.
#[utoipa::path(
    patch,
    path = "/v1/rooms/{room}",
    tag = "rooms",
    operation_id = "changeRoom",
    request_body(content = ChangeRequest, content_type = "application/json", example = json!({"locked": true})),
    responses((status = 200, body = Room, description = "The changed room")),
    security(("room_token" = []))
)]
pub async fn change(api: Arc<Api>, by: Creator, body: JsonBody) -> Result<Response, Problem> {
    let request: ChangeRequest = parse(&body.read_valid(&api.limits).await?)?;
    let view = api.engine.lock(&by.room, by.creator, request.locked).await?;
    Ok(write::json(StatusCode::OK, &Room::new(&by.room, view)))
}

/// Close a room
///
/// Each member gets `room-closed` in its mailbox. The room accepts no further messages or joins, and is gone once each member has read
/// that or has left.
#[utoipa::path(
    delete,
    path = "/v1/rooms/{room}",
    tag = "rooms",
    operation_id = "closeRoom",
    responses((status = 204, description = "Closed")),
    security(("room_token" = []))
)]
pub async fn close(api: Arc<Api>, by: Creator) -> Result<Response, Problem> {
    api.engine.close(&by.room, by.creator).await?;
    Ok(no_content())
}

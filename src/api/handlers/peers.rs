//! Joining, the roster, leaving.

use std::sync::Arc;

use actix_web::http::StatusCode;
use serde::Deserialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    api::{
        Api,
        auth::{
            admission::Admission,
            caller::{Addressee, From, Member, Owner, OwnerOrCreator, Visiting},
        },
        handlers::ice_servers::RequestHost,
        idempotency::IdempotencyKey,
        json::{
            body::{JsonBody, parse_or_default},
            write::{self, no_content},
        },
        params::{parse_capacity, parse_metadata, parse_name, parse_page},
        problem::Problem,
        room_name::RoomNameText,
        schema::{
            problem_responses::refusals,
            responses::{Joined, Roster},
        },
    },
    domain::{self, CreatorId, Identity, PeerId, RoomName, Seq, Visitor},
    transport::Response,
};

/// Everything may be left out, and so may the body.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct JoinRequest {
    /// Shown to the others; at most 64 characters.
    #[schema(example = "Ann", max_length = 64, pattern = r"^[^\x00-\x1f\x7f-\x9f]*$")]
    pub name: Option<String>,
    /// Anything else the others should know, at most 4 KiB.
    #[schema(value_type = Option<Object>)]
    pub metadata: Option<Box<RawValue>>,
    /// The room's secret, if it has one. A room that this join makes will have it.
    #[schema(example = "two lumps", min_length = 1, max_length = 256)]
    pub secret: Option<String>,
    /// Anything that tells this page from others that may have the same token, for instance a random number. Polls say it,
    /// too; of several pages the one that joined last has the seat.
    #[schema(example = "k3v9x0ab", min_length = 1, max_length = 64)]
    pub page: Option<String>,
    /// A JWT by the app's login, where the server asks for one.
    #[schema(example = "eyJhbGciOiJIUzI1NiJ9.…")]
    pub ticket: Option<String>,
    /// Seats, if this join makes the room.
    #[schema(value_type = Option<u16>, example = 2, minimum = 1, maximum = 64)]
    pub capacity: Option<f64>,
}

refusals!(JoinRefusals: MalformedBody, MalformedRequest, TokenInvalid, TicketMissing, TicketMalformed, TicketAlgorithm,
    TicketSignature, TicketExpired, SecretWrong, RoomLocked, Kicked, TicketOtherRoom, TicketCannotCreate, BodyTimeout,
    RoomFull, RoomClosed, BodyTooLarge, UnsupportedMediaType, Invalid, RoomNameInvalid, KeyReused, MailboxFull,
    RateLimited, TooManyFailures, RoomsExhausted, Draining, EngineUnavailable);
refusals!(RosterRefusals: TokenMissing, TokenInvalid, Kicked, PeerGone, RoomNameInvalid, EngineUnavailable);
refusals!(LeaveRefusals: TokenMissing, TokenInvalid, NotYours, Kicked, RoomUnknown, PeerUnknown, PeerGone,
    RoomNameInvalid, EngineUnavailable);

/// Join a room
///
/// Makes the room if there is none. Keep the token: joining with it as bearer gives the same seat, mailbox and cursor
/// back (200), or, when the server has forgotten the peer, a new seat under the same id (201).
#[utoipa::path(
    post,
    path = "/v1/rooms/{room}/peers",
    tag = "peers",
    operation_id = "joinRoom",
    params(
        ("room" = RoomNameText, Path, description = "The room's name", example = "tea"),
        ("Idempotency-Key" = Option<String>, Header, nullable = false, pattern = "^[!-~]{16,64}$",
            description = "A UUID. A repeat with the same key gets the same seat, not a second one."),
    ),
    request_body(content = ref("#/components/schemas/JoinRequest"), content_type = "application/json", example = json!({"name": "Ann"})),
    responses(
        (status = 201, body = Joined, description = "A seat"),
        (status = 200, body = Joined, description = "The seat that the token is for"),
        JoinRefusals
    ),
    security((), ("peer_token" = []))
)]
pub async fn join(
    api: Arc<Api>,
    visiting: Visiting,
    from: From,
    host: RequestHost,
    key: IdempotencyKey,
    body: JsonBody,
) -> Result<Response, Problem> {
    let bytes = body.read().await?;
    let request: JoinRequest = parse_or_default(&bytes)?;
    let identity = match visiting.peer {
        Some(id) => Identity::Returning { id, restart: Seq::at_unix_millis(api.clock.unix_millis()) },
        None => Identity::New(PeerId::from_bytes(Uuid::new_v4().into_bytes())),
    };
    let admission = Admission::of(&api, from.0, &visiting.room, request.ticket.as_deref(), request.secret.as_deref())?;
    let visitor = Visitor {
        identity,
        name: parse_name(admission.name.as_deref().or(request.name.as_deref()))?,
        metadata: parse_metadata(request.metadata.as_deref(), &api.limits)?,
        secret: admission.secret,
        capacity: parse_capacity(request.capacity, &api.limits)?,
        creator: CreatorId::from_bytes(Uuid::new_v4().into_bytes()),
        keyed: key.keyed(&[b"join", &bytes]),
        page: request.page.as_deref().map(parse_page).transpose()?,
        rights: admission.rights,
    };
    let joined = api.engine.join(&visiting.room, visitor).await.map_err(|refusal| admission.refused(&api, refusal))?;
    let status = if joined.resumed { StatusCode::OK } else { StatusCode::CREATED };
    Ok(write::joined(status, &answer(&api, &visiting.room, &joined, &host)))
}

/// List the peers in a room
#[utoipa::path(
    get,
    path = "/v1/rooms/{room}/peers",
    tag = "peers",
    operation_id = "listPeers",
    params(("room" = RoomNameText, Path, description = "The room's name", example = "tea")),
    responses((status = 200, body = Roster, description = "Everybody in the room"), RosterRefusals),
    security(("peer_token" = []))
)]
pub async fn roster(api: Arc<Api>, by: Member) -> Result<Response, Problem> {
    let cards = api.engine.roster(&by.room, by.peer).await?;
    Ok(write::roster(cards.iter().map(AsRef::as_ref)))
}

/// Leave a room, or remove a peer from it
///
/// With the peer's own token it leaves; with the room token it is removed, and its token will not be let in again.
#[utoipa::path(
    delete,
    path = "/v1/rooms/{room}/peers/{peer}",
    tag = "peers",
    operation_id = "leaveRoom",
    params(
        ("room" = RoomNameText, Path, description = "The room's name", example = "tea"),
        ("peer" = Uuid, Path, description = "The peer's id"),
    ),
    responses((status = 204, description = "Gone; the others have been told"), LeaveRefusals),
    security(("peer_token" = []), ("room_token" = []))
)]
pub async fn leave(api: Arc<Api>, by: OwnerOrCreator, whom: Addressee) -> Result<Response, Problem> {
    match by {
        OwnerOrCreator::Owner(Owner { room, peer }) => api.engine.leave(&room, peer).await?,
        OwnerOrCreator::Creator(by) => api.engine.kick(&by.room, by.creator, whom.0).await?,
    }
    Ok(no_content())
}

fn answer<'a>(api: &Api, room: &'a RoomName, joined: &'a domain::Joined, host: &RequestHost) -> write::Joined<'a> {
    let peer = joined.card.id;
    let millis = |span: std::time::Duration| u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
    write::Joined {
        room,
        joined,
        token: api.tokens.peer_token(room, peer),
        ice_servers: api.ice.servers(peer, host.0.as_deref(), api.clock.wall_seconds()),
        ice_ttl_s: api.ice.ttl().map(|ttl| ttl.as_secs()),
        lease_ms: millis(api.limits.lease),
        wait_max_ms: millis(api.limits.wait_max),
        room_token: joined.creator.map(|creator| api.tokens.room_token(room, creator)),
    }
}

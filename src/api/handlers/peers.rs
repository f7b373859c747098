//! Joining and leaving a room, and the list of its peers.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    api::{
        Api, Problem,
        auth::{
            admission::Admission,
            caller::{ClientAddress, Joiner, Member, Observer, Owner, OwnerOrCreator},
            token::SeatClaim,
        },
        handlers::{
            ice_servers::{RequestHost, ice_user, servers_for},
            rooms::new_creator,
        },
        idempotency::IdempotencyKey,
        json::{
            body::{JsonBody, parse_or_default},
            write::{self, no_content},
        },
        params::{parse_capacity, parse_metadata, parse_name, parse_page},
        schema::responses::{Joined, Roster},
    },
    domain::{Identity, PeerId, Seq, Visitor},
    transport::Response,
};

/// All members are optional, and so is the body.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct JoinRequest {
    /// Shown to the other peers; at most 64 characters.
    #[schema(example = "Ann", max_length = 64, pattern = r"^[^\x00-\x1f\x7f-\x9f]*$")]
    pub name: Option<String>,
    /// Any further data for the other peers, at most 4 KiB.
    #[schema(value_type = Option<Object>)]
    pub metadata: Option<Box<RawValue>>,
    /// The room's secret, if it has one. A room created by this join gets it as its secret. If the room exists without a secret,
    /// somebody else has created it, and the join is refused.
    #[schema(example = "two lumps", min_length = 8, max_length = 256)]
    pub secret: Option<String>,
    /// Distinguishes this page from others with the same token, for instance a random number. Polls carry it, too. The page
    /// that joined last has the seat.
    #[schema(example = "k3v9x0ab", min_length = 1, max_length = 64)]
    pub page: Option<String>,
    /// A JWT from the app's login, if the server requires tickets.
    #[schema(example = "eyJhbGciOiJIUzI1NiJ9.…")]
    pub ticket: Option<String>,
    /// The number of seats, if this join creates the room.
    #[schema(value_type = Option<u16>, example = 2, minimum = 1, maximum = 64)]
    pub capacity: Option<f64>,
}

/// Join a room
///
/// Creates the room if it does not exist. Keep the token: joining with it as bearer token returns the same seat, mailbox and
/// cursor (200), or, if the server no longer has them, a new seat with the same id (201).
#[utoipa::path(
    post,
    path = "/v1/rooms/{room}/peers",
    tag = "peers",
    operation_id = "joinRoom",
    params(IdempotencyKey),
    request_body(content = ref("#/components/schemas/JoinRequest"), content_type = "application/json", example = json!({"name": "Ann"})),
    responses(
        (status = 201, body = Joined, description = "A new seat"),
        (status = 200, body = Joined, description = "The peer's previous seat"),
    ),
    security((), ("peer_token" = []))
)]
pub async fn join(
    api: Arc<Api>,
    joiner: Joiner,
    host: RequestHost,
    key: IdempotencyKey,
    body: JsonBody,
) -> Result<Response, Problem> {
    let bytes = body.read_valid(&api.limits).await?;
    let request: JoinRequest = parse_or_default(&bytes)?;
    let identity = match joiner.returning {
        Some(SeatClaim { peer: id, .. }) => {
            Identity::Returning { id, restart: Seq::at_unix_millis(api.clock.unix_millis()) }
        }
        None => Identity::New(PeerId::from_bytes(Uuid::new_v4().into_bytes())),
    };
    let (ticket, secret) = (request.ticket.as_deref(), request.secret.as_deref());
    let admission = Admission::check(&api, joiner.address, &joiner.room, joiner.returning, ticket, secret)?;
    let visitor = Visitor {
        identity,
        name: parse_name(admission.name.as_deref().or(request.name.as_deref()))?,
        metadata: parse_metadata(request.metadata.as_deref(), &api.limits)?,
        secret: admission.secret,
        capacity: parse_capacity(request.capacity, &api.limits)?,
        // A room that a returning peer creates anew has the creator that it had, and the secret.
        creator: joiner.returning.map_or_else(new_creator, |claim| claim.creator),
        keyed: key.keyed(&[b"join", &bytes]),
        page: request.page.as_deref().map(parse_page).transpose()?,
        rights: admission.rights,
        subject: admission.subject,
        source: api.tokens.source(joiner.address),
    };
    // Nothing may come between these: an attempt that is not concluded counts as a wrong guess.
    let attempt = admission.attempt(&api, &joiner)?;
    let joined = api.engine.join(&joiner.room, visitor).await;
    attempt.conclude(&joined);
    let joined = joined.map_err(|refusal| admission.problem(refusal))?;
    let claim = SeatClaim { peer: joined.card.id, creator: joined.creator, secret: joined.secret };
    let token = api.tokens.peer_token(&joiner.room, &claim);
    let room_token = joined.administers.then(|| api.tokens.room_token(&joiner.room, joined.creator));
    let seat = Member { room: joiner.room.clone(), peer: claim.peer };
    let address = ClientAddress(joiner.address);
    let user = ice_user(&api, &seat, address, joined.subject, joined.roster.len() + 1);
    let ice = servers_for(&api, &joiner.room, user.as_ref(), &host);
    Ok(write::joined(&joiner.room, &joined, &token, room_token.as_deref(), &ice, &api.limits))
}

/// List the peers in a room
#[utoipa::path(
    get,
    path = "/v1/rooms/{room}/peers",
    tag = "peers",
    operation_id = "listPeers",
    responses((status = 200, body = Roster, description = "All peers in the room")),
    security(("peer_token" = []))
)]
pub async fn roster(api: Arc<Api>, Observer(by): Observer) -> Result<Response, Problem> {
    let roster = api.engine.roster(&by.room, by.peer).await?;
    Ok(write::roster(roster.peers.iter().map(AsRef::as_ref)))
}

/// Leave a room, or remove a peer from it
///
/// With its own token the peer leaves. With the room token it is removed, and its token will not be accepted again.
#[utoipa::path(
    delete,
    path = "/v1/rooms/{room}/peers/{peer}",
    tag = "peers",
    operation_id = "leaveRoom",
    responses((status = 204, description = "Gone; the other peers have been notified")),
    security(("peer_token" = []), ("room_token" = []))
)]
pub async fn leave(api: Arc<Api>, by: OwnerOrCreator, peer: PeerId) -> Result<Response, Problem> {
    match by {
        OwnerOrCreator::Owner(Owner(by)) => api.engine.leave(&by.room, by.peer).await?,
        OwnerOrCreator::Creator(by) => api.engine.kick(&by.room, by.creator, peer).await?,
    }
    Ok(no_content())
}

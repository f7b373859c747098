//! Encoders and players: WHIP (RFC 9725) and WHEP, docs/whip.md.

use std::sync::Arc;

use actix_web::http::StatusCode;
use uuid::Uuid;

use crate::{
    api::{
        Api, Problem,
        auth::caller::{Anyone, ClientAddress, Member},
        handlers::{
            ice_links::{add_links, early_user},
            ice_servers::{RequestHost, ice_user},
        },
        json::write::no_content,
        whip::{
            admit,
            body::DescriptionBody,
            call::{Answered, Call, PATIENCE, Seat},
            callers::{Caller, EarlyCaller},
            description::offer,
            kind::Kind,
            mark::Mark,
            media_type::MediaType,
            restart::new_etag,
            session_id::SessionId,
            signals::{self, Goodbye},
            state::{Kept, State, Stored},
        },
    },
    domain::{Joined, Page, PeerId, Refusal, RoomName, Seq},
    transport::{
        Response,
        response::{NO_STORE, SharedFields},
    },
};

const ANSWER: SharedFields = &[
    ("content-type", "application/sdp"),
    ("accept-patch", "application/trickle-ice-sdpfrag"),
    ("cache-control", NO_STORE),
];

/// Send media to a browser in the room (WHIP)
///
/// The offer goes to the browsers in the room, and the answer of the first that answers is the response, with all of its candidates. The
/// bearer token is a ticket, where the server requires tickets, or else the room's secret. Waits for at most seven seconds.
#[utoipa::path(
    post,
    path = "/v1/rooms/{room}/whip",
    tag = "whip",
    operation_id = "publish",
    params(
        ("name" = Option<String>, Query, nullable = false, max_length = 64, description = "The peer's name, unless the ticket has one"),
        ("to" = Option<Uuid>, Query, nullable = false, description = "The peer to call; without it, everybody"),
    ),
    request_body(content = String, content_type = "application/sdp", description = "The offer", example = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=sendonly\r\na=ice-ufrag:1a2b\r\na=ice-pwd:0123456789abcdef01234567\r\na=fingerprint:sha-256 00:07:0E:15:1C:23:2A:31:38:3F:46:4D:54:5B:62:69:70:77:7E:85:8C:93:9A:A1:A8:AF:B6:BD:C4:CB:D2:D9\r\na=setup:actpass\r\na=rtcp-mux\r\na=rtpmap:96 VP8/90000\r\n"),
    responses((
        status = 201,
        body = String,
        content_type = "application/sdp",
        description = "The answer",
        headers(
            ("Location" = String, description = "The session, for PATCH and DELETE"),
            ("ETag" = String, description = "The ICE session, for `If-Match`"),
            ("Link" = String, description = "An ICE server; one for each URL"),
        )
    )),
    security((), ("whip_token" = []))
)]
pub async fn publish(
    api: Arc<Api>,
    caller: Caller,
    host: RequestHost,
    body: DescriptionBody,
) -> Result<Response, Problem> {
    begin(api, Kind::Encoder, caller, host, body).await
}

/// Receive media from a browser in the room (WHEP)
///
/// The offer goes to the browsers in the room, and the answer of the first that answers is the response, with all of its candidates. The
/// bearer token is a ticket, where the server requires tickets, or else the room's secret. Waits for at most seven seconds.
#[utoipa::path(
    post,
    path = "/v1/rooms/{room}/whep",
    tag = "whip",
    operation_id = "play",
    params(
        ("name" = Option<String>, Query, nullable = false, max_length = 64, description = "The peer's name, unless the ticket has one"),
        ("to" = Option<Uuid>, Query, nullable = false, description = "The peer to call; without it, everybody"),
    ),
    request_body(content = String, content_type = "application/sdp", description = "The offer", example = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=recvonly\r\na=ice-ufrag:1a2b\r\na=ice-pwd:0123456789abcdef01234567\r\na=fingerprint:sha-256 00:07:0E:15:1C:23:2A:31:38:3F:46:4D:54:5B:62:69:70:77:7E:85:8C:93:9A:A1:A8:AF:B6:BD:C4:CB:D2:D9\r\na=setup:actpass\r\na=rtcp-mux\r\na=rtpmap:96 VP8/90000\r\n"),
    responses((
        status = 201,
        body = String,
        content_type = "application/sdp",
        description = "The answer",
        headers(
            ("Location" = String, description = "The session, for PATCH and DELETE"),
            ("ETag" = String, description = "The ICE session, for `If-Match`"),
            ("Link" = String, description = "An ICE server; one for each URL"),
        )
    )),
    security((), ("whip_token" = []))
)]
pub async fn play(
    api: Arc<Api>,
    caller: Caller,
    host: RequestHost,
    body: DescriptionBody,
) -> Result<Response, Problem> {
    begin(api, Kind::Player, caller, host, body).await
}

async fn begin(
    api: Arc<Api>,
    kind: Kind,
    caller: Caller,
    host: RequestHost,
    body: DescriptionBody,
) -> Result<Response, Problem> {
    let offer = offer::accept(&body.read(api.limits.body_bytes).await?, kind, caller.ip)?;
    let until = api.clock.now() + PATIENCE;
    let mut waiting = api.connections.memory.reservation(Some(caller.address));
    if !waiting.grow(offer.len()) {
        return Err(Problem::memory_exhausted());
    }
    let (page, _) = Uuid::new_v4().as_u64_pair();
    let seat =
        Seat { api: api.clone(), room: caller.room.clone(), peer: caller.peer(&api.tokens, kind), page: Page(page) };
    // Before the seat is taken, so that it is free again if the client hangs up meanwhile.
    let mut call = Call::new(seat.clone(), &offer, kind, caller.to);
    let joined = match admit::join(&seat, kind, &caller).await {
        Ok(joined) => joined,
        Err(problem) => {
            call.give_up();
            return Err(problem);
        }
    };
    let mut cursor = joined.newest;
    if joined.resumed {
        call.or_hang_up(end_earlier(&seat, cursor, caller.to).await).await?;
    }
    let present = call.or_hang_up(present(&seat, &joined).await).await?;
    let Answered { by, sdp } = call.answered(present.into_iter(), &mut cursor, until).await?;
    let etag = new_etag();
    let mark = Mark::of(&offer);
    let state = State { kind, viewer: by, page: seat.page, offer, mark, etag: etag.clone(), heard: None };
    let stored = state.store(&seat, cursor, None).await;
    if call.or_hang_up(stored).await? == Stored::Abandoned {
        return Err(call.abandoned(by).await);
    }
    call.taken(by).await.permit_relay(by, &state.offer, &sdp).await;
    let id = SessionId::new(&api.tokens, seat.peer, by, seat.page, caller.bearer.as_deref());
    let mut response = Response::text(StatusCode::CREATED, ANSWER, sdp);
    let path = session_path(&api, &seat.room, id);
    response.add("location", path);
    response.add("etag", format!("\"{etag}\""));
    let member = Member { room: seat.room.clone(), peer: seat.peer };
    let user = ice_user(&api, &member, ClientAddress(caller.address), joined.subject, 2);
    add_links(&mut response, &api, &seat.room, user.as_ref(), &host);
    Ok(response)
}

/// An earlier session of the same encoder is over, and what is in its mailbox concerns nobody. If the new request
/// names another peer, the previous viewer gets a `bye`.
async fn end_earlier(seat: &Seat, newest: Seq, wanted: Option<PeerId>) -> Result<(), Refusal> {
    let earlier = Kept::load(seat).await?;
    seat.read(Some(newest)).await?;
    if let Some(viewer) = earlier.map(|kept| kept.state.viewer)
        && wanted.is_some_and(|wanted| wanted != viewer)
    {
        let _ = seat.send(viewer, vec![signals::bye(Goodbye::Ended)]).await;
    }
    Ok(())
}

/// The others in the room. Those that a seat which was taken again knows of may be out of date.
async fn present(seat: &Seat, joined: &Joined) -> Result<Vec<PeerId>, Refusal> {
    if !joined.resumed {
        return Ok(joined.roster.iter().map(|card| card.id).collect());
    }
    let roster = seat.api.engine.roster(&seat.room, seat.peer).await?;
    Ok(roster.peers.iter().map(|card| card.id).collect())
}

/// An absolute path: several encoders resolve no other (OBS takes it as the whole path).
fn session_path(api: &Api, room: &RoomName, id: SessionId) -> String {
    format!("{}/v1/rooms/{room}/sessions/{}", api.base_path.as_str(), id.to_text(&api.tokens, room))
}

/// Nothing, as WHIP wants it
#[utoipa::path(
    get,
    path = "/v1/rooms/{room}/whip",
    tag = "whip",
    operation_id = "showWhip",
    responses((status = 204, description = "There is nothing to see"))
)]
pub async fn show_whip(_: Anyone, _: RoomName) -> Result<Response, Problem> {
    Ok(no_content())
}

/// Nothing, as WHEP wants it
#[utoipa::path(
    get,
    path = "/v1/rooms/{room}/whep",
    tag = "whip",
    operation_id = "showWhep",
    responses((status = 204, description = "There is nothing to see"))
)]
pub async fn show_whep(_: Anyone, _: RoomName) -> Result<Response, Problem> {
    Ok(no_content())
}

/// What the address of an encoder accepts
#[utoipa::path(
    options,
    path = "/v1/rooms/{room}/whip",
    tag = "whip",
    operation_id = "whipOptions",
    params(("name" = Option<String>, Query, nullable = false, description = "As in the POST that follows")),
    responses((
        status = 200,
        description = "In `Accept-Post`",
        headers(("Link" = String, description = "An ICE server; one for each URL"))
    )),
    security((), ("whip_token" = []))
)]
pub async fn whip_options(api: Arc<Api>, caller: EarlyCaller, host: RequestHost) -> Result<Response, Problem> {
    Ok(before_the_call(&api, Kind::Encoder, caller, &host))
}

/// What the address of a player accepts
#[utoipa::path(
    options,
    path = "/v1/rooms/{room}/whep",
    tag = "whip",
    operation_id = "whepOptions",
    params(("name" = Option<String>, Query, nullable = false, description = "As in the POST that follows")),
    responses((
        status = 200,
        description = "In `Accept-Post`",
        headers(("Link" = String, description = "An ICE server; one for each URL"))
    )),
    security((), ("whip_token" = []))
)]
pub async fn whep_options(api: Arc<Api>, caller: EarlyCaller, host: RequestHost) -> Result<Response, Problem> {
    Ok(before_the_call(&api, Kind::Player, caller, &host))
}

/// With the ICE servers, for clients that must know them before they gather. Others find them in the response to `POST`.
fn before_the_call(api: &Api, kind: Kind, EarlyCaller(caller): EarlyCaller, host: &RequestHost) -> Response {
    let mut response = accepts(MediaType::DESCRIPTION, "GET, POST, OPTIONS, HEAD");
    if let Some(caller) = caller {
        let user = early_user(api, &caller, kind);
        add_links(&mut response, api, &caller.room, user.as_ref(), host);
    }
    response
}

pub fn accepts(accepted: MediaType, allow: &'static str) -> Response {
    let mut response = Response::text(StatusCode::OK, &[("cache-control", NO_STORE)], "");
    response.add("allow", allow);
    response.add(accepted.field, accepted.name);
    response
}

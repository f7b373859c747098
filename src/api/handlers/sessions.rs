//! Sessions of encoders and players, at the URL in the `Location` of the response that began them (docs/whip.md).

use std::sync::Arc;

use actix_web::http::StatusCode;

use crate::{
    api::{
        Api, Code, Problem,
        auth::caller::Anyone,
        handlers::whip::accepts,
        json::write::no_content,
        whip::{
            body::FragmentBody,
            call::{PATIENCE, Seat, is_over},
            callers::{IfMatch, SessionOwner, SessionVisitor, session_unknown},
            description::fragment::{self, Fragment},
            kind::Kind,
            media_type::MediaType,
            restart::{restart, restarting},
            signals::{self, Goodbye},
            state::Kept,
        },
    },
    domain::{Refusal, RoomName},
    transport::{
        Response,
        response::{NO_STORE, SharedFields},
    },
};

const FRAGMENT: SharedFields = &[("content-type", "application/trickle-ice-sdpfrag"), ("cache-control", NO_STORE)];

/// Add candidates to a session, or restart ICE
#[utoipa::path(
    patch,
    path = "/v1/rooms/{room}/sessions/{session}",
    tag = "whip",
    operation_id = "trickle",
    params(("If-Match" = String, Header, description = "The `ETag` of the ICE session, or `*` to restart ICE")),
    request_body(content = String, content_type = "application/trickle-ice-sdpfrag", description = "A fragment (RFC 8840)",
        example = "a=ice-ufrag:EsAw\r\na=ice-pwd:…\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\na=candidate:…\r\n"),
    responses(
        (status = 204, description = "The candidates are passed on"),
        (status = 200, body = String, content_type = "application/trickle-ice-sdpfrag",
            description = "ICE has restarted: the browser's credentials and candidates",
            headers(("ETag" = String, description = "The new ICE session"))),
    ),
    security((), ("whip_token" = []))
)]
pub async fn trickle(
    api: Arc<Api>,
    owner: SessionOwner,
    if_match: IfMatch,
    body: FragmentBody,
) -> Result<Response, Problem> {
    let fragment = Fragment::parse(&body.read(api.limits.body_bytes).await?)?;
    let until = api.clock.now() + PATIENCE;
    let seat = owner.seat(&api);
    let kept = Kept::load(&seat).await.map_err(ended)?;
    if if_match.0.is_none() {
        let detail = "The request needs `If-Match` with the `ETag` of the ICE session.";
        return Err(Problem::new(Code::PreconditionMissing, detail));
    }
    let kept = kept.ok_or_else(|| restarting(Kind::Encoder))?;
    if kept.is_abandoned() {
        let _ = seat.end(&[], Goodbye::Ended).await;
        return Err(session_unknown());
    }
    if !if_match.is_any() && !if_match.has_etag(&kept.state.etag) {
        let detail = "The ICE session has been replaced by a newer one.";
        return Err(Problem::new(Code::PreconditionFailed, detail));
    }
    match &fragment.credentials {
        Some(credentials) if fragment::credentials(&kept.state.offer).as_ref() != Some(credentials) => {
            let restarted = restart(&seat, kept, &fragment, credentials, owner.ip, until).await?;
            let restarted = restarted.ok_or_else(session_unknown)?;
            let mut response = Response::text(StatusCode::OK, FRAGMENT, restarted.fragment);
            response.add("etag", format!("\"{}\"", restarted.etag));
            Ok(response)
        }
        _ => pass_on(&seat, &kept, &fragment).await,
    }
}

async fn pass_on(seat: &Seat, kept: &Kept, fragment: &Fragment) -> Result<Response, Problem> {
    // So that a browser which has a later offer by now can tell.
    let credentials = fragment::credentials(&kept.state.offer);
    let ufrag = credentials.as_ref().map(|(ufrag, _)| ufrag.as_str());
    let placed = fragment.placed(&kept.state.offer);
    let mut payloads: Vec<_> = placed.iter().map(|one| signals::candidate(Some(one), ufrag)).collect();
    if fragment.is_last {
        payloads.push(signals::candidate(None, None));
    }
    match seat.send(kept.state.viewer, payloads).await {
        Err(Refusal::PeerUnknown { .. }) => {
            let _ = seat.end(&[], Goodbye::Ended).await;
            Err(session_unknown())
        }
        outcome => outcome.map(|()| no_content()).map_err(ended),
    }
}

/// End a session
#[utoipa::path(
    delete,
    path = "/v1/rooms/{room}/sessions/{session}",
    tag = "whip",
    operation_id = "stop",
    responses((status = 200, description = "The browser is told, and the seat is free")),
    security((), ("whip_token" = []))
)]
pub async fn stop(api: Arc<Api>, owner: SessionOwner) -> Result<Response, Problem> {
    let seat = owner.seat(&api);
    seat.end(&[owner.id.viewer], Goodbye::Ended).await.map_err(ended)?;
    Ok(Response::text(StatusCode::OK, &[("cache-control", NO_STORE)], ""))
}

/// Whether it has left, or another request of the same encoder has its seat.
fn ended(refusal: Refusal) -> Problem {
    if is_over(&refusal) { session_unknown() } else { refusal.into() }
}

impl SessionOwner {
    fn seat(&self, api: &Arc<Api>) -> Seat {
        Seat { api: api.clone(), room: self.room.clone(), peer: self.id.peer, page: self.id.page }
    }
}

/// Nothing, as long as the session lasts
#[utoipa::path(
    get,
    path = "/v1/rooms/{room}/sessions/{session}",
    tag = "whip",
    operation_id = "showSession",
    responses((status = 204, description = "The session continues"))
)]
pub async fn show_session(api: Arc<Api>, _: Anyone, visitor: SessionVisitor) -> Result<Response, Problem> {
    let seated = api.engine.seated(&visitor.room, &[visitor.id.peer]).await?;
    if seated.is_empty() { Err(session_unknown()) } else { Ok(no_content()) }
}

/// What a session accepts
#[utoipa::path(
    options,
    path = "/v1/rooms/{room}/sessions/{session}",
    tag = "whip",
    operation_id = "sessionOptions",
    responses((status = 200, description = "In `Accept-Patch`"))
)]
pub async fn session_options(_: Anyone, _: RoomName) -> Result<Response, Problem> {
    Ok(accepts(MediaType::FRAGMENT, "GET, PATCH, DELETE, OPTIONS, HEAD"))
}

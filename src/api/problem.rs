//! Every error answer: one table, from which the answers, the OpenAPI document and the pages under `/problems` come.
//!
//! The form is RFC 9457, `application/problem+json`.

use std::{fmt, time::Duration};

use actix_web::{HttpRequest, HttpResponse, Responder, ResponseError, http::StatusCode};
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use crate::{
    domain::{Refusal, Seat},
    transport::{
        Response,
        response::{NO_STORE, SharedFields},
    },
};

macro_rules! table {
    ($($code:ident: $status:literal $slug:literal, $title:literal, $action:literal;)*) => {
        /// What went wrong.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Code { $($code),* }

        impl Code {
            pub const ALL: &[Code] = &[$(Code::$code),*];

            pub const fn row(self) -> Row {
                match self {
                    $(Code::$code => Row { slug: $slug, status: $status, title: $title, action: $action }),*
                }
            }
        }
    };
}

/// One line of the table.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    pub slug: &'static str,
    pub status: u16,
    pub title: &'static str,
    /// What the client should do.
    pub action: &'static str,
}

table! {
    MalformedBody: 400 "malformed-body", "The body is not JSON in UTF-8", "Send one JSON value, encoded as UTF-8.";
    MalformedRequest: 400 "malformed-request", "A parameter or header cannot be read", "Correct what the detail names.";
    TokenMissing: 401 "token-missing", "This needs a token", "Join the room and send its token as `Authorization: Bearer …`.";
    TokenInvalid: 401 "token-invalid", "The token is not one of this server's for this room", "Drop the token and join again without it.";
    TicketMissing: 401 "ticket-missing", "Coming in needs a ticket", "Have the app's login make one, and send it as `ticket`.";
    TicketMalformed: 401 "ticket-malformed", "The ticket cannot be read", "Have a new one made: see docs/auth.md.";
    TicketAlgorithm: 401 "ticket-algorithm", "The ticket is signed in a way that is not taken here", "Sign it with the algorithm of the server's key.";
    TicketSignature: 401 "ticket-signature", "The ticket is not signed by a key of this server", "Have it signed by the app's login.";
    TicketExpired: 401 "ticket-expired", "The ticket does not hold now", "Have a new one made.";
    NotYours: 403 "not-yours", "The token is another one's", "Use the token of the peer or room that the path names.";
    SecretWrong: 403 "secret-wrong", "The room wants a secret, and this is not it", "Ask whoever made the room, and join with `secret`.";
    RoomLocked: 403 "room-locked", "The room is locked", "Ask whoever made the room to unlock it.";
    Kicked: 403 "kicked", "This peer was removed from the room", "Stop. The token will not be let in again.";
    TicketOtherRoom: 403 "ticket-other-room", "The ticket is for another room", "Have one made for this room.";
    TicketCannotCreate: 403 "ticket-cannot-create", "There is no such room, and the ticket does not allow to make it", "Wait until somebody has made it, or have a ticket made with `create`.";
    NotFound: 404 "not-found", "There is nothing at this path", "See /openapi.json for what there is.";
    RoomUnknown: 404 "room-unknown", "There is no such room", "Make it, or join it: joining makes the room.";
    PeerUnknown: 404 "peer-unknown", "The peer addressed is not in this room", "Drop it from your list: it left, or never was there.";
    MethodNotAllowed: 405 "method-not-allowed", "The path does not know this method", "Use one of the methods in `Allow`.";
    BodyTimeout: 408 "body-timeout", "The body did not arrive in time", "Send it again.";
    RoomFull: 409 "room-full", "Every seat is taken", "Try again after `Retry-After`; `frees_in_ms` says when a quiet seat frees.";
    RoomExists: 409 "room-exists", "There is a room of this name", "Join it, or make one of another name.";
    CursorAhead: 409 "cursor-ahead", "The cursor is beyond the newest message", "Join again with your token, and go on from the cursor in the answer.";
    PollSuperseded: 409 "poll-superseded", "A newer poll of this peer has taken over", "Stop polling: another page uses this token.";
    RoomClosed: 410 "room-closed", "The room was closed", "Stop. A room of this name can be made once all have left.";
    PeerGone: 410 "peer-gone", "This peer is no longer in the room", "Join again with your token: the id stays, the mailbox is new.";
    CursorGone: 410 "cursor-gone", "The cursor is from before what the mailbox holds", "Join again with your token, and go on from the cursor in the answer.";
    BodyTooLarge: 413 "body-too-large", "The body is larger than allowed", "Send less at once.";
    UnsupportedMediaType: 415 "unsupported-media-type", "The body is not declared as JSON", "Send `Content-Type: application/json`.";
    Invalid: 422 "invalid", "The request is well-formed but not acceptable", "Correct what the detail names.";
    RoomNameInvalid: 422 "room-name-invalid", "This cannot be the name of a room", "Use 1 to 64 of the characters A-Z a-z 0-9 . _ ~ -";
    KeyReused: 422 "key-reused", "This Idempotency-Key was used for another request", "Use a new key for a new request.";
    MailboxFull: 429 "mailbox-full", "A mailbox is full until its owner reads", "Try again after `Retry-After`.";
    RateLimited: 429 "rate-limited", "Too many requests", "Wait for `Retry-After`, and ask less often.";
    TooManyFailures: 429 "too-many-failures", "Too many failed attempts from this address", "Wait for `Retry-After`; each further failure doubles it.";
    HeadersTooLarge: 431 "headers-too-large", "There are too many header fields", "Send fewer.";
    Internal: 500 "internal", "The server made a mistake", "Try again later, and report it.";
    TooManyConnections: 503 "too-many-connections", "The server has as many connections as it may have", "Try again after `Retry-After`.";
    RoomsExhausted: 503 "rooms-exhausted", "The server has as many rooms as it may have", "Try again after `Retry-After`.";
    MemoryExhausted: 503 "memory-exhausted", "The server holds as much as it may", "Try again after `Retry-After`; less at once may still fit.";
    EngineUnavailable: 503 "engine-unavailable", "What keeps the rooms cannot be reached", "Ask again after `Retry-After`, posts with the same `Idempotency-Key`.";
    Draining: 503 "draining", "The server is about to stop", "Ask again after `retry_after_ms`: another server, or this one restarted.";
}

/// For those who tried.
pub const DOT_SEGMENT_HINT: &str = " `.` and `..` cannot be names of rooms: clients and proxies resolve them away.";

/// An error answer. Its `Debug` shows which, and nothing of what was sent: frameworks log errors.
pub struct Problem {
    pub code: Code,
    detail: String,
    extras: Map<String, Value>,
    retry_after: Option<Duration>,
    allow: Option<String>,
}

/// The form of every error answer (RFC 9457). Some types carry further members; their examples show them.
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody<'a> {
    /// Which problem: stable, for programs. A relative reference that can be opened.
    #[serde(rename = "type")]
    #[schema(value_type = String, example = "/problems/room-full")]
    kind: String,
    title: &'a str,
    status: u16,
    /// What is the matter with this very request.
    detail: &'a str,
    /// What the client should do.
    action: &'a str,
    #[serde(flatten)]
    #[schema(value_type = HashMap<String, Value>)]
    extras: &'a Map<String, Value>,
}

impl Problem {
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), extras: Map::new(), retry_after: None, allow: None }
    }

    pub fn invalid(detail: impl Into<String>) -> Self {
        Self::new(Code::Invalid, detail)
    }

    pub fn allow(mut self, methods: &str) -> Self {
        self.allow = Some(methods.to_owned());
        self
    }

    fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.extras.insert(name.into(), value.into());
        self
    }

    pub fn retry_after(mut self, after: Duration) -> Self {
        self.retry_after = Some(after);
        self
    }

    pub fn body(&self) -> ProblemBody<'_> {
        let Row { slug, status, title, action } = self.code.row();
        let kind = ["/problems/", slug].concat();
        ProblemBody { kind, title, status, detail: &self.detail, action, extras: &self.extras }
    }

    fn room_full(capacity: usize, seats: &[Seat]) -> Self {
        let millis = |span: Duration| u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
        let listed: Vec<Value> = seats
            .iter()
            .map(|seat| json!({"quiet": seat.frees_in.is_some(), "frees_in_ms": seat.frees_in.map(millis)}))
            .collect();
        let frees_in = seats.iter().filter_map(|seat| seat.frees_in).min();
        let detail = match frees_in {
            Some(span) => {
                format!("All {capacity} seats are taken; one frees in {} ms unless its peer comes back.", millis(span))
            }
            None => format!("All {capacity} seats are taken by peers that are there."),
        };
        Self::new(Code::RoomFull, detail)
            .with("capacity", capacity)
            .with("seats", listed)
            .with("frees_in_ms", frees_in.map_or(Value::Null, |span| millis(span).into()))
            .retry_after(frees_in.unwrap_or(SEAT_RETRY).min(SEAT_RETRY))
    }

    pub fn memory_exhausted() -> Self {
        Self::new(Code::MemoryExhausted, "There is memory for less than this now.").retry_after(MEMORY_RETRY)
    }

    fn engine_unavailable(perhaps_done: bool) -> Self {
        let detail = match perhaps_done {
            true => {
                "No answer came in time, so this may have been done. With its Idempotency-Key it is not done twice."
            }
            false => "It cannot be reached now. Nothing was done.",
        };
        Self::new(Code::EngineUnavailable, detail).retry_after(ENGINE_RETRY)
    }

    fn draining() -> Self {
        // Spread out, so that those who were sent away together do not come back together.
        let after = Duration::from_millis(fastrand::u64(500..2500));
        Self::new(Code::Draining, "The server is shutting down in good order.")
            .with("retry_after_ms", u64::try_from(after.as_millis()).unwrap_or_default())
            .retry_after(after)
    }
}

/// A seat may free at any moment by a leave, so nobody is told to stay away for longer.
const SEAT_RETRY: Duration = Duration::from_secs(5);
const MAILBOX_RETRY: Duration = Duration::from_secs(1);
const ROOMS_RETRY: Duration = Duration::from_secs(30);
const MEMORY_RETRY: Duration = Duration::from_secs(2);
const ENGINE_RETRY: Duration = Duration::from_secs(1);

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let plain = |code: Code, detail: &str| Problem::new(code, detail);
        match refusal {
            Refusal::RoomUnknown => plain(Code::RoomUnknown, "No room of this name exists."),
            Refusal::RoomExists => plain(Code::RoomExists, "The name is taken."),
            Refusal::RoomFull { capacity, seats } => Problem::room_full(capacity, &seats),
            Refusal::RoomLocked => plain(Code::RoomLocked, "Nobody new is let in."),
            Refusal::SecretWrong => plain(Code::SecretWrong, "The `secret` is missing or wrong."),
            Refusal::TicketMissing => plain(Code::TicketMissing, "This server lets nobody new in without a ticket."),
            Refusal::MayNotCreate => plain(Code::TicketCannotCreate, "The room does not exist."),
            Refusal::RoomClosed => plain(Code::RoomClosed, "Whoever made the room has closed it."),
            Refusal::RoomsExhausted => {
                plain(Code::RoomsExhausted, "No further room can be made now.").retry_after(ROOMS_RETRY)
            }
            Refusal::MemoryExhausted => Problem::memory_exhausted(),
            Refusal::CapacityInvalid { max } => {
                Problem::invalid(format!("`capacity` must be from 1 to {max}.")).with("capacity_max", max)
            }
            Refusal::PeerGone => {
                plain(Code::PeerGone, "It left, was not heard of for the length of its lease, or the server restarted.")
            }
            Refusal::Kicked => plain(Code::Kicked, "Whoever made the room has removed this peer."),
            Refusal::PeerUnknown { peer } => {
                Problem::new(Code::PeerUnknown, format!("There is no peer {peer} in this room."))
                    .with("peer", peer.to_string())
            }
            Refusal::NotCreator => plain(Code::NotYours, "The token is for an earlier room of this name."),
            Refusal::MailboxFull { peer } => {
                Problem::new(Code::MailboxFull, format!("The mailbox of {peer} is full. Nothing of this was accepted."))
                    .with("peer", peer.to_string())
                    .retry_after(MAILBOX_RETRY)
            }
            Refusal::NeverFits => {
                plain(Code::BodyTooLarge, "It is more than a whole mailbox takes. Send less at once.")
            }
            Refusal::CursorAhead { cursor, newest } => {
                Problem::new(Code::CursorAhead, format!("The cursor is {cursor}, the newest message is {newest}."))
                    .with("newest", newest.get())
            }
            Refusal::CursorGone { cursor, oldest } => {
                Problem::new(Code::CursorGone, format!("The cursor is {cursor}, the mailbox begins after {oldest}."))
                    .with("oldest", oldest.get())
            }
            Refusal::PollSuperseded => plain(Code::PollSuperseded, "Only the newest poll of a peer waits."),
            Refusal::KeyReused => {
                plain(Code::KeyReused, "The earlier request differs from this one. Nothing was done.")
            }
            Refusal::Draining => Problem::draining(),
            Refusal::EngineUnavailable { perhaps_done } => Problem::engine_unavailable(perhaps_done),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code.row().slug)
    }
}

impl fmt::Debug for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Problem({})", self.code.row().slug)
    }
}

/// What every problem's response says.
const PROBLEM: SharedFields =
    &[("content-type", "application/problem+json"), ("cache-control", NO_STORE), ("x-content-type-options", "nosniff")];

impl From<&Problem> for Response {
    fn from(problem: &Problem) -> Self {
        let body = serde_json::to_string(&problem.body()).unwrap_or_default();
        let mut response = Self::text(problem.status_code(), PROBLEM, body);
        if let Some(after) = problem.retry_after {
            response.add("retry-after", after.as_millis().div_ceil(1000).max(1).to_string());
        }
        if let Some(methods) = &problem.allow {
            response.add("allow", methods.clone());
        }
        match problem.code {
            Code::TooManyConnections => response.close_connection(),
            _ if response.status() == StatusCode::UNAUTHORIZED => {
                response.add("www-authenticate", "Bearer");
                response
            }
            _ => response,
        }
    }
}

/// For the pages, which actix-web serves.
impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.code.row().status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::from(Response::from(self));
        response.extensions_mut().insert(self.code);
        response
    }
}

impl Responder for Problem {
    type Body = actix_web::body::BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        self.error_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_problem_has_its_own_slug_and_an_error_status() {
        for (index, code) in Code::ALL.iter().enumerate() {
            let row = code.row();
            assert!((400..600).contains(&row.status), "{row:?}");
            assert!(Code::ALL[..index].iter().all(|other| other.row().slug != row.slug), "{row:?}");
        }
    }
}

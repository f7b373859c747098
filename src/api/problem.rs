//! Problem details (RFC 9457). One table gives the error responses, their documentation and the pages under `/problems`.

use std::{borrow::Cow, fmt, time::Duration};

use actix_web::{HttpResponse, ResponseError, http::StatusCode};
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
        /// The type of a problem.
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

/// A row of the table.
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
    SdpMalformed: 400 "sdp-malformed", "The body is not a session description", "Send an SDP offer (RFC 8866), or a fragment (RFC 8840) in a PATCH.";
    MalformedRequest: 400 "malformed-request", "Malformed parameter or header field", "Correct what `detail` names.";
    TokenMissing: 401 "token-missing", "A token is required", "Join the room and send its token as `Authorization: Bearer …`.";
    TokenInvalid: 401 "token-invalid", "Invalid token for this room", "Discard the token and join again without it.";
    TicketMissing: 401 "ticket-missing", "A ticket is required", "Get a ticket from the app's login and send it as `ticket`.";
    TicketMalformed: 401 "ticket-malformed", "Malformed ticket", "Get a new ticket; docs/auth.md describes its format.";
    TicketAlgorithm: 401 "ticket-algorithm", "Unsupported signature algorithm", "Sign the ticket with the algorithm of the server's key.";
    TicketSignature: 401 "ticket-signature", "Invalid ticket signature", "Have the app's login sign the ticket with a key that the server accepts.";
    TicketExpired: 401 "ticket-expired", "The ticket has expired or is not valid yet", "Get a new ticket.";
    NotYours: 403 "not-yours", "Token belongs to a different peer or room", "Use the token of the peer or room in the path.";
    SecretMissing: 403 "secret-missing", "The room has a secret", "Ask the room's creator for the secret and join with `secret`.";
    SecretWrong: 403 "secret-wrong", "Wrong room secret", "Ask the room's creator for the secret and join with `secret`.";
    SecretUnexpected: 403 "secret-unexpected", "The room has no secret", "Do not enter: somebody created the room without your secret. Choose another name with the people you want to meet.";
    RoomLocked: 403 "room-locked", "The room is locked", "Ask the room's creator to unlock it.";
    Kicked: 403 "kicked", "This peer was removed from the room", "Stop. The token will not be accepted again.";
    TicketAudience: 403 "ticket-audience", "The ticket is for a different service", "Get a ticket whose `aud` is the server's `--ticket-audience`.";
    TicketOtherRoom: 403 "ticket-other-room", "The ticket is for a different room", "Get a ticket for this room.";
    CrossOriginRefused: 403 "cross-origin-refused", "The request comes from a page on another origin", "Start the server with `--cors-origin ORIGIN` if pages on that origin may use it.";
    TicketCannotCreate: 403 "ticket-cannot-create", "The ticket does not allow creating the room", "Wait until the room exists, or get a ticket with `create`.";
    NotFound: 404 "not-found", "Not found", "See /openapi.json for the paths of the API.";
    RoomUnknown: 404 "room-unknown", "Room not found", "Create the room or join it: joining creates it.";
    SessionUnknown: 404 "session-unknown", "The session has ended", "Send a new offer.";
    PeerUnknown: 404 "peer-unknown", "Peer not found in this room", "Remove it from your list: it left or never joined.";
    MethodNotAllowed: 405 "method-not-allowed", "Method not allowed", "Use one of the methods in `Allow`.";
    BodyTimeout: 408 "body-timeout", "The body did not arrive in time", "Send the request again.";
    RoomFull: 409 "room-full", "The room is full", "Retry after `Retry-After`; `frees_in_ms` says when an inactive seat becomes free.";
    NobodySends: 409 "nobody-sends", "No media for this player", "Retry after `Retry-After`.";
    RoomExists: 409 "room-exists", "The room already exists", "Join it, or create one with a different name.";
    CursorAhead: 409 "cursor-ahead", "The cursor is ahead of the newest message", "Join again with your token, and continue from the cursor in the response.";
    PollSuperseded: 409 "poll-superseded", "Superseded by a newer poll of this peer", "Stop polling: another page uses this token.";
    RoomClosed: 410 "room-closed", "The room was closed", "Stop. The name can be used again once all peers have left.";
    PeerGone: 410 "peer-gone", "This peer is no longer in the room", "Join again with your token: the id stays the same, the mailbox is new.";
    CursorGone: 410 "cursor-gone", "The cursor is older than the mailbox", "Join again with your token, and continue from the cursor in the response.";
    PreconditionFailed: 412 "precondition-failed", "`If-Match` does not match the current ICE session", "Use the `ETag` of the latest response, or restart ICE with `If-Match: *`.";
    BodyTooLarge: 413 "body-too-large", "The body is too large", "Send less at once.";
    UnsupportedMediaType: 415 "unsupported-media-type", "The body is not declared as plain JSON", "Send `Content-Type: application/json`, and no `Content-Encoding`.";
    SdpExpected: 415 "sdp-expected", "The body is not declared as plain SDP", "Send the content type in `Accept-Post` or `Accept-Patch`, and no `Content-Encoding`.";
    HostRefused: 421 "host-refused", "The server is not known by this name", "Use `localhost`, or start the server with `--host NAME`.";
    Invalid: 422 "invalid", "The request is well-formed but invalid", "Correct what `detail` names.";
    RoomNameInvalid: 422 "room-name-invalid", "Invalid room name", "Use 1 to 64 of the characters A-Z a-z 0-9 . _ ~ - and not `.` or `..` alone.";
    MediaRefused: 422 "media-refused", "The browser does not support the offered media", "Use other codecs, such as H.264 or VP8, and Opus.";
    KeyReused: 422 "key-reused", "Idempotency-Key was used for a different request", "Use a new key for each new request.";
    PreconditionMissing: 428 "precondition-missing", "`If-Match` is required", "Send the `ETag` of the session as `If-Match`, or `*` to restart ICE.";
    MailboxFull: 429 "mailbox-full", "A mailbox is full until its owner reads it", "Retry after `Retry-After`.";
    RateLimited: 429 "rate-limited", "Too many requests", "Wait for `Retry-After`, and send requests less often.";
    TooManyFailures: 429 "too-many-failures", "Too many failed attempts", "Wait for `Retry-After`; further failures make it longer.";
    HeadersTooLarge: 431 "headers-too-large", "Header fields too large", "Send fewer or shorter header fields.";
    Internal: 500 "internal", "Internal server error", "Retry later, and report the error.";
    TooManyConnections: 503 "too-many-connections", "The server has reached its connection limit", "Retry after `Retry-After`.";
    NobodyAnswered: 503 "nobody-answered", "Nobody in the room has answered", "Open the room in a browser, and retry after `Retry-After`.";
    RoomsExhausted: 503 "rooms-exhausted", "No more rooms at present", "Retry after `Retry-After`, or leave rooms that you no longer need.";
    MemoryExhausted: 503 "memory-exhausted", "Not enough free memory for this request", "Retry after `Retry-After`, read mailboxes and leave rooms; a smaller request may still succeed.";
    EngineUnavailable: 503 "engine-unavailable", "The room storage is unavailable", "Retry after `Retry-After`, posts with the same `Idempotency-Key`.";
    Draining: 503 "draining", "The server is shutting down", "Retry after `retry_after_ms`: another server, or this one after its restart, will answer.";
}

/// A hint for clients that tried.
pub const DOT_SEGMENT_HINT: &str = " `.` and `..` cannot be room names: clients and proxies remove such path segments.";

/// An error response. Its `Debug` shows only the type and nothing from the request, because frameworks log errors.
pub struct Problem {
    pub code: Code,
    detail: String,
    extensions: Map<String, Value>,
    retry_after: Option<Duration>,
    /// More header fields of the response.
    fields: Vec<(&'static str, Cow<'static, str>)>,
}

/// The body of every error response (RFC 9457). Some types have extension members, shown in their examples.
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody<'a> {
    /// The type of problem, which does not change between versions: a relative reference to a page about it.
    #[serde(rename = "type")]
    #[schema(value_type = String, example = "/problems/room-full")]
    kind: String,
    title: &'a str,
    status: u16,
    /// What is wrong with this request.
    detail: &'a str,
    /// What the client should do.
    action: &'a str,
    #[serde(flatten)]
    #[schema(value_type = HashMap<String, Value>)]
    extensions: &'a Map<String, Value>,
}

impl Problem {
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), extensions: Map::new(), retry_after: None, fields: Vec::new() }
    }

    pub fn invalid(detail: impl Into<String>) -> Self {
        Self::new(Code::Invalid, detail)
    }

    pub fn method_not_allowed(method: &str, allow: &str, hint: &str) -> Self {
        let detail = format!("The path does not support {method}.{hint}");
        Self::new(Code::MethodNotAllowed, detail).with_field("allow", allow.to_owned())
    }

    /// Adds a header field. The name must be in lower case.
    pub fn with_field(mut self, name: &'static str, value: impl Into<Cow<'static, str>>) -> Self {
        self.fields.push((name, value.into()));
        self
    }

    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.extensions.insert(name.into(), value.into());
        self
    }

    pub fn retry_after(mut self, after: Duration) -> Self {
        self.retry_after = Some(after);
        self
    }

    pub fn body(&self) -> ProblemBody<'_> {
        let Row { slug, status, title, action } = self.code.row();
        let kind = ["/problems/", slug].concat();
        ProblemBody { kind, title, status, detail: &self.detail, action, extensions: &self.extensions }
    }

    fn room_full(capacity: usize, seats: &[Seat]) -> Self {
        let listed: Vec<Value> = seats
            .iter()
            .map(|seat| json!({"quiet": seat.frees_in.is_some(), "frees_in_ms": seat.frees_in.map(millis)}))
            .collect();
        let frees_in = seats.iter().filter_map(|seat| seat.frees_in).min();
        let detail = match frees_in {
            Some(span) => {
                format!(
                    "All {capacity} seats are taken; one becomes free in {} ms unless its peer returns.",
                    millis(span)
                )
            }
            None => format!("All {capacity} seats are taken by active peers."),
        };
        Self::new(Code::RoomFull, detail)
            .with("capacity", capacity)
            .with("seats", listed)
            .with("frees_in_ms", frees_in.map_or(Value::Null, |span| millis(span).into()))
            .retry_after(frees_in.unwrap_or(SEAT_RETRY).min(SEAT_RETRY))
    }

    pub fn memory_exhausted() -> Self {
        Self::new(
            Code::MemoryExhausted,
            "The memory for rooms and requests is in use, or your network address has its share of it.",
        )
        .retry_after(Duration::from_secs(2))
    }

    fn engine_unavailable(perhaps_done: bool) -> Self {
        let detail = match perhaps_done {
            true => {
                "The room storage did not respond in time; the request may have taken effect. With an Idempotency-Key, a retry is safe."
            }
            false => "The room storage cannot be reached. The request had no effect.",
        };
        Self::new(Code::EngineUnavailable, detail).retry_after(Duration::from_secs(1))
    }

    fn draining() -> Self {
        // Jitter, so that clients do not all return at the same time.
        let after = Duration::from_millis(fastrand::u64(500..2500));
        Self::new(Code::Draining, "The server is shutting down gracefully.")
            .with("retry_after_ms", millis(after))
            .retry_after(after)
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

/// At most, because a peer may leave at any moment.
const SEAT_RETRY: Duration = Duration::from_secs(5);

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let new = |code: Code, detail: &str| Problem::new(code, detail);
        match refusal {
            Refusal::RoomUnknown => new(Code::RoomUnknown, "No room has this name."),
            Refusal::RoomExists => new(Code::RoomExists, "A room with this name exists."),
            Refusal::RoomFull { capacity, seats } => Problem::room_full(capacity, &seats),
            Refusal::RoomLocked => new(Code::RoomLocked, "No new peers may join this room."),
            Refusal::SecretMissing => new(Code::SecretMissing, "The room requires its secret in `secret`."),
            Refusal::SecretWrong => new(Code::SecretWrong, "The room has another secret."),
            Refusal::SecretUnexpected => {
                new(Code::SecretUnexpected, "The request has a secret, but the room has none.")
            }
            Refusal::TicketMissing => new(Code::TicketMissing, "This server requires a ticket from new peers."),
            Refusal::MayNotCreate => {
                new(Code::TicketCannotCreate, "The room does not exist, and the ticket does not allow creating it.")
            }
            Refusal::RoomClosed => new(Code::RoomClosed, "The room's creator has closed it."),
            Refusal::RoomsExhausted => new(
                Code::RoomsExhausted,
                "The server has too many rooms, or your network address has too many of them.",
            )
            .retry_after(Duration::from_secs(30)),
            Refusal::MemoryExhausted => Problem::memory_exhausted(),
            Refusal::CapacityInvalid { max } => {
                Problem::invalid(format!("`capacity` must be an integer from 1 to {max}.")).with("capacity_max", max)
            }
            Refusal::PeerGone => new(Code::PeerGone, "The peer left, its lease expired, or the server restarted."),
            Refusal::Kicked => new(Code::Kicked, "The room's creator has removed this peer."),
            Refusal::PeerUnknown { peer } => {
                Problem::new(Code::PeerUnknown, format!("The room has no peer {peer}.")).with("peer", peer.to_string())
            }
            Refusal::NotCreator => new(Code::NotYours, "The token is for an earlier room with this name."),
            Refusal::MailboxFull { peer } => {
                Problem::new(Code::MailboxFull, format!("The mailbox of {peer} is full. Nothing was accepted."))
                    .with("peer", peer.to_string())
                    .retry_after(Duration::from_secs(1))
            }
            Refusal::NeverFits => new(Code::BodyTooLarge, "The request is larger than a whole mailbox."),
            Refusal::CursorAhead { cursor, newest } => {
                Problem::new(Code::CursorAhead, format!("The cursor is {cursor}, but the newest message is {newest}."))
                    .with("newest", newest.get())
            }
            Refusal::CursorGone { cursor, oldest } => Problem::new(
                Code::CursorGone,
                format!("The cursor is {cursor}, but the mailbox starts after {oldest}."),
            )
            .with("oldest", oldest.get()),
            Refusal::PollSuperseded => new(Code::PollSuperseded, "Only a peer's newest poll waits."),
            Refusal::KeyReused => {
                new(Code::KeyReused, "The key belongs to a different request. This one had no effect.")
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

/// The header fields of every error response.
const PROBLEM: SharedFields =
    &[("content-type", "application/problem+json"), ("cache-control", NO_STORE), ("x-content-type-options", "nosniff")];

impl From<&Problem> for Response {
    fn from(problem: &Problem) -> Self {
        let body = serde_json::to_string(&problem.body()).unwrap_or_default();
        let mut response = Self::text(problem.status_code(), PROBLEM, body);
        if let Some(after) = problem.retry_after {
            response.add("retry-after", after.as_millis().div_ceil(1000).max(1).to_string());
        }
        for (name, value) in &problem.fields {
            response.add(name, value.clone());
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

/// For the pages, which are an actix-web application.
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

//! Polling one's own mailbox.

use std::{borrow::Cow, sync::Arc, time::Duration};

use serde::Deserialize;

use crate::{
    api::{
        Api,
        auth::caller::Reader,
        json::write,
        operation::{Call, FromRequest},
        params::parse_page,
        problem::{Code, Problem},
        room_name::RoomNameText,
        schema::{problem_responses::refusals, responses::Batch},
    },
    domain::{Limits, Seq},
    engine::PollRequest,
    transport::{Response, known_header::KnownHeader},
};

refusals!(PollRefusals: MalformedRequest, TokenMissing, TokenInvalid, NotYours, Kicked, PeerUnknown, CursorAhead,
    PollSuperseded, RoomClosed, PeerGone, CursorGone, Invalid, RoomNameInvalid, RateLimited, Draining,
    EngineUnavailable);

/// Poll one's own mailbox
///
/// Answers at once with what is newer than the cursor, or waits for it. Reading removes nothing: the cursor of the next
/// poll acknowledges what this one brought, so an answer that is lost is simply asked for again. When nothing comes in
/// time, `messages` is empty.
#[utoipa::path(
    get,
    path = "/v1/rooms/{room}/peers/{peer}/messages",
    tag = "messages",
    operation_id = "pollMessages",
    params(
        ("room" = RoomNameText, Path, description = "The room's name", example = "tea"),
        ("peer" = Uuid, Path, description = "One's own id"),
        ("wait" = Option<f64>, Query, nullable = false, minimum = 0, maximum = 55, example = 5,
            description = "How long to wait for a message, in seconds; 25 unless given. 0 does not wait."),
        ("page" = Option<String>, Query, nullable = false, min_length = 1, max_length = 64,
            description = "Which page this is, as it said when it joined. A poll that a proxy sends twice then does not \
                count as another page's."),
        ("after" = Option<u64>, Query, nullable = false, minimum = 0, maximum = 9007199254740991_u64,
            description = "The cursor: acknowledges everything up to it. Without one, reads on from what was acknowledged."),
        ("Last-Event-ID" = Option<u64>, Header, nullable = false, minimum = 0, maximum = 9007199254740991_u64,
            description = "The cursor, too; for browsers, whose preflight cache goes by the whole URL. `after` wins."),
    ),
    responses((status = 200, body = Batch, description = "What is newer, and the next cursor"), PollRefusals),
    security(("peer_token" = []))
)]
pub async fn poll(api: Arc<Api>, by: Reader, poll: Poll) -> Result<Response, Problem> {
    let Reader(by) = by;
    Ok(write::batch(&api.engine.receive(&by.room, by.peer, poll.asked, poll.hold).await?))
}

/// What a poll asks for.
pub struct Poll {
    asked: PollRequest,
    hold: Duration,
}

impl FromRequest for Poll {
    fn from_request(call: &Call<'_>) -> Result<Self, Problem> {
        let headers = call.headers();
        let cursor = headers.get(KnownHeader::LastEventId);
        let cursor = cursor.map(|_| headers.text(KnownHeader::LastEventId).unwrap_or("?"));
        let (asked, wait) = parse_poll(call.request.query(), cursor, &call.api.limits)?;
        // Polls that began together do not end together.
        let hold = wait.mul_f64(1.0 - 0.1 * fastrand::f64());
        Ok(Self { asked, hold })
    }
}

#[derive(Default, Deserialize)]
struct PollQuery<'a> {
    wait: Option<Cow<'a, str>>,
    after: Option<Cow<'a, str>>,
    page: Option<Cow<'a, str>>,
}

impl<'a> PollQuery<'a> {
    fn parse(query: &'a str) -> Result<Self, Problem> {
        if let Some(plain) = Self::plain(query) {
            return Ok(plain);
        }
        let malformed = |error| Problem::new(Code::MalformedRequest, format!("The query cannot be read: {error}."));
        serde_urlencoded::from_str(query).map_err(malformed)
    }

    /// One as clients write it: nothing in it is escaped, and nothing is there twice.
    fn plain(query: &'a str) -> Option<Self> {
        let mut plain = Self::default();
        if query.bytes().any(|byte| matches!(byte, b'%' | b'+')) {
            return None;
        }
        for pair in query.split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let place = match name {
                "wait" => &mut plain.wait,
                "after" => &mut plain.after,
                "page" => &mut plain.page,
                _ => continue,
            };
            if place.replace(value.into()).is_some() {
                return None;
            }
        }
        Some(plain)
    }
}

/// What a poll asks for, and how long it would wait. A cursor in the query wins over the header's.
pub fn parse_poll(query: &str, header: Option<&str>, limits: &Limits) -> Result<(PollRequest, Duration), Problem> {
    let PollQuery { wait, after, page } = PollQuery::parse(query)?;
    // A header that is not used must be right all the same.
    let header = header.map(parse_cursor).transpose()?;
    let after = after.as_deref().map(parse_cursor).transpose()?.or(header);
    let page = page.as_deref().map(parse_page).transpose()?;
    Ok((PollRequest { after, page }, parse_wait(wait.as_deref(), limits)?))
}

fn parse_wait(text: Option<&str>, limits: &Limits) -> Result<Duration, Problem> {
    let Some(text) = text else { return Ok(limits.wait_default.min(limits.wait_max)) };
    let malformed = || Problem::new(Code::MalformedRequest, "`wait` must be a number of seconds.");
    let seconds: f64 = text.parse().ok().filter(|seconds: &f64| seconds.is_finite()).ok_or_else(malformed)?;
    let max = limits.wait_max.as_secs_f64();
    if !(0.0..=max).contains(&seconds) {
        return Err(Problem::invalid(format!("`wait` must be from 0 to {max} seconds.")));
    }
    Ok(Duration::from_secs_f64(seconds))
}

fn parse_cursor(text: &str) -> Result<Seq, Problem> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let cursor = text.parse().ok().filter(|_| digits).and_then(Seq::new);
    cursor.ok_or_else(|| Problem::new(Code::MalformedRequest, "A cursor is a whole number from 0 to 2^53 - 1."))
}

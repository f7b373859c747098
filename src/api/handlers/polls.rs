//! Polling a peer's own mailbox.

use std::{borrow::Cow, sync::Arc, time::Duration};

use crate::{
    api::{
        Api, Call, Code, FromRequest, Problem,
        auth::caller::{Member, Reader},
        json::write,
        params::{parse_page, query_pairs},
        schema::responses::Batch,
    },
    domain::{self, Limits, Refusal, Seq},
    engine::PollRequest,
    transport::{Response, known_header::KnownHeader},
};

/// Poll your mailbox
///
/// Returns messages newer than the cursor at once, or waits for them. Reading removes nothing: the cursor of the next poll
/// acknowledges what this one returned, so a lost response is simply requested again. If nothing arrives in time, `messages`
/// is empty.
#[utoipa::path(
    get,
    path = "/v1/rooms/{room}/peers/{peer}/messages",
    tag = "messages",
    operation_id = "pollMessages",
    params(
        ("wait" = Option<f64>, Query, nullable = false, minimum = 0, maximum = 55, example = 5,
            description = "How long to wait for a message, in seconds; the default is 25. 0 does not wait."),
        ("page" = Option<String>, Query, nullable = false, min_length = 1, max_length = 64,
            description = "The identifier that the page sent when it joined. With it, a poll that a proxy sends twice is not \
                mistaken for another page's."),
        ("after" = Option<u64>, Query, nullable = false, minimum = 0, maximum = 9007199254740991_u64,
            description = "The cursor; acknowledges everything up to it. The default is the last acknowledged cursor."),
        ("Last-Event-ID" = Option<u64>, Header, nullable = false, minimum = 0, maximum = 9007199254740991_u64,
            description = "The cursor, too; for browsers, which cache preflights by the whole URL. `after` takes precedence."),
    ),
    responses((status = 200, body = Batch, description = "New messages and the next cursor")),
    security(("peer_token" = []))
)]
pub async fn poll(api: Arc<Api>, by: Reader, poll: Poll) -> Result<Response, Problem> {
    let Reader(by) = by;
    Ok(write::batch(&poll.run(&api, &by).await?))
}

/// The parameters of a poll.
pub struct Poll {
    asked: PollRequest,
    hold: Duration,
}

impl Poll {
    pub async fn run(self, api: &Api, by: &Member) -> Result<domain::Batch, Refusal> {
        api.engine.receive(&by.room, by.peer, self.asked, self.hold).await
    }
}

impl FromRequest for Poll {
    const PROBLEMS: &[Code] = &[Code::MalformedRequest, Code::Invalid];

    fn from_request(call: &Call<'_>) -> Result<Self, Problem> {
        let headers = call.headers();
        let cursor = headers.get(KnownHeader::LastEventId);
        let cursor = cursor.map(|_| headers.text(KnownHeader::LastEventId).unwrap_or("?"));
        let (asked, wait) = parse_poll(call.request.query(), cursor, &call.api.limits)?;
        // Jitter, so that polls that began together do not end together.
        let hold = wait.mul_f64(1.0 - 0.1 * fastrand::f64());
        Ok(Self { asked, hold })
    }
}

/// A request that polls only if it says how long to wait.
impl FromRequest for Option<Poll> {
    const PROBLEMS: &[Code] = Poll::PROBLEMS;

    fn from_request(call: &Call<'_>) -> Result<Self, Problem> {
        let polls = query_pairs(call.request.query()).any(|(name, _)| name == "wait");
        // What belongs to a poll must be valid even if it is not used.
        let poll = Poll::from_request(call)?;
        Ok(polls.then_some(poll))
    }
}

/// The cursor, page and wait of a poll. A cursor in the query takes precedence over the header's.
pub fn parse_poll(query: &str, header: Option<&str>, limits: &Limits) -> Result<(PollRequest, Duration), Problem> {
    let (mut wait, mut after, mut page) = (None::<Cow<'_, str>>, None, None);
    for (name, value) in query_pairs(query) {
        let field = match &*name {
            "wait" => &mut wait,
            "after" => &mut after,
            "page" => &mut page,
            _ => continue,
        };
        if field.replace(value).is_some() {
            return Err(Problem::new(Code::MalformedRequest, format!("The query has `{name}` more than once.")));
        }
    }
    // The header must be valid even if it is not used.
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
    cursor.ok_or_else(|| Problem::new(Code::MalformedRequest, "A cursor must be an integer from 0 to 2^53 - 1."))
}

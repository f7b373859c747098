//! One request, and what its response means for the client: the rules of `web/client/wire` (`http.js`, `backoff.js`, `poll.js`).

use std::time::Duration;

use reqwest::RequestBuilder;
use serde_json::Value;

#[derive(Clone, Debug)]
pub enum Reply {
    Yes {
        status: u16,
        body: Value,
    },
    /// The server refused the request.
    No {
        status: u16,
        slug: String,
        retry_after: Option<Duration>,
    },
    /// No response from the server arrived.
    Nothing,
}

const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(8);

/// Sends a request and reads the whole response. `expects` is a member that only the server's response has.
pub async fn ask(request: RequestBuilder, expects: &str) -> Reply {
    let Ok(response) = request.send().await else { return Reply::Nothing };
    let status = response.status().as_u16();
    let seconds = response.headers().get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
    let Ok(body) = response.json::<Value>().await else { return Reply::Nothing };
    if (200..300).contains(&status) {
        return if body.get(expects).is_some() { Reply::Yes { status, body } } else { Reply::Nothing };
    }
    let Some((_, slug)) = body["type"].as_str().and_then(|kind| kind.split_once("/problems/")) else {
        return Reply::Nothing;
    };
    let after = body["retry_after_ms"].as_u64().map(Duration::from_millis).or(seconds.map(Duration::from_secs));
    Reply::No { status, slug: slug.to_owned(), retry_after: after }
}

/// Full jitter: between zero and a ceiling that doubles.
pub fn backoff(failures: u32) -> Duration {
    LONGEST.min(FIRST * 2_u32.pow(failures.min(10))).mul_f64(fastrand::f64())
}

impl Reply {
    /// How long to wait before a retry, or `None` if it is pointless.
    pub fn retry(&self, failures: u32) -> Option<Duration> {
        match self {
            Reply::Yes { .. } => None,
            Reply::Nothing => Some(backoff(failures)),
            Reply::No { status, slug, retry_after } => {
                let passing = ["rate-limited", "mailbox-full", "draining"].contains(&slug.as_str())
                    || (*status >= 500 && slug != "rooms-exhausted");
                let asked = retry_after.map(|after| after.mul_f64(1.0 + 0.2 * fastrand::f64()));
                passing.then(|| asked.unwrap_or_else(|| backoff(failures)))
            }
        }
    }

    /// The problem, if it means that the client has lost its seat, mailbox or cursor.
    pub fn unseats(&self) -> Option<&str> {
        match self {
            Reply::No { status, slug, .. } => {
                let lost = ([401, 403, 404, 410].contains(status) && slug != "peer-unknown") || slug == "cursor-ahead";
                (lost || slug == "poll-superseded").then_some(slug)
            }
            _ => None,
        }
    }
}

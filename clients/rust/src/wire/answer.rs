//! Tells the server's responses from those of others.

use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, DATE, HeaderMap};
use reqwest::{Response, StatusCode};
use serde_json::{Map, Value};

use super::retry_after::retry_after;
use crate::{Error, Problem, Silence, Unreachable};

/// A response of the server.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
    pub(crate) date: Option<String>,
}

/// `expects`: a member that the response must have to be the server's.
pub(crate) async fn read(response: Response, expects: Option<&str>) -> Result<Answer, Error> {
    let status = response.status();
    let headers = response.headers();
    let (is_json, wait) = (is_json(headers), retry_after(headers));
    let date = headers.get(DATE).and_then(|date| date.to_str().ok()).map(str::to_owned);
    // Anything else is not the server's, whatever its length.
    let text = if is_json { response.bytes().await.map_err(network)? } else { Vec::new().into() };
    judge(status, date, wait, serde_json::from_slice(&text).unwrap_or_default(), expects)
}

fn judge(
    status: StatusCode,
    date: Option<String>,
    wait: Option<Duration>,
    body: Value,
    expects: Option<&str>,
) -> Result<Answer, Error> {
    if status.is_success() {
        if expects.is_none_or(|member| body.get(member).is_some()) {
            return Ok(Answer { status: status.as_u16(), body, date });
        }
    } else if let Value::Object(document) = body
        && document.get("type").and_then(Value::as_str).is_some_and(|kind| kind.contains("/problems/"))
    {
        // Intermediaries may use RFC 9457, too; only these problems are the server's.
        return Err(Error::Problem(Problem::new(document, status.as_u16(), wait)));
    } else if status == StatusCode::PAYLOAD_TOO_LARGE {
        // A proxy's size limit is as final as the server's.
        let document = [("type", "/problems/body-too-large"), ("title", "Too large for a proxy")];
        let document: Map<_, _> = document.map(|(name, text)| (name.to_owned(), text.into())).into_iter().collect();
        return Err(Error::Problem(Problem::new(document, 413, None)));
    }
    let reason = if status.is_server_error() { Silence::Gateway } else { Silence::Foreign };
    let unreachable = Unreachable { status: Some(status.as_u16()), retry_after: wait, ..Unreachable::new(reason) };
    Err(Error::Unreachable(unreachable))
}

/// An error of the HTTP client. Its URL names the room, which is nobody's business.
pub(crate) fn network(error: reqwest::Error) -> Error {
    let error = error.without_url();
    let mut cause = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(inner) = source {
        cause = inner.to_string();
        source = inner.source();
    }
    Error::Unreachable(Unreachable { cause: Some(cause), ..Unreachable::new(Silence::Network) })
}

/// Also `application/problem+json`.
fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence.ends_with("/json") || essence.ends_with("+json")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn said(status: u16, body: Value, expects: Option<&str>) -> String {
        match judge(StatusCode::from_u16(status).unwrap(), None, None, body, expects) {
            Ok(answer) => answer.status.to_string(),
            Err(Error::Problem(problem)) => problem.slug,
            Err(Error::Unreachable(unreachable)) => format!("{:?}", unreachable.reason),
            Err(other) => other.to_string(),
        }
    }

    #[test]
    fn only_what_has_the_member_or_is_our_problem_is_the_servers() {
        assert_eq!(said(200, json!({"messages": []}), Some("messages")), "200");
        assert_eq!(said(204, Value::Null, None), "204");
        assert_eq!(said(200, json!({"error": null}), Some("messages")), "Foreign");
        assert_eq!(said(200, Value::Null, Some("messages")), "Foreign");
        assert_eq!(said(410, json!({"type": "https://example.org/problems/peer-gone"}), None), "peer-gone");
        assert_eq!(said(404, json!({"type": "about:blank"}), None), "Foreign");
        assert_eq!(said(302, Value::Null, None), "Foreign");
        assert_eq!(said(503, json!({"type": "about:blank"}), None), "Gateway");
        assert_eq!(said(413, Value::Null, None), "body-too-large");
    }

    #[test]
    fn json_is_told_by_its_media_type() {
        let mut headers = HeaderMap::new();
        for (kind, wanted) in [
            ("application/json", true),
            ("Application/Problem+JSON; charset=utf-8", true),
            ("text/html", false),
            ("text/json5", false),
        ] {
            headers.insert(CONTENT_TYPE, kind.parse().unwrap());
            assert_eq!(is_json(&headers), wanted, "{kind}");
        }
        assert!(!is_json(&HeaderMap::new()));
    }
}

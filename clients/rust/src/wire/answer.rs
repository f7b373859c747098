//! Tells the server's responses from those of others.

use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, DATE, HeaderMap};
use reqwest::{Response, StatusCode};
use serde_json::{Map, Value};

use super::retry_after::retry_after;
#[cfg(feature = "tls")]
use super::tls::is_certificate;
use crate::{Error, Problem, Silence, Unreachable};

/// A poll's has 256 KiB, or one message that is larger; a join's has at most 63 peers.
const MAX_BYTES: usize = 8 * 1024 * 1024;

/// A response of the server.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
    pub(crate) date: Option<String>,
}

/// `expects`: a member that the response must have to be the server's.
pub(crate) async fn read(mut response: Response, expects: Option<&str>) -> Result<Answer, Error> {
    let status = response.status();
    let headers = response.headers();
    let (is_json, wait) = (is_json(headers), retry_after(headers));
    let date = headers.get(DATE).and_then(|date| date.to_str().ok()).map(str::to_owned);
    // Anything else is not the server's.
    let text = if is_json || expects.is_none() { body(&mut response).await? } else { None };
    // A proxy may have made an empty 200 of a 204.
    let is_empty = text.as_ref().is_some_and(Vec::is_empty);
    let status =
        if status == StatusCode::OK && is_empty && expects.is_none() { StatusCode::NO_CONTENT } else { status };
    let document = text.filter(|_| is_json).and_then(|text| serde_json::from_slice(&text).ok());
    judge(status, date, wait, document.unwrap_or_default(), expects)
}

/// None if it is longer than any of the server's.
async fn body(response: &mut Response) -> Result<Option<Vec<u8>>, Error> {
    let mut text = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(network)? {
        if text.len() + chunk.len() > MAX_BYTES {
            return Ok(None);
        }
        text.extend_from_slice(&chunk);
    }
    Ok(Some(text))
}

fn judge(
    status: StatusCode,
    date: Option<String>,
    wait: Option<Duration>,
    body: Value,
    expects: Option<&str>,
) -> Result<Answer, Error> {
    if status.is_success() {
        // A portal's page is not empty.
        if expects.map_or(status == StatusCode::NO_CONTENT, |member| body.get(member).is_some()) {
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
    let mut reason = Silence::Network;
    let mut source = std::error::Error::source(&error);
    while let Some(inner) = source {
        cause = inner.to_string();
        if is_certificate(inner) {
            reason = Silence::Certificate;
        }
        source = inner.source();
    }
    Error::Unreachable(Unreachable { cause: Some(cause), ..Unreachable::new(reason) })
}

/// Errors of other TLS implementations are not known here.
#[cfg(not(feature = "tls"))]
fn is_certificate(_: &(dyn std::error::Error + 'static)) -> bool {
    false
}

/// Also `application/problem+json`.
fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence.ends_with("/json") || essence.ends_with("+json")
}

#[cfg(test)]
mod tests {
    use reqwest::Method;
    use serde_json::json;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;
    use crate::wire::http::{Http, Request};

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
        // A portal's page: the room is not closed.
        assert_eq!(said(200, Value::Null, None), "Foreign");
        assert_eq!(said(410, json!({"type": "https://example.org/problems/peer-gone"}), None), "peer-gone");
        assert_eq!(said(404, json!({"type": "about:blank"}), None), "Foreign");
        assert_eq!(said(302, Value::Null, None), "Foreign");
        assert_eq!(said(503, json!({"type": "about:blank"}), None), "Gateway");
        assert_eq!(said(413, Value::Null, None), "body-too-large");
    }

    /// What is read of JSON of this length, from a server that says nothing else.
    async fn long(status: u16, length: usize) -> Result<Answer, Error> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.read_buf(&mut Vec::with_capacity(8 * 1024)).await.unwrap();
            let head = format!("HTTP/1.1 {status} x\r\ncontent-type: application/json\r\n\r\n{{\"messages\":[]");
            let said = [head, " ".repeat(length - 15), "}".to_owned()].concat();
            // Nobody has to read it to the end.
            let _ = stream.write_all(said.as_bytes()).await;
        });
        let request = Request { expects: Some("messages"), ..Request::new(Method::GET, url) };
        Http::new(None, &[]).unwrap().ask(&request).await
    }

    #[tokio::test]
    async fn a_body_that_is_longer_than_any_of_the_servers_is_not() {
        assert_eq!(long(200, MAX_BYTES).await.unwrap().status, 200);
        for (status, reason) in [(200, Silence::Foreign), (502, Silence::Gateway)] {
            let answer = long(status, MAX_BYTES + 1).await;
            assert!(matches!(answer, Err(Error::Unreachable(told)) if told.reason == reason), "{status}");
        }
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

//! What can go wrong.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use serde_json::{Map, Value};

/// Why something was not done.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Error {
    /// The server refused.
    Problem(Problem),
    /// No response of the server arrived.
    Unreachable(Unreachable),
    /// The room ended before it was done.
    Ended(Ending),
    /// 50,000 messages or 16 MiB wait to be sent, so this one was not queued.
    Backlog,
    /// The arguments are wrong; nothing was sent.
    Invalid(String),
}

/// A refusal, as the server explained it (RFC 9457).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Problem {
    /// The kind of problem: `room-full`, `secret-missing`, …
    pub slug: String,
    /// The status of the response.
    pub status: u16,
    /// The whole document. `detail` and `action` are for people.
    pub document: Map<String, Value>,
    /// How long the server asks to wait before a retry, if it does.
    pub retry_after: Option<Duration>,
}

/// No response of the server arrived: the network failed, the request timed out, or something on the way responded instead.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Unreachable {
    /// What happened.
    pub reason: Silence,
    /// The status, if something else responded.
    pub status: Option<u16>,
    /// How long that asks to wait before a retry, if it does.
    pub retry_after: Option<Duration>,
    /// The error of the HTTP client, for people. It has no URL.
    pub cause: Option<String>,
}

/// Why no response of the server arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Silence {
    /// There is no connection, or it was closed before the response.
    Network,
    /// The server's certificate is not trusted, or not for this name or time. [`join`](crate::join()) does not retry then.
    Certificate,
    /// Nothing came in time.
    Timeout,
    /// A gateway responded with an error.
    Gateway,
    /// Something else responded, such as the page of a captive portal. So did what has more than 8 MiB.
    Foreign,
    /// A cache responded with what it had kept.
    Stale,
}

/// Why a room has ended for this member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ending {
    /// Another process took the seat.
    Superseded,
    /// Left, or the room is gone.
    Closed,
    /// Removed by the room's creator.
    Kicked,
}

impl Problem {
    pub(crate) fn new(document: Map<String, Value>, status: u16, retry_after: Option<Duration>) -> Self {
        let slug =
            document.get("type").and_then(Value::as_str).unwrap_or_default().rsplit('/').next().unwrap_or_default();
        // More exact than the header field.
        let asked = document.get("retry_after_ms").and_then(Value::as_f64).filter(|ms| *ms >= 0.0);
        let retry_after =
            asked.map(|ms| Duration::try_from_secs_f64(ms / 1000.0).unwrap_or(Duration::MAX)).or(retry_after);
        Self { slug: slug.to_owned(), status, retry_after, document }
    }
}

impl Unreachable {
    pub(crate) fn new(reason: Silence) -> Self {
        Self { reason, status: None, retry_after: None, cause: None }
    }
}

impl Error {
    /// The kind of problem, if the server refused.
    pub fn slug(&self) -> Option<&str> {
        match self {
            Self::Problem(problem) => Some(&problem.slug),
            _ => None,
        }
    }

    pub(crate) fn invalid(why: impl Into<String>) -> Self {
        Self::Invalid(why.into())
    }

    pub(crate) fn silence(reason: Silence) -> Self {
        Self::Unreachable(Unreachable::new(reason))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Problem(problem) => problem.fmt(f),
            Self::Unreachable(unreachable) => unreachable.fmt(f),
            Self::Ended(ending) => write!(f, "the room has ended ({ending})"),
            Self::Backlog => f.write_str("too many messages wait to be sent"),
            Self::Invalid(why) => f.write_str(why),
        }
    }
}

impl StdError for Error {}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = ["detail", "title"].iter().find_map(|name| self.document.get(*name)?.as_str());
        write!(f, "{} ({})", text.unwrap_or("the server refused"), self.slug)
    }
}

impl fmt::Display for Unreachable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.reason {
            Silence::Network => "the network failed",
            Silence::Certificate => "its certificate is not accepted",
            Silence::Timeout => "it did not respond in time",
            Silence::Gateway => "a gateway responded with an error",
            Silence::Foreign => "something else responded",
            Silence::Stale => "a cache responded",
        };
        write!(f, "the server cannot be reached: {what}")?;
        self.status.map_or(Ok(()), |status| write!(f, " ({status})"))?;
        self.cause.as_ref().map_or(Ok(()), |cause| write!(f, ": {cause}"))?;
        if self.reason == Silence::Certificate {
            f.write_str(
                ". If its issuer is a private one, add the issuer's certificate to the system's, or give it to \
                 `root_certificate`; if its name or time is wrong, check the URL and the clock",
            )?;
        }
        Ok(())
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Superseded => "superseded",
            Self::Closed => "closed",
            Self::Kicked => "kicked",
        })
    }
}

//! What peers tell each other.

use serde::Serialize;
use serde_json::{Map, Value};

/// A message from one peer to another, without its sender and recipient.
#[derive(Clone, Debug, PartialEq)]
pub enum Signal {
    /// An SDP offer.
    Offer(String),
    /// An SDP answer.
    Answer(String),
    /// An ICE candidate; `None` is the end of candidates.
    Candidate(Option<Candidate>),
    /// The end of the call with that peer, and the reason if there is one. The sender stays in the room.
    Bye(Option<String>),
    /// Anything that the application defines.
    Data(Value),
}

/// An ICE candidate, as `RTCIceCandidate.toJSON()` gives it in browsers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Candidate {
    /// The attribute: `candidate:1 1 udp 2122260223 192.0.2.1 54321 typ host`. Empty: the end of one generation.
    pub candidate: String,
    /// The media description that it belongs to, by its identification tag.
    pub sdp_mid: Option<String>,
    /// The same, by its number.
    #[serde(rename = "sdpMLineIndex")]
    pub sdp_m_line_index: Option<u16>,
    /// The ICE user name fragment of the description that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username_fragment: Option<String>,
}

impl Candidate {
    /// Members of other types than they should be are taken for missing, because they were chosen by others.
    fn from_members(members: &Map<String, Value>) -> Self {
        let text = |name: &str| members.get(name).and_then(Value::as_str).map(str::to_owned);
        let index = members.get("sdpMLineIndex").and_then(Value::as_u64);
        Self {
            candidate: text("candidate").unwrap_or_default(),
            sdp_mid: text("sdpMid"),
            sdp_m_line_index: index.and_then(|index| u16::try_from(index).ok()),
            username_fragment: text("usernameFragment"),
        }
    }
}

impl Signal {
    /// `offer`, `answer`, `candidate`, `bye` or `data`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Offer(_) => "offer",
            Self::Answer(_) => "answer",
            Self::Candidate(_) => "candidate",
            Self::Bye(_) => "bye",
            Self::Data(_) => "data",
        }
    }

    /// The content as JSON.
    pub(crate) fn content(&self) -> serde_json::Result<String> {
        match self {
            Self::Offer(sdp) | Self::Answer(sdp) => serde_json::to_string(sdp),
            Self::Candidate(candidate) => serde_json::to_string(candidate),
            Self::Bye(reason) => serde_json::to_string(reason),
            Self::Data(data) => serde_json::to_string(data),
        }
    }

    /// None if it does not fit the type.
    pub(crate) fn from_content(kind: &str, content: Value) -> Option<Self> {
        match (kind, content) {
            ("offer", Value::String(sdp)) => Some(Self::Offer(sdp)),
            ("answer", Value::String(sdp)) => Some(Self::Answer(sdp)),
            ("candidate", Value::Null) => Some(Self::Candidate(None)),
            ("candidate", Value::Object(members)) => Some(Self::Candidate(Some(Candidate::from_members(&members)))),
            ("bye", Value::Null) => Some(Self::Bye(None)),
            ("bye", Value::String(reason)) => Some(Self::Bye(Some(reason))),
            ("data", data) => Some(Self::Data(data)),
            _ => None,
        }
    }
}

/// The member with the content of a type of message. None if there is no such type.
pub(crate) fn member_of(kind: &str) -> Option<&'static str> {
    match kind {
        "offer" | "answer" => Some("sdp"),
        "candidate" => Some("candidate"),
        "bye" => Some("reason"),
        "data" => Some("data"),
        _ => None,
    }
}

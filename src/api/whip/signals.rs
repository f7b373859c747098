//! The messages that encoders and players send and read, which are those of any peer.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    api::whip::description::answer::Trickled,
    domain::{Payload, PeerId},
};

/// What a peer in the room says.
#[derive(Debug, PartialEq)]
pub enum Heard {
    Answer(String),
    /// `None` for their end.
    Candidate(Option<Trickled>),
    Bye,
    /// A goodbye of a page that was loaded again, and did not get the offer.
    Reloaded,
    Other,
}

/// Why a browser is to close its connection.
#[derive(Clone, Copy, Debug)]
pub enum Goodbye {
    /// The encoder stopped.
    Ended,
    /// Nothing came of the call.
    Failed,
    /// This peer answered.
    Taken(PeerId),
}

#[derive(Deserialize)]
struct Signal {
    r#type: String,
    sdp: Option<String>,
    candidate: Option<Init>,
    reason: Option<String>,
}

/// `RTCIceCandidateInit`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Init {
    #[serde(default)]
    candidate: String,
    sdp_mid: Option<String>,
    sdp_m_line_index: Option<usize>,
}

pub fn offer(sdp: &str) -> Payload {
    payload("offer", &json!({ "sdp": sdp }))
}

pub fn bye(why: Goodbye) -> Payload {
    payload(
        "bye",
        &match why {
            Goodbye::Ended => json!({"reason": "ended"}),
            Goodbye::Failed => json!({"reason": "failed"}),
            Goodbye::Taken(by) => json!({"reason": "taken", "answeredBy": by.to_string()}),
        },
    )
}

/// `None` says that no more will follow.
pub fn candidate(candidate: Option<&Trickled>, ufrag: Option<&str>) -> Payload {
    let init = candidate.map(|candidate| {
        json!({
            "candidate": candidate.text,
            "sdpMid": candidate.mid,
            "sdpMLineIndex": candidate.index,
            "usernameFragment": ufrag,
        })
    });
    payload("candidate", &json!({ "candidate": init }))
}

/// A message without its braces, the type first.
pub fn payload(kind: &str, members: &Value) -> Payload {
    let text = members.to_string();
    let members = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')).unwrap_or_default();
    Payload::new(format!(r#""type":"{kind}",{members}"#))
}

pub fn json_of(payload: &Payload) -> String {
    ["{", payload.as_str(), "}"].concat()
}

/// As we write it: the type first.
pub fn is_bye(payload: &str) -> bool {
    payload.starts_with(r#""type":"bye""#)
}

pub fn heard(payload: &Payload) -> Heard {
    let Ok(Signal { r#type, sdp, candidate, reason }) = serde_json::from_str(&json_of(payload)) else {
        return Heard::Other;
    };
    match (r#type.as_str(), sdp) {
        ("answer", Some(sdp)) => Heard::Answer(sdp),
        ("candidate", _) => Heard::Candidate(candidate.filter(|init| !init.candidate.is_empty()).map(|init| {
            // With and without `a=`, as browsers take it.
            let text = init.candidate.strip_prefix("a=").unwrap_or(&init.candidate).to_owned();
            Trickled { text, mid: init.sdp_mid, index: init.sdp_m_line_index }
        })),
        ("bye", _) if reason.as_deref() == Some("reloaded") => Heard::Reloaded,
        ("bye", _) => Heard::Bye,
        _ => Heard::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_read_as_browsers_write_them() {
        let of = |text: &str| heard(&Payload::new(text));
        assert_eq!(of(r#""type":"answer","sdp":"v=0\r\n","x":1"#), Heard::Answer("v=0\r\n".into()));
        let trickled = Trickled { text: "candidate:1".into(), mid: Some("0".into()), index: Some(0) };
        let init = r#"{"candidate":"candidate:1","sdpMid":"0","sdpMLineIndex":0,"usernameFragment":null}"#;
        assert_eq!(of(&format!(r#""type":"candidate","candidate":{init}"#)), Heard::Candidate(Some(trickled)));
        for end in ["null", r#"{"candidate":"","sdpMid":"0"}"#, "{}"] {
            assert_eq!(of(&format!(r#""type":"candidate","candidate":{end}"#)), Heard::Candidate(None));
        }
        assert_eq!(of(r#""type":"bye""#), Heard::Bye);
        assert_eq!(of(r#""type":"bye","reason":"busy""#), Heard::Bye);
        assert_eq!(of(r#""type":"bye","reason":"reloaded""#), Heard::Reloaded);
        for other in [
            r#""type":"data","data":1"#,
            r#""type":"offer","sdp":"v=0""#,
            r#""type":"candidate","candidate":{"sdpMid":1}"#,
            "",
        ] {
            assert_eq!(of(other), Heard::Other, "{other}");
        }
    }

    #[test]
    fn messages_are_written_with_the_type_first() {
        for message in [offer("v=0\r\n\"é\""), bye(Goodbye::Ended), candidate(None, None)] {
            let read: Value = serde_json::from_str(&json_of(&message)).unwrap();
            assert!(message.as_str().starts_with(&format!(r#""type":{},"#, read["type"])), "{}", message.as_str());
        }
    }
}

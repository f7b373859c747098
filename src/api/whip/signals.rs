//! The messages that encoders and players send and read, which are those of any peer.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    api::whip::{
        description::{answer::Trickled, candidate::Candidate},
        mark::Mark,
    },
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

/// Bytes of `a=ice-ufrag` (RFC 8839 section 5.4). Names of sections are shorter.
const UFRAG_MAX: usize = 256;

#[derive(Deserialize)]
struct Signal {
    r#type: String,
    sdp: Option<String>,
    candidate: Option<Init>,
    reason: Option<String>,
    /// The offer that this is about.
    call: Option<Value>,
}

/// `RTCIceCandidateInit`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Init {
    #[serde(default)]
    candidate: String,
    sdp_mid: Option<String>,
    sdp_m_line_index: Option<usize>,
    username_fragment: Option<String>,
}

pub fn offer(sdp: &str) -> Payload {
    payload("offer", &json!({ "sdp": sdp, "call": Mark::of(sdp).to_text() }))
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

/// What is said about the offer with this mark. What is said about another one does not matter any more.
pub fn heard(payload: &Payload, mark: &Mark) -> Heard {
    let Ok(Signal { r#type, sdp, candidate, reason, call }) = serde_json::from_str(&json_of(payload)) else {
        return Heard::Other;
    };
    let (of_offer, of_connection) = (mark.is_of_offer(call.as_ref()), mark.is_of_connection(call.as_ref()));
    match (r#type.as_str(), sdp) {
        ("answer", Some(sdp)) if of_offer => Heard::Answer(sdp),
        ("candidate", _) if of_offer => match candidate.filter(|init| !init.candidate.is_empty()) {
            Some(init) => init.trickled().map_or(Heard::Other, |candidate| Heard::Candidate(Some(candidate))),
            None => Heard::Candidate(None),
        },
        ("bye", _) if of_connection && reason.as_deref() == Some("reloaded") => Heard::Reloaded,
        ("bye", _) if of_connection => Heard::Bye,
        _ => Heard::Other,
    }
}

impl Init {
    /// `None` if it is of no use: whatever is kept of a message is bounded here.
    fn trickled(self) -> Option<Trickled> {
        // With and without `a=`, as browsers take it.
        let text = self.candidate.strip_prefix("a=").unwrap_or(&self.candidate).to_owned();
        let names = [&self.sdp_mid, &self.username_fragment];
        let is_short = names.into_iter().flatten().all(|name| name.len() <= UFRAG_MAX);
        (is_short && Candidate::is_usable(&text)).then_some(Trickled {
            text,
            mid: self.sdp_mid,
            index: self.sdp_m_line_index,
            ufrag: self.username_fragment,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark() -> Mark {
        Mark::of("v=0\r\no=rtc 5 1 IN IP4 0.0.0.0\r\n")
    }

    #[test]
    fn what_is_said_about_another_offer_is_not_heard() {
        let [other, restart] =
            ["6 1", "5 2"].map(|ids| Mark::of(&format!("v=0\r\no=rtc {ids} IN IP4 0.0.0.0\r\n")).to_text());
        let of = |message: &str, call: &str| {
            let unmarked = Payload::new(message);
            let marked = Payload::new(format!(r#"{message},"call":"{call}""#));
            (heard(&marked, &mark()) == heard(&unmarked, &mark()), heard(&marked, &mark()) == Heard::Other)
        };
        for message in [r#""type":"answer","sdp":"v=0""#, r#""type":"candidate","candidate":null"#] {
            assert_eq!(of(message, &mark().to_text()), (true, false), "{message}");
            assert_eq!((of(message, &other), of(message, &restart)), ((false, true), (false, true)), "{message}");
        }
        for message in [r#""type":"bye""#, r#""type":"bye","reason":"reloaded""#] {
            assert_eq!((of(message, &other), of(message, &restart)), ((false, true), (true, false)), "{message}");
        }
    }

    #[test]
    fn messages_are_read_as_browsers_write_them() {
        let of = |text: &str| heard(&Payload::new(text), &mark());
        assert_eq!(of(r#""type":"answer","sdp":"v=0\r\n","x":1"#), Heard::Answer("v=0\r\n".into()));
        let ufrag = Some("u".into());
        let line = "candidate:1 1 udp 1 192.0.2.1 4000 typ host";
        let trickled = Trickled { text: line.into(), mid: Some("0".into()), index: Some(0), ufrag };
        let init = format!(r#"{{"candidate":"{line}","sdpMid":"0","sdpMLineIndex":0,"usernameFragment":"u"}}"#);
        assert_eq!(of(&format!(r#""type":"candidate","candidate":{init}"#)), Heard::Candidate(Some(trickled)));
        let long = "u".repeat(UFRAG_MAX + 1);
        for useless in [
            init.replace(line, "candidate:1"),
            init.replace(line, &format!(r"{line}\r\nm=video 9 X 96")),
            init.replace(line, &format!("{line}{}", " x".repeat(512))),
            init.replace(r#""u""#, &format!(r#""{long}""#)),
            init.replace(r#""0""#, &format!(r#""{long}""#)),
        ] {
            assert_eq!(of(&format!(r#""type":"candidate","candidate":{useless}"#)), Heard::Other, "{useless}");
        }
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

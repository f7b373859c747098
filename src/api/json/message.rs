//! Messages on their way in: the envelope is checked, and what is inside `sdp`, `candidate` and `data` is kept byte for
//! byte. What comes out is the text that every reader will be sent. The document's view of it is in `signal_schema`.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::{
    api::{
        json::{body, fast_parser},
        problem::Problem,
    },
    domain::{Limits, Payload, PeerId, Target},
};

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Envelope<'a> {
    #[serde(borrow, rename = "type")]
    pub kind: Cow<'a, str>,
    #[serde(borrow)]
    pub to: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "present")]
    sdp: Option<&'a str>,
    #[serde(borrow, default, deserialize_with = "present")]
    candidate: Option<&'a str>,
    #[serde(borrow, default, deserialize_with = "present")]
    data: Option<&'a str>,
    #[serde(borrow, default, deserialize_with = "present")]
    reason: Option<&'a str>,
    /// What was sent from `"type"` to the end of what is relayed, where that is known.
    #[serde(skip)]
    pub stretch: Option<&'a str>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelopes<'a> {
    #[serde(borrow)]
    messages: Vec<Envelope<'a>>,
}

/// A field that is there, be it null, as it stands.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'de str>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(|raw| Some(raw.get()))
}

/// The one message of a `POST` into a mailbox.
pub fn parse_one(bytes: &[u8], to: PeerId, limits: &Limits) -> Result<Target, Problem> {
    let text = body::utf8(bytes)?;
    let envelope = read_one(text, limits.json_depth.saturating_sub(1))?;
    if envelope.to.is_some() {
        return Err(Problem::invalid("`to` belongs in a batch; here the path says whom the message is for."));
    }
    Ok(Target { to: Some(to), payload: envelope.payload().map_err(Problem::invalid)? })
}

fn read_one(text: &str, depth_max: usize) -> Result<Envelope<'_>, Problem> {
    fast_parser::one(text, depth_max).map_or_else(|| one_by_serde(text, depth_max), Ok)
}

fn read_batch(text: &str, depth_max: usize) -> Result<Vec<Envelope<'_>>, Problem> {
    fast_parser::batch(text, depth_max).map_or_else(|| batch_by_serde(text, depth_max), Ok)
}

pub fn one_by_serde(text: &str, depth_max: usize) -> Result<Envelope<'_>, Problem> {
    let envelope: Envelope<'_> = body::parse_text(text)?;
    envelope.check_readable(depth_max)?;
    Ok(envelope)
}

pub fn batch_by_serde(text: &str, depth_max: usize) -> Result<Vec<Envelope<'_>>, Problem> {
    let Envelopes { messages } = body::parse_text(text)?;
    messages.iter().try_for_each(|envelope| envelope.check_readable(depth_max))?;
    Ok(messages)
}

/// The messages of a batch.
pub fn parse_batch(bytes: &[u8], limits: &Limits) -> Result<Vec<Target>, Problem> {
    let messages = read_batch(body::utf8(bytes)?, limits.json_depth.saturating_sub(3))?;
    let at_most = limits.batch_messages;
    if messages.is_empty() || messages.len() > at_most {
        return Err(Problem::invalid(format!("`messages` has {} entries; 1 to {at_most} are taken.", messages.len())));
    }
    let target = |(index, envelope): (usize, &Envelope<'_>)| {
        envelope.target().map_err(|detail| Problem::invalid(format!("messages[{index}]: {detail}")))
    };
    messages.iter().enumerate().map(target).collect()
}

impl<'a> Envelope<'a> {
    /// What has this name and is relayed.
    pub fn relayed(&mut self, name: &str) -> Option<&mut Option<&'a str>> {
        Some(match name {
            "sdp" => &mut self.sdp,
            "candidate" => &mut self.candidate,
            "data" => &mut self.data,
            "reason" => &mut self.reason,
            _ => return None,
        })
    }

    /// What is relayed must be fit for every reader, in no more than so many levels of arrays and objects.
    fn check_readable(&self, depth_max: usize) -> Result<(), Problem> {
        let relayed = [self.sdp, self.candidate, self.data, self.reason].into_iter().flatten();
        relayed.into_iter().try_for_each(|json| body::check_value(json, depth_max))
    }

    fn target(&self) -> Result<Target, String> {
        let to = self
            .to
            .as_deref()
            .map(|text| crate::api::params::parse_peer(text).ok_or("`to` is not a peer's id.".to_owned()));
        Ok(Target { to: to.transpose()?, payload: self.payload()? })
    }

    pub fn payload(&self) -> Result<Payload, String> {
        self.text().map(Payload::new)
    }

    /// The inside of the message as its readers will get it, without the braces.
    fn text(&self) -> Result<Cow<'a, str>, String> {
        let kind = self.kind.as_ref();
        let (name, value) = match kind {
            "offer" | "answer" => ("sdp", self.sdp),
            "candidate" => ("candidate", self.candidate),
            "bye" => ("reason", self.reason),
            "data" => ("data", self.data),
            _ => return Err("`type` must be offer, answer, candidate, bye or data.".into()),
        };
        let fields = [("sdp", self.sdp), ("candidate", self.candidate), ("data", self.data), ("reason", self.reason)];
        if let Some((stray, _)) = fields.iter().find(|(field, value)| *field != name && value.is_some()) {
            return Err(format!("`{stray}` does not belong in a message of type `{kind}`."));
        }
        let Some(raw) = value else {
            let optional = kind == "bye";
            let missing = || format!("A message of type `{kind}` needs `{name}`.");
            return optional.then_some("\"type\":\"bye\"".into()).ok_or_else(missing);
        };
        check_shape(name, raw)?;
        let parts = ["\"type\":\"", kind, "\",\"", name, "\":", raw];
        // If the stretch that was sent is no longer, then nothing else is in it.
        let length = parts.iter().map(|part| part.len()).sum::<usize>();
        match self.stretch.filter(|stretch| stretch.len() == length) {
            Some(stretch) => Ok(stretch.into()),
            None => Ok(parts.concat().into()),
        }
    }
}

fn check_shape(name: &str, raw: &str) -> Result<(), String> {
    let (fits, wanted) = match name {
        "sdp" | "reason" => (raw.starts_with('"'), "a string"),
        "candidate" => (raw.starts_with('{') || raw == "null", "an object or null"),
        _ => (true, "anything"),
    };
    if fits { Ok(()) } else { Err(format!("`{name}` must be {wanted}.")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn relayed(json: &str) -> Result<String, Problem> {
        parse_one(json.as_bytes(), PeerId::from_bytes([1; 16]), &Limits::default())
            .map(|target| target.payload.as_str().to_owned())
    }

    #[test]
    fn what_is_inside_is_kept_byte_for_byte() {
        for (given, kept) in [
            (r#"{"type":"offer","sdp":"v=0\r\n\u00e9 \/"}"#, r#""type":"offer","sdp":"v=0\r\n\u00e9 \/""#),
            (r#"{ "sdp" : "" , "type" : "answer" }"#, r#""type":"answer","sdp":"""#),
            (r#"{"type":"candidate","candidate":null}"#, r#""type":"candidate","candidate":null"#),
            (
                r#"{"type":"candidate","candidate":{ "a" : 1.0e0 }}"#,
                r#""type":"candidate","candidate":{ "a" : 1.0e0 }"#,
            ),
            (r#"{"type":"bye"}"#, r#""type":"bye""#),
            (r#"{"type":"bye","reason":"late"}"#, r#""type":"bye","reason":"late""#),
            (r#"{"type":"data","data":null}"#, r#""type":"data","data":null"#),
        ] {
            assert_eq!(relayed(given).unwrap(), kept);
        }
    }

    #[test]
    fn a_message_that_is_not_one_is_refused_with_what_is_wrong() {
        for (given, detail) in [
            (r#"{"type":"offer"}"#, "needs `sdp`"),
            (r#"{"type":"offer","sdp":null}"#, "`sdp` must be a string"),
            (r#"{"type":"offer","sdp":7}"#, "`sdp` must be a string"),
            (r#"{"type":"offer","sdp":"","data":1}"#, "`data` does not belong"),
            (r#"{"type":"candidate"}"#, "needs `candidate`"),
            (r#"{"type":"candidate","candidate":"x"}"#, "object or null"),
            (r#"{"type":"data"}"#, "needs `data`"),
            (r#"{"type":"bye","reason":1}"#, "`reason` must be a string"),
            (r#"{"type":"video-offer","sdp":""}"#, "`type` must be"),
            (r#"{"type":"offer","sdp":"","target":"x"}"#, "unknown field `target`"),
            (r#"{"type":"offer","sdp":"","sdp":""}"#, "duplicate field"),
            (r#"{"sdp":""}"#, "missing field `type`"),
            (r#"{"type":"bye","to":"x"}"#, "the path says"),
            (r#"["bye",null,null,null,null,null]"#, "must be a JSON object"),
            (r#"{"type":"offer","#, "EOF"),
        ] {
            let problem = serde_json::to_string(&relayed(given).unwrap_err().body()).unwrap();
            assert!(problem.contains(detail), "{given}: {problem}");
        }
    }
}

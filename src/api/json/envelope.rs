//! The envelope of a message: its type and recipient are parsed, its content is relayed byte for byte.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::{
    api::{Problem, json::body, params::parse_peer},
    domain::{Payload, Target},
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
    /// The sent text from `"type"` to the end of the relayed value, if known.
    #[serde(skip)]
    pub span: Option<&'a str>,
}

/// The raw value of a field that is present, even if null.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'de str>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(|raw| Some(raw.get()))
}

impl<'a> Envelope<'a> {
    /// The relayed field of this name.
    pub fn relayed(&mut self, name: &str) -> Option<&mut Option<&'a str>> {
        Some(match name {
            "sdp" => &mut self.sdp,
            "candidate" => &mut self.candidate,
            "data" => &mut self.data,
            "reason" => &mut self.reason,
            _ => return None,
        })
    }

    /// Checks that any JSON reader can parse what is relayed.
    pub fn check_readable(&self, depth_max: usize) -> Result<(), Problem> {
        let relayed = [self.sdp, self.candidate, self.data, self.reason].into_iter().flatten();
        relayed.into_iter().try_for_each(|json| body::check_value(json, depth_max))
    }

    pub fn target(&self) -> Result<Target, String> {
        let to = self.to.as_deref().map(|text| parse_peer(text).ok_or("`to` must be a peer's id.".to_owned()));
        Ok(Target { to: to.transpose()?, payload: self.payload()? })
    }

    /// The message as its recipients get it, without the braces.
    pub fn payload(&self) -> Result<Payload, String> {
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
            return Err(format!("A message of type `{kind}` must not have `{stray}`."));
        }
        let Some(raw) = value else {
            let optional = kind == "bye";
            let missing = || format!("A message of type `{kind}` needs `{name}`.");
            return optional.then(|| Payload::new("\"type\":\"bye\"")).ok_or_else(missing);
        };
        check_shape(name, raw)?;
        let parts = ["\"type\":\"", kind, "\",\"", name, "\":", raw];
        // If the sent span is no longer than the parts, it has nothing else, and it need not be copied together.
        let length = parts.iter().map(|part| part.len()).sum::<usize>();
        let span = self.span.filter(|span| span.len() == length);
        Ok(span.map_or_else(|| Payload::new(parts.concat()), Payload::new))
    }
}

fn check_shape(name: &str, raw: &str) -> Result<(), String> {
    let (fits, expected) = match name {
        "sdp" | "reason" => (raw.starts_with('"'), "a string"),
        "candidate" => (raw.starts_with('{') || raw == "null", "an object or null"),
        _ => (true, "any value"),
    };
    if fits { Ok(()) } else { Err(format!("`{name}` must be {expected}.")) }
}

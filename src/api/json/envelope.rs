//! The envelope of a message: what is said of it, and what is inside, which is relayed as it stands.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::{
    api::{json::body, params::parse_peer, problem::Problem},
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
    /// What was sent from `"type"` to the end of what is relayed, where that is known.
    #[serde(skip)]
    pub stretch: Option<&'a str>,
}

/// A field that is there, be it null, as it stands.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'de str>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(|raw| Some(raw.get()))
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
    pub fn check_readable(&self, depth_max: usize) -> Result<(), Problem> {
        let relayed = [self.sdp, self.candidate, self.data, self.reason].into_iter().flatten();
        relayed.into_iter().try_for_each(|json| body::check_value(json, depth_max))
    }

    pub fn target(&self) -> Result<Target, String> {
        let to = self.to.as_deref().map(|text| parse_peer(text).ok_or("`to` is not a peer's id.".to_owned()));
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

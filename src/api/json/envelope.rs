//! The envelope of a message: its type and recipient are parsed, its content is relayed byte for byte.

use std::{borrow::Cow, fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, Visitor},
};
use serde_json::value::RawValue;
use smallvec::SmallVec;

use crate::{
    api::{Problem, json::body, params::parse_peer},
    domain::{Payload, Target},
};

/// Members besides type and recipient: the content, and what apps put beside it. Each is compared with all others.
const MEMBERS_MAX: usize = 16;
/// Members that the server sets, in capitals. Some readers ignore case, and to them U+017F is an S.
const RESERVED: [&str; 4] = ["SEQ", "FROM", "TYPE", "TO"];

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Envelope<'a> {
    pub kind: Cow<'a, str>,
    pub to: Option<Cow<'a, str>>,
    /// What is relayed besides the type, in the order sent: the content, and whatever else the app has put there. The values are
    /// raw JSON.
    pub members: SmallVec<[(Cow<'a, str>, &'a str); 1]>,
    /// The sent text from `"type"` to the end of the last member, if `"type"` is the first.
    pub span: Option<&'a str>,
}

impl<'a> Envelope<'a> {
    /// Fails if there is a member of this name already, or one more would be too many.
    pub fn add(&mut self, name: Cow<'a, str>, raw: &'a str) -> Result<(), String> {
        if self.members.len() == MEMBERS_MAX {
            return Err(format!("a message may have at most {MEMBERS_MAX} members besides `type` and `to`"));
        }
        if self.members.iter().any(|(other, _)| *other == name) {
            return Err(duplicate(&name));
        }
        self.members.push((name, raw));
        Ok(())
    }

    /// Checks that any JSON reader can parse what is relayed.
    pub fn check_readable(&self, depth_max: usize) -> Result<(), Problem> {
        self.members.iter().try_for_each(|(_, json)| body::check_value(json, depth_max))
    }

    pub fn target(&self) -> Result<Target, String> {
        let to = self.to.as_deref().map(|text| parse_peer(text).ok_or("`to` must be a peer's id.".to_owned()));
        Ok(Target { to: to.transpose()?, payload: self.payload()? })
    }

    /// The message as its recipients get it, without the braces.
    pub fn payload(&self) -> Result<Payload, String> {
        let kind = self.kind.as_ref();
        let name = match kind {
            "offer" | "answer" => "sdp",
            "candidate" => "candidate",
            "bye" => "reason",
            "data" => "data",
            _ => return Err("`type` must be offer, answer, candidate, bye or data.".into()),
        };
        let is_reserved = |member: &str| member != name && RESERVED.contains(&member.to_uppercase().as_str());
        if let Some((reserved, _)) = self.members.iter().find(|(member, _)| is_reserved(member)) {
            return Err(format!("`{reserved}` may be taken for a member that the server sets."));
        }
        match self.members.iter().find(|(member, _)| member == name) {
            Some((_, raw)) => check_shape(name, raw)?,
            None if kind == "bye" => {}
            None => return Err(format!("A message of type `{kind}` needs `{name}`.")),
        }
        // A span of this length has neither blanks nor a recipient, and need not be put together again.
        if let Some(span) = self.span.filter(|span| span.len() == self.plain_len()) {
            return Ok(Payload::new(span));
        }
        let mut written = String::with_capacity(self.plain_len());
        written.extend(["\"type\":\"", kind, "\""]);
        for (name, raw) in &self.members {
            written.extend([",", &serde_json::to_string(name).map_err(|error| error.to_string())?, ":", raw]);
        }
        Ok(Payload::new(written))
    }

    /// The length of the payload if no name has escapes.
    fn plain_len(&self) -> usize {
        let members = self.members.iter().map(|(name, raw)| name.len() + raw.len() + r#","":"#.len());
        r#""type":"""#.len() + self.kind.len() + members.sum::<usize>()
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Envelope<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members<'a>(PhantomData<&'a ()>);
        impl<'de: 'a, 'a> Visitor<'de> for Members<'a> {
            type Value = Envelope<'a>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a message")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Envelope<'a>, A::Error> {
                let (mut envelope, mut kind, mut has_to) = (Envelope::default(), None, false);
                while let Some(name) = map.next_key::<Cow<'de, str>>()? {
                    let is_new = match name.as_ref() {
                        "type" => kind.replace(map.next_value::<Cow<'de, str>>()?).is_none(),
                        "to" => {
                            envelope.to = map.next_value::<Option<Cow<'de, str>>>()?;
                            !std::mem::replace(&mut has_to, true)
                        }
                        _ => {
                            let raw = map.next_value::<&'de RawValue>()?.get();
                            envelope.add(name, raw).map_err(A::Error::custom)?;
                            continue;
                        }
                    };
                    if !is_new {
                        return Err(A::Error::custom(duplicate(&name)));
                    }
                }
                envelope.kind = kind.ok_or_else(|| A::Error::missing_field("type"))?;
                Ok(envelope)
            }
        }
        deserializer.deserialize_map(Members(PhantomData))
    }
}

fn duplicate(name: &str) -> String {
    format!("duplicate field `{name}`")
}

fn check_shape(name: &str, raw: &str) -> Result<(), String> {
    let (fits, expected) = match name {
        "sdp" | "reason" => (raw.starts_with('"'), "a string"),
        "candidate" => (raw.starts_with('{') || raw == "null", "an object or null"),
        _ => (true, "any value"),
    };
    if fits { Ok(()) } else { Err(format!("`{name}` must be {expected}.")) }
}

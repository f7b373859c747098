//! Parses posted messages: the envelope is checked, and `sdp`, `candidate` and `data` are kept byte for byte, as recipients
//! will get them. Their schema is in `api/schema/signal.rs`.

use serde::Deserialize;

use crate::{
    api::{
        Problem,
        json::{body, envelope::Envelope, fast_parser},
    },
    domain::{Limits, PeerId, Target},
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelopes<'a> {
    #[serde(borrow)]
    messages: Vec<Envelope<'a>>,
}

/// The body of a `POST` to a mailbox.
pub fn parse_one(bytes: &[u8], to: PeerId, limits: &Limits) -> Result<Target, Problem> {
    let (text, depth_max) = (body::utf8(bytes)?, limits.json_depth.saturating_sub(1));
    let envelope = fast_parser::one(text, depth_max).map_or_else(|| message_by_serde(text, depth_max), Ok)?;
    if envelope.to.is_some() {
        return Err(Problem::invalid("`to` is for batches; here the path names the recipient."));
    }
    Ok(Target { to: Some(to), payload: envelope.payload().map_err(Problem::invalid)? })
}

pub fn message_by_serde(text: &str, depth_max: usize) -> Result<Envelope<'_>, Problem> {
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
    let (text, depth_max) = (body::utf8(bytes)?, limits.json_depth.saturating_sub(3));
    let messages = fast_parser::batch(text, depth_max).map_or_else(|| batch_by_serde(text, depth_max), Ok)?;
    let at_most = limits.batch_messages;
    if messages.is_empty() || messages.len() > at_most {
        return Err(Problem::invalid(format!(
            "`messages` has {} entries, but must have 1 to {at_most}.",
            messages.len()
        )));
    }
    let target = |(index, envelope): (usize, &Envelope<'_>)| {
        envelope.target().map_err(|detail| Problem::invalid(format!("messages[{index}]: {detail}")))
    };
    messages.iter().enumerate().map(target).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn relayed(json: &str) -> Result<String, Problem> {
        parse_one(json.as_bytes(), PeerId::from_bytes([1; 16]), &Limits::default())
            .map(|target| target.payload.as_str().to_owned())
    }

    #[test]
    fn content_is_kept_byte_for_byte() {
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
            // Whatever else an app has put there.
            (r#"{"type":"bye","x":1,"y":[ 2 ]}"#, r#""type":"bye","x":1,"y":[ 2 ]"#),
            (r#"{"x":1,     "type":"bye"}"#, r#""type":"bye","x":1"#),
            (r#"{"x":1,     "type":"offer","sdp":""}"#, r#""type":"offer","x":1,"sdp":"""#),
            (r#"{"type":"offer","e":"\u00e9","sdp":"","data":1}"#, r#""type":"offer","e":"\u00e9","sdp":"","data":1"#),
            (r#"{"type":"bye","\u0061\"":null}"#, r#""type":"bye","a\"":null"#),
        ] {
            assert_eq!(relayed(given).unwrap(), kept);
        }
    }

    /// Members are compared with each other, so their number must be bounded before that.
    #[test]
    fn a_message_has_a_bounded_number_of_members() {
        let with = |count: usize| {
            let members: String = (0..count).map(|number| format!(r#","x{number}":{number}"#)).collect();
            relayed(&format!(r#"{{"type":"data","data":1{members}}}"#))
        };
        assert!(with(15).is_ok());
        for count in [16, 5_000] {
            let problem = serde_json::to_string(&with(count).unwrap_err().body()).unwrap();
            assert!(problem.contains("at most 16 members"), "{problem}");
        }
    }

    #[test]
    fn an_invalid_message_is_refused_with_the_reason() {
        for (given, detail) in [
            (r#"{"type":"offer"}"#, "needs `sdp`"),
            (r#"{"type":"offer","sdp":null}"#, "`sdp` must be a string"),
            (r#"{"type":"offer","sdp":7}"#, "`sdp` must be a string"),
            (r#"{"type":"candidate"}"#, "needs `candidate`"),
            (r#"{"type":"candidate","candidate":"x"}"#, "object or null"),
            (r#"{"type":"data"}"#, "needs `data`"),
            (r#"{"type":"bye","reason":1}"#, "`reason` must be a string"),
            (r#"{"type":"video-offer","sdp":""}"#, "`type` must be"),
            (r#"{"type":"offer","sdp":"","from":"x"}"#, "`from` may be taken"),
            (r#"{"type":"offer","sdp":"","s\u0065q":1}"#, "`seq` may be taken"),
            (r#"{"type":"offer","sdp":"","From":"x"}"#, "`From` may be taken"),
            (r#"{"type":"offer","sdp":"","ſeq":1}"#, "`ſeq` may be taken"),
            (r#"{"type":"bye","Type":"room-closed"}"#, "`Type` may be taken"),
            (r#"{"type":"bye","tO":"x"}"#, "`tO` may be taken"),
            (r#"{"type":"offer","sdp":"","sdp":""}"#, "duplicate field `sdp`"),
            (r#"{"type":"bye","x":1,"\u0078":1}"#, "duplicate field `x`"),
            (r#"{"type":"bye","to":null,"to":null}"#, "duplicate field `to`"),
            (r#"{"type":"bye","x":"\ud83d"}"#, "hex escape"),
            (r#"{"type":"bye","\ud83d":1}"#, "hex escape"),
            (r#"{"sdp":""}"#, "missing field `type`"),
            (r#"{"type":"bye","to":"x"}"#, "the path names"),
            (r#"["bye",null,null,null,null,null]"#, "must be a JSON object"),
            (r#"{"type":"offer","#, "EOF"),
        ] {
            let problem = serde_json::to_string(&relayed(given).unwrap_err().body()).unwrap();
            assert!(problem.contains(detail), "{given}: {problem}");
        }
    }
}

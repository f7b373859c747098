//! What the user that we are may do in Redis. A user that lacks something could not keep rooms, but would pass for well until
//! somebody joins: so it is asked for everything, with a key of each kind, at the start and at each look.

use std::collections::BTreeSet;

use redis::{Cmd, RedisError, Value};

use crate::engine::redis::{
    decode::text_of,
    keys::{Bucket, Keys},
    scripts::{Digests, Script},
};

/// The call whose answer [`Rights`] reads. It names no key, so that it is refused for none.
pub fn question(digests: &Digests, keys: &Keys, bucket: Bucket, node: &str) -> Cmd {
    let key = keys.deadlines(bucket);
    let mut cmd = redis::cmd("EVALSHA");
    cmd.arg(digests.of(Script::Rights)).arg(0).arg(&key[..key.len() - 1]).arg(node);
    cmd
}

/// What is missing.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Rights {
    /// As an ACL rule gives them.
    rules: BTreeSet<String>,
    /// Commands that the server does not know, or not by their names.
    unknown: BTreeSet<String>,
}

impl Rights {
    pub fn missing(answer: &Value, prefix: &str) -> Self {
        let Value::Array(answer) = answer else { return Self::default() };
        let texts: Vec<String> = answer.iter().filter_map(text_of).collect();
        let (tried, _) = texts.as_chunks::<3>();
        let mut missing = Self::default();
        for [kind, command, word] in tried {
            match word.as_str() {
                "allowed" => {}
                "unknown" => drop(missing.unknown.insert(command.clone())),
                // Its answer is this one.
                _ if command == "EVALSHA" => missing.lack("", Some(kind), prefix),
                // One of both, and Redis does not say which.
                word if word.contains("not allowed from script") => missing.lack(command, Some(kind), prefix),
                word if word.contains("key") || word.contains("channel") => missing.lack("", Some(kind), prefix),
                // Of a kind that no command was allowed for, nobody knows.
                _ => {
                    let untold = !tried.iter().any(|[other, _, word]| other == kind && word == "allowed");
                    missing.lack(command, Some(kind).filter(|_| untold), prefix);
                }
            }
        }
        missing
    }

    fn lack(&mut self, command: &str, kind: Option<&String>, prefix: &str) {
        match command {
            "" => {}
            "SCRIPT" => drop(self.rules.insert("+script|load".into())),
            command => drop(self.rules.insert(format!("+{}", command.to_lowercase()))),
        }
        match kind.map(String::as_str) {
            None | Some("") => {}
            Some("w") => drop(self.rules.insert(format!("&{prefix}:*"))),
            Some(_) => drop(self.rules.insert(format!("~{prefix}:*"))),
        }
    }

    pub fn is_complete(&self) -> bool {
        self.rules.is_empty() && self.unknown.is_empty()
    }

    /// What is wrong, and what to do about it.
    pub fn explain(&self, user: &str) -> String {
        let list = |names: &BTreeSet<String>| names.iter().map(String::as_str).collect::<Vec<_>>().join(" ");
        if self.rules.is_empty() {
            return format!("it does not know {}, which may have been renamed (rename-command)", list(&self.unknown));
        }
        advise(user, &list(&self.rules))
    }
}

fn advise(user: &str, rules: &str) -> String {
    format!(
        "the user {user} may not do all that it must; give it the rest with ACL SETUSER {user} {rules} (docs/redis.md has all of it)"
    )
}

/// What a refusal of one command means, if it is for want of rights.
pub fn explain(error: &RedisError, user: &str, prefix: &str) -> Option<String> {
    if error.code() != Some("NOPERM") {
        return None;
    }
    let detail = error.detail().unwrap_or_default();
    let rule = match detail.split('\'').nth(1) {
        Some(command) => format!("+{command}"),
        None if detail.contains("channel") => format!("&{prefix}:*"),
        None => format!("~{prefix}:*"),
    };
    Some(advise(user, &rule))
}

/// Whether a script met something that its caller may not do. Then it may have done half of its work.
pub fn is_forbidden(error: &RedisError) -> bool {
    error.code() == Some("NOPERM")
        || error.detail().is_some_and(|detail| detail.contains("The user executing the script can't"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn missing(answer: &[[&str; 3]]) -> String {
        let answer = answer.concat().iter().map(|text| Value::BulkString(text.as_bytes().into())).collect();
        let missing = Rights::missing(&Value::Array(answer), "sp1");
        if missing.is_complete() { String::new() } else { missing.explain("ann") }
    }

    #[test]
    fn the_rule_that_is_missing_is_named() {
        let (command, key, channel) = (
            "ERR The user executing the script can't run this command or subcommand",
            "ERR The user executing the script can't access at least one of the keys mentioned in the command arguments",
            "ERR The user executing the script can't publish to the channel mentioned in the command",
        );
        let script = "ERR This Redis command is not allowed from script";
        assert_eq!(missing(&[["", "TIME", "allowed"], ["d", "ZADD", "allowed"]]), "");
        for (answer, rules) in [
            (vec![["r", "HSET", key], ["r", "HGET", key], ["d", "ZADD", "allowed"]], "~sp1:*"),
            (vec![["r", "HSET", command], ["r", "HGET", "allowed"]], "+hset"),
            (vec![["", "TIME", command]], "+time"),
            (vec![["r", "HSET", command], ["r", "HGET", command]], "+hget +hset ~sp1:*"),
            (vec![["w", "SPUBLISH", channel], ["w", "SSUBSCRIBE", "allowed"]], "&sp1:*"),
            (vec![["w", "SSUBSCRIBE", script], ["", "SCRIPT", script]], "&sp1:* +script|load +ssubscribe"),
        ] {
            assert!(missing(&answer).contains(&format!("ACL SETUSER ann {rules} (")), "{}", missing(&answer));
        }
        assert!(missing(&[["r", "HSET", "unknown"]]).contains("does not know HSET"));
    }
}

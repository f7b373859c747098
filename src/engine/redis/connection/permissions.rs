//! What our user may do in Redis. A user that lacks a permission would seem fine until somebody joins, so every command is tried on
//! every kind of key when connecting and at each health check.

use std::collections::BTreeSet;

use redis::{Cmd, RedisError};

use crate::engine::redis::{
    keys::{Bucket, Keys},
    scripts::Script,
};

/// The call whose result [`MissingPermissions`] reads. It declares no key, so that none can make Redis refuse it.
pub fn query(keys: &Keys, bucket: Bucket, node: &str) -> Cmd {
    let key = keys.deadlines(bucket);
    let mut cmd = redis::cmd("EVALSHA");
    cmd.arg(Script::Permissions.digest()).arg(0).arg(&key[..key.len() - 1]).arg(node);
    cmd
}

#[derive(Debug, Default, PartialEq, Eq)]
pub struct MissingPermissions {
    /// In the form of ACL rules.
    rules: BTreeSet<String>,
    /// Commands that the server does not know, perhaps because they were renamed.
    unknown: BTreeSet<String>,
}

impl MissingPermissions {
    pub fn of(tried: &[String], prefix: &str) -> Self {
        let (tried, _) = tried.as_chunks::<3>();
        let mut missing = Self::default();
        for [kind, command, result] in tried {
            match result.as_str() {
                "allowed" => {}
                "unknown" => drop(missing.unknown.insert(command.clone())),
                // This very call shows that the command is allowed.
                _ if command == "EVALSHA" => missing.add("", Some(kind), prefix),
                // The command or the channel; Redis does not say which.
                text if text.contains("not allowed from script") => missing.add(command, Some(kind), prefix),
                text if text.contains("key") || text.contains("channel") => missing.add("", Some(kind), prefix),
                // If no command was allowed on this kind of key, the key may be forbidden as well.
                _ => {
                    let is_unclear = !tried.iter().any(|[other, _, result]| other == kind && result == "allowed");
                    missing.add(command, Some(kind).filter(|_| is_unclear), prefix);
                }
            }
        }
        missing
    }

    fn add(&mut self, command: &str, kind: Option<&String>, prefix: &str) {
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

    pub fn is_empty(&self) -> bool {
        self.rules.is_empty() && self.unknown.is_empty()
    }

    pub fn explain(&self, user: &str) -> String {
        let list = |names: &BTreeSet<String>| names.iter().map(String::as_str).collect::<Vec<_>>().join(" ");
        if self.rules.is_empty() {
            return format!("it does not know {}, which may have been renamed (rename-command)", list(&self.unknown));
        }
        advise(user, &list(&self.rules))
    }
}

fn advise(user: &str, rules: &str) -> String {
    format!("the user {user} lacks permissions: ACL SETUSER {user} {rules} (docs/redis.md lists all that are needed)")
}

/// Advice on a command that was refused for lack of a permission.
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

/// Whether a command of a script was refused for lack of a permission. The script may have written something before.
pub fn is_forbidden(error: &RedisError) -> bool {
    error.code() == Some("NOPERM")
        || error.detail().is_some_and(|detail| detail.contains("The user executing the script can't"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn missing(answer: &[[&str; 3]]) -> String {
        let tried: Vec<String> = answer.concat().iter().map(|text| text.to_string()).collect();
        let missing = MissingPermissions::of(&tried, "sp2");
        if missing.is_empty() { String::new() } else { missing.explain("ann") }
    }

    #[test]
    fn the_missing_rule_is_named() {
        let (command, key, channel) = (
            "ERR The user executing the script can't run this command or subcommand",
            "ERR The user executing the script can't access at least one of the keys mentioned in the command arguments",
            "ERR The user executing the script can't publish to the channel mentioned in the command",
        );
        let script = "ERR This Redis command is not allowed from script";
        assert_eq!(missing(&[["", "TIME", "allowed"], ["d", "ZADD", "allowed"]]), "");
        for (answer, rules) in [
            (vec![["r", "HSET", key], ["r", "HGET", key], ["d", "ZADD", "allowed"]], "~sp2:*"),
            (vec![["r", "HSET", command], ["r", "HGET", "allowed"]], "+hset"),
            (vec![["", "TIME", command]], "+time"),
            (vec![["r", "HSET", command], ["r", "HGET", command]], "+hget +hset ~sp2:*"),
            (vec![["w", "SPUBLISH", channel], ["w", "SSUBSCRIBE", "allowed"]], "&sp2:*"),
            (vec![["w", "SSUBSCRIBE", script], ["", "SCRIPT", script]], "&sp2:* +script|load +ssubscribe"),
        ] {
            assert!(missing(&answer).contains(&format!("ACL SETUSER ann {rules} (")), "{}", missing(&answer));
        }
        assert!(missing(&[["r", "HSET", "unknown"]]).contains("does not know HSET"));
    }
}

//! Options from environment variables.
//!
//! clap's own support would reject the empty variables that compose files and unit files leave behind, knows only two
//! spellings of a boolean, and lets `false` conflict with whatever `true` conflicts with. So it is switched off, and
//! variables become arguments here, unless the command line has the option.

use std::{
    ffi::{OsStr, OsString},
    mem,
};

use clap::{
    Arg, CommandFactory, FromArgMatches,
    builder::ValueParser,
    error::{ContextKind, ContextValue, ErrorKind},
};

use crate::config::{
    options::{Cli, Command},
    values::boolean,
};

/// The command line, completed from variables.
#[derive(Debug)]
pub struct ParsedArgs {
    pub cli: Cli,
    variables: Vec<Variable>,
}

/// A variable that sets an option.
#[derive(Debug)]
struct Variable {
    /// Such as `SIGNALPOST_LISTEN`.
    name: String,
    /// Such as `--listen`.
    option: String,
    argument: OsString,
}

/// Parses the command line, and the variables that `lookup` returns.
///
/// # Errors
///
/// An option is invalid, or help was requested. The error is for the user.
pub fn parse(line: &[OsString], lookup: impl Fn(&OsStr) -> Option<OsString>) -> Result<ParsedArgs, clap::Error> {
    let line = &normalize_lists(line)[..];
    let command =
        line.get(1).and_then(|word| word.to_str()).filter(|word| Cli::command().find_subcommand(word).is_some());
    // clap adds `help` later, and takes all that follows for names of commands.
    let asks_for_help = line.get(1).is_some_and(|word| word == "help");
    let serves = !asks_for_help && command.is_none_or(|command| command == "serve");
    let variables = if serves { read_variables(line, &lookup)? } else { Vec::new() };
    let mut cli = parse_with(line, &variables)?;
    if matches!(cli.command, Some(Command::Healthcheck { url: None })) {
        // The server it checks was started without arguments.
        let line = ["signalpost".into()];
        cli.config = parse_with(&line, &read_variables(&line, &lookup)?)?.config;
    }
    Ok(ParsedArgs { cli, variables })
}

impl ParsedArgs {
    /// Adds to the options in the text the variables that set them.
    pub fn name_variables(&self, text: &str) -> String {
        let ends = |rest: &str| !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '-');
        self.variables.iter().fold(text.to_owned(), |text, Variable { option, name, .. }| {
            match text.split_once(option.as_str()) {
                Some((before, after)) if ends(after) => format!("{before}{option} ({name}){after}"),
                _ => text,
            }
        })
    }
}

/// The command line with its lists as [`normalize`] writes them. What is empty stays, and is refused.
fn normalize_lists(line: &[OsString]) -> Vec<OsString> {
    let command = Cli::command();
    let is_list = |option: &str| {
        let mut lists = command.get_arguments().filter(|argument| argument.get_value_delimiter().is_some());
        lists.any(|argument| argument.get_long() == option.strip_prefix("--"))
    };
    let mut is_value = false;
    let normalized = line.iter().map(|word| {
        let text = word.to_str().unwrap_or_default();
        match (mem::replace(&mut is_value, is_list(text)), text.split_once('=')) {
            (true, _) if !text.is_empty() => without_blanks(text).into(),
            (false, Some((option, list))) if is_list(option) => format!("{option}={}", without_blanks(list)).into(),
            _ => word.clone(),
        }
    });
    normalized.collect()
}

/// A list without surrounding blanks and empty entries.
fn without_blanks(list: &str) -> String {
    list.split(',').map(str::trim).filter(|entry| !entry.is_empty()).collect::<Vec<_>>().join(",")
}

fn parse_with(line: &[OsString], variables: &[Variable]) -> Result<Cli, clap::Error> {
    let arguments = line.iter().chain(variables.iter().map(|variable| &variable.argument));
    let without_env = |argument: Arg| argument.env(None);
    let command = Cli::command().mut_args(without_env).mut_subcommands(|command| command.mut_args(without_env));
    let parsed = command.try_get_matches_from(arguments).and_then(|matches| Cli::from_arg_matches(&matches));
    parsed.map_err(|error| match error.kind() {
        // The help names the variables.
        ErrorKind::DisplayHelp => Cli::command().try_get_matches_from(line).err().unwrap_or(error),
        _ => blame_variable(error, variables),
    })
}

/// Replaces options in the error by the variables that set them.
fn blame_variable(mut error: clap::Error, variables: &[Variable]) -> clap::Error {
    let option = |text: &str| text.split([' ', '=']).next().unwrap_or_default().to_owned();
    match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(text)) => {
            let option = option(text);
            if let Some(variable) = variables.iter().find(|variable| variable.option == option) {
                error.insert(ContextKind::InvalidArg, ContextValue::String(variable.name.clone()));
            }
        }
        // A required option is missing; clap does not say which option requires it.
        Some(_) if !variables.is_empty() => {
            let names: Vec<&str> = variables.iter().map(|variable| variable.name.as_str()).collect();
            let tip = format!("these environment variables are set: {}", names.join(", "));
            error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
        }
        _ => {}
    }
    error
}

/// The variables that are not empty, except for options on the command line.
fn read_variables(
    line: &[OsString],
    lookup: &impl Fn(&OsStr) -> Option<OsString>,
) -> Result<Vec<Variable>, clap::Error> {
    let options: Vec<&str> = line.iter().filter_map(|word| word.to_str()?.split('=').next()).collect();
    let mut variables = Vec::new();
    for argument in Cli::command().get_arguments() {
        let (Some(long), Some(env)) = (argument.get_long(), argument.get_env()) else { continue };
        let (option, name) = (format!("--{long}"), env.to_string_lossy().into_owned());
        let Some(value) = lookup(env).filter(|_| !options.contains(&option.as_str())) else { continue };
        let invalid = |why| {
            let value = value.to_string_lossy();
            Cli::command().error(ErrorKind::InvalidValue, format!("invalid value '{value}' for '{name}': {why}"))
        };
        let Some(value) = normalize(argument, &value).map_err(invalid)? else { continue };
        let mut written = OsString::from(format!("{option}="));
        written.push(value);
        variables.push(Variable { name, option, argument: written });
    }
    Ok(variables)
}

/// The value without surrounding blanks and empty entries of lists; nothing if it is empty or the boolean `false`.
fn normalize(argument: &Arg, value: &OsStr) -> Result<Option<OsString>, String> {
    // A path need not be Unicode.
    let Some(text) = value.to_str() else { return Ok(Some(value.to_owned())) };
    let text = match argument.get_value_delimiter() {
        Some(_) => without_blanks(text),
        None => text.trim().to_owned(),
    };
    let is_boolean = argument.get_value_parser().type_id() == ValueParser::bool().type_id();
    let is_set = !text.is_empty() && (!is_boolean || boolean(&text)?);
    Ok(is_set.then(|| text.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    type Beside = Option<(&'static str, &'static str)>;
    type Variables<'a> = &'a [(&'a str, &'a str)];

    fn read_with(line: &[&str], variables: Variables<'_>) -> Result<ParsedArgs, String> {
        let line: Vec<OsString> = std::iter::once(&"signalpost").chain(line).map(OsString::from).collect();
        let lookup = |asked: &OsStr| variables.iter().rfind(|(name, _)| *name == asked).map(|(_, value)| value.into());
        parse(&line, lookup).map_err(|error| error.to_string())
    }

    fn config(line: &[&str], variables: Variables<'_>) -> String {
        format!("{:?}", read_with(line, variables).unwrap().cli.config)
    }

    /// Each option, its variable, a value other than the default, and the variable that this value requires.
    fn samples() -> Vec<(String, String, &'static str, Beside)> {
        let sample = |id: &str| match id {
            "tls_cert" => ("cert.pem", Some(("SIGNALPOST_TLS_KEY", "key.pem"))),
            "tls_key" => ("key.pem", Some(("SIGNALPOST_TLS_CERT", "cert.pem"))),
            "turn_url" => ("turn:a.example,turns:b.example", Some(("SIGNALPOST_TURN_SECRET", "secret"))),
            "turn_secret" => ("secret", Some(("SIGNALPOST_TURN_URL", "turn:a.example"))),
            "listen" | "stun_listen" | "metrics_listen" | "turn_listen" => ("127.0.0.1:9", None),
            "turn_relay" => ("closed", None),
            "turn_external_ip" => ("203.0.113.7,2001:db8::7", None),
            "turn_ports" => ("50000-50010", None),
            "turn_allow_peer" => ("10.0.0.0/8,192.0.2.1", None),
            "turn_bps" | "turn_allocation_bps" => ("5000", None),
            "public_host" => ("one.example:443", None),
            "engine" => ("redis://a.example", None),
            "token_key" | "ticket_key" => ("a key of 16 and more", None),
            "ticket_audience" => ("calls,rooms", Some(("SIGNALPOST_TICKET_KEY", "a key of 16 and more"))),
            "tls_self_signed" | "metrics_public" => ("true", None),
            "trusted_proxy" => ("10.0.0.0/8,192.0.2.1", None),
            "cors_origin" => ("https://a.example,https://b.example", None),
            "stun_url" => ("stun:a.example,stun:b.example", None),
            "memory_bytes" => ("67108864", None),
            "log" => ("debug", None),
            "log_format" => ("json", None),
            "web_dir" => (concat!(env!("CARGO_MANIFEST_DIR"), "/web"), None),
            "base_path" => ("/signal", None),
            "redis_sentinel_user" => ("ann", Some(("SIGNALPOST_REDIS_SENTINEL_PASSWORD", "secret"))),
            "redis_tls_cert" => ("cert.pem", Some(("SIGNALPOST_REDIS_TLS_KEY", "key.pem"))),
            "redis_tls_key" => ("key.pem", Some(("SIGNALPOST_REDIS_TLS_CERT", "cert.pem"))),
            "lease_ms" | "keep_alive_ms" => ("700", None),
            _ => ("7", None),
        };
        let command = Cli::command();
        let options = command.get_arguments().filter_map(|argument| {
            let (value, beside) = sample(argument.get_id().as_str());
            Some((format!("--{}", argument.get_long()?), argument.get_env()?.to_str()?.to_owned(), value, beside))
        });
        options.collect()
    }

    /// `--turn-relay` stood alone above all headings of `--help`.
    #[test]
    fn every_option_has_a_heading() {
        let command = Cli::command();
        let bare = command.get_arguments().filter(|argument| argument.get_help_heading().is_none());
        assert_eq!(bare.map(Arg::get_id).collect::<Vec<_>>(), Vec::<&str>::new());
    }

    #[test]
    fn an_empty_variable_is_ignored() {
        let none = config(&[], &[]);
        for (_, name, ..) in samples() {
            for empty in ["", " ", "\t\n"] {
                assert_eq!(config(&[], &[(&name, empty)]), none, "{name}={empty:?}");
            }
        }
        for list in ["SIGNALPOST_CORS_ORIGIN", "SIGNALPOST_TRUSTED_PROXY", "SIGNALPOST_STUN_URL", "SIGNALPOST_TURN_URL"]
        {
            assert_eq!(config(&[], &[(list, " , ,")]), none, "{list}");
        }
    }

    #[test]
    fn a_variable_sets_its_option_with_or_without_blanks() {
        for (option, name, value, beside) in samples() {
            let with = |value: &str| config(&[], &[beside.unwrap_or_default(), (&name, value)]);
            let typed = config(&[&format!("{option}={value}")], &[beside.unwrap_or_default()]);
            assert_ne!(typed, config(&[], &[]), "{option}");
            assert_eq!(with(value), typed, "{name}");
            assert_eq!(with(&format!(" {value}\n")), typed, "{name}");
            if value.contains(',') {
                assert_eq!(with(&format!(",{},,", value.replace(',', " , "))), typed, "{name}");
            }
        }
    }

    /// Only variables could: with `--ticket-audience 'calls, rooms'`, tickets for `rooms` were refused.
    #[test]
    fn lists_on_the_command_line_may_have_blanks_and_empty_entries_too() {
        for (option, _, value, beside) in samples().into_iter().filter(|(_, _, value, _)| value.contains(',')) {
            let beside = beside.unwrap_or_default();
            let (plain, loose) = (format!("{option}={value}"), format!(" {} ,,", value.replace(',', " , ")));
            for line in [&[format!("{option}={loose}").as_str()][..], &[option.as_str(), loose.as_str()]] {
                assert_eq!(config(line, &[beside]), config(&[&plain], &[beside]), "{line:?}");
            }
            for empty in ["", " ", " , "] {
                assert!(read_with(&[&option, empty], &[beside]).is_err(), "{option} {empty:?}");
            }
        }
    }

    #[test]
    fn the_command_line_overrides_even_an_invalid_variable() {
        for (option, name, value, beside) in samples() {
            let beside = beside.unwrap_or_default();
            let alone = config(&[&format!("{option}={value}")], &[beside]);
            for other in ["nonsense", "1", ""] {
                let both = config(&[&format!("{option}={value}")], &[beside, (&name, other)]);
                assert_eq!(both, alone, "{name}={other}");
            }
        }
        assert_eq!(config(&["--lease-ms", "700"], &[("SIGNALPOST_LEASE_MS", "x")]), config(&["--lease-ms=700"], &[]));
    }

    #[test]
    fn booleans_have_many_spellings_and_false_conflicts_with_nothing() {
        let on = config(&["--tls-self-signed"], &[]);
        for yes in ["1", "yes", "true", "on", "YES", "True", " On ", "y", "enabled"] {
            assert_eq!(config(&[], &[("SIGNALPOST_TLS_SELF_SIGNED", yes)]), on, "{yes}");
        }
        let files = [("SIGNALPOST_TLS_CERT", "cert.pem"), ("SIGNALPOST_TLS_KEY", "key.pem")];
        for no in ["0", "no", "false", "off", "NO", "False", " Off ", "n", "disabled", ""] {
            let variable = ("SIGNALPOST_TLS_SELF_SIGNED", no);
            assert_eq!(config(&[], &[files[0], files[1], variable]), config(&[], &files), "{no}");
        }
        assert_eq!(config(&["--tls-self-signed=true"], &[]), on);
        assert_eq!(
            config(&["--tls-self-signed=false", "--tls-cert=c", "--tls-key=k"], &[]),
            config(&["--tls-cert=c", "--tls-key=k"], &[])
        );
        assert_eq!(config(&["--tls-self-signed=no"], &[("SIGNALPOST_TLS_SELF_SIGNED", "yes")]), config(&[], &[]));
        let error = read_with(&[], &[("SIGNALPOST_TLS_SELF_SIGNED", "perhaps")]).unwrap_err();
        assert!(error.contains("SIGNALPOST_TLS_SELF_SIGNED") && error.contains("true or false"), "{error}");
    }

    #[test]
    fn an_error_names_the_variable() {
        for (option, name, ..) in samples() {
            for value in ["nonsense ://", "-1"] {
                let Err(error) = read_with(&[], &[(&name, value)]) else { continue };
                assert!(error.contains(&name), "{option}: {error}");
            }
        }
        for name in ["SIGNALPOST_LEASE_MS", "SIGNALPOST_LISTEN", "SIGNALPOST_CORS_ORIGIN", "SIGNALPOST_WORKERS"] {
            let error = read_with(&[], &[(name, "nonsense")]).unwrap_err();
            assert!(error.contains(&format!("for '{name}'")) && !error.contains("for '--"), "{error}");
        }
        // The option that it requires is missing.
        let error = read_with(&[], &[("SIGNALPOST_TURN_URL", "turn:a.example")]).unwrap_err();
        assert!(error.contains("--turn-secret") && error.contains("SIGNALPOST_TURN_URL"), "{error}");
        let given = read_with(&[], &[("SIGNALPOST_TOKEN_KEY", "short")]).unwrap();
        assert_eq!(given.name_variables("--token-key must have"), "--token-key (SIGNALPOST_TOKEN_KEY) must have");
        assert_eq!(given.name_variables("--token-keys"), "--token-keys");
    }

    #[test]
    fn subcommands_read_variables_like_the_server() {
        let variables =
            [("SIGNALPOST_LISTEN", " 0.0.0.0:9 "), ("SIGNALPOST_METRICS_LISTEN", ""), ("SIGNALPOST_WORKERS", "")];
        let served = read_with(&["serve"], &variables).unwrap().cli;
        let Some(Command::Serve(config)) = served.command else { panic!("{:?}", served.command) };
        assert_eq!((config.listen.to_string().as_str(), config.metrics_listen), ("0.0.0.0:9", None));
        let checked = read_with(&["healthcheck"], &variables).unwrap().cli;
        assert_eq!((checked.config.listen.to_string().as_str(), checked.config.metrics_listen), ("0.0.0.0:9", None));
        let wrong = [("SIGNALPOST_LISTEN", "nonsense")];
        assert!(read_with(&["openapi"], &wrong).is_ok() && read_with(&["healthcheck", "http://x/"], &wrong).is_ok());
        for line in [&["help"][..], &["help", "serve"], &["help", "healthcheck"]] {
            // In a container, where a variable is set, `help` was an error.
            let help = read_with(line, &variables).unwrap_err();
            assert!(help.contains("Usage: signalpost") && !help.starts_with("error"), "{help}");
        }
        let help = read_with(&["--help"], &wrong).unwrap_err();
        assert!(help.contains("SIGNALPOST_LISTEN") && help.contains("SIGNALPOST_WORKERS"), "{help}");
    }
}

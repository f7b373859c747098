//! Options from environment variables, in the spellings that people use.
//!
//! clap would read variables as they stand: an empty one, as compose files and unit files leave behind, would be a wrong value,
//! `1` no boolean, and `false` in conflict with what `true` is in conflict with. So they are made into arguments here, unless the
//! command line has the option itself, and clap's own reading is switched off.

use std::ffi::{OsStr, OsString};

use clap::{
    Arg, CommandFactory, FromArgMatches,
    builder::ValueParser,
    error::{ContextKind, ContextValue, ErrorKind},
};

use crate::config::{Cli, Command, Config, values::boolean};

/// The command line, and which options came from the environment instead.
#[derive(Debug)]
pub struct Given {
    pub cli: Cli,
    from: Vec<FromVariable>,
}

/// An option that a variable sets.
#[derive(Debug)]
struct FromVariable {
    /// As in `--listen`.
    option: String,
    /// As in `SIGNALPOST_LISTEN`.
    name: String,
    argument: OsString,
}

/// Reads the command line, and the variables as `lookup` gives them.
///
/// # Errors
///
/// An option is wrong, help was asked for, or the like; the error is for whoever typed it.
pub fn parse(line: &[OsString], lookup: impl Fn(&OsStr) -> Option<OsString>) -> Result<Given, clap::Error> {
    let command =
        line.get(1).and_then(|word| word.to_str()).filter(|word| Cli::command().find_subcommand(word).is_some());
    let serves = command.is_none_or(|command| command == "serve");
    let from = if serves { from_variables(line, &lookup)? } else { Vec::new() };
    let mut cli = read(line, &from)?;
    if matches!(cli.command, Some(Command::Healthcheck { url: None })) {
        cli.config = config_of(&lookup)?;
    }
    Ok(Given { cli, from })
}

/// The configuration of a server that is started without arguments.
fn config_of(lookup: &impl Fn(&OsStr) -> Option<OsString>) -> Result<Config, clap::Error> {
    let line = ["signalpost".into()];
    read(&line, &from_variables(&line, lookup)?).map(|cli| cli.config)
}

impl Given {
    /// The text with each option that came from a variable named as that.
    pub fn name_variables(&self, text: &str) -> String {
        let ends = |rest: &str| !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '-');
        self.from.iter().fold(text.to_owned(), |text, FromVariable { option, name, .. }| {
            match text.split_once(option.as_str()) {
                Some((before, after)) if ends(after) => format!("{before}{option} ({name}){after}"),
                _ => text,
            }
        })
    }
}

fn read(line: &[OsString], from: &[FromVariable]) -> Result<Cli, clap::Error> {
    let arguments = line.iter().chain(from.iter().map(|variable| &variable.argument));
    let without = |argument: Arg| argument.env(None);
    let command = Cli::command().mut_args(without).mut_subcommands(|command| command.mut_args(without));
    let read = command.try_get_matches_from(arguments).and_then(|matches| Cli::from_arg_matches(&matches));
    read.map_err(|error| match error.kind() {
        // The help names the variables.
        ErrorKind::DisplayHelp => Cli::command().try_get_matches_from(line).err().unwrap_or(error),
        _ => named(error, from),
    })
}

/// The error, about the variable where it would be about an option that nobody typed.
fn named(mut error: clap::Error, from: &[FromVariable]) -> clap::Error {
    let is = |text: &str, variable: &FromVariable| text.split([' ', '=']).next() == Some(variable.option.as_str());
    match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(text)) => {
            if let Some(variable) = from.iter().find(|variable| is(text, variable)) {
                let name = ContextValue::String(variable.name.clone());
                error.insert(ContextKind::InvalidArg, name);
            }
        }
        // Something that another option needs is missing; clap does not say which needs it.
        Some(_) if !from.is_empty() => {
            let names: Vec<&str> = from.iter().map(|variable| variable.name.as_str()).collect();
            let tip = format!("these environment variables are set: {}", names.join(", "));
            error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
        }
        _ => {}
    }
    error
}

/// The variables that say something, as arguments, but for options that the command line has.
fn from_variables(
    line: &[OsString],
    lookup: &impl Fn(&OsStr) -> Option<OsString>,
) -> Result<Vec<FromVariable>, clap::Error> {
    let is_typed = |option: &str| {
        let typed = |word: &OsString| word.to_str().and_then(|word| word.split('=').next()) == Some(option);
        line.iter().any(typed)
    };
    let mut from = Vec::new();
    for argument in Cli::command().get_arguments() {
        let (Some(long), Some(name)) = (argument.get_long(), argument.get_env()) else { continue };
        let option = format!("--{long}");
        let Some(value) = lookup(name).filter(|_| !is_typed(&option)) else { continue };
        let name = name.to_string_lossy().into_owned();
        let Some(value) = said(argument, &value).map_err(|why| wrong(&name, &value, &why))? else { continue };
        let mut written = OsString::from(format!("{option}="));
        written.push(value);
        from.push(FromVariable { option, name, argument: written });
    }
    Ok(from)
}

/// What a variable says, if it is not empty, without blanks around it and around the entries of a list, and without empty entries.
fn said(argument: &Arg, value: &OsStr) -> Result<Option<OsString>, String> {
    // What is no text can be the path of a file.
    let Some(text) = value.to_str() else { return Ok(Some(value.to_owned())) };
    let text = match argument.get_value_delimiter() {
        Some(comma) => text.split(comma).map(str::trim).filter(|entry| !entry.is_empty()).collect::<Vec<_>>().join(","),
        None => text.trim().to_owned(),
    };
    let is_boolean = argument.get_value_parser().type_id() == ValueParser::bool().type_id();
    let is_said = !text.is_empty() && (!is_boolean || boolean(&text)?);
    Ok(is_said.then(|| text.into()))
}

fn wrong(name: &str, value: &OsStr, why: &str) -> clap::Error {
    let value = value.to_string_lossy();
    Cli::command().error(ErrorKind::InvalidValue, format!("invalid value '{value}' for '{name}': {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    type Beside = Option<(&'static str, &'static str)>;
    type Variables<'a> = &'a [(&'a str, &'a str)];

    fn read_with(line: &[&str], variables: Variables<'_>) -> Result<Given, String> {
        let line: Vec<OsString> = std::iter::once(&"signalpost").chain(line).map(OsString::from).collect();
        let lookup = |asked: &OsStr| variables.iter().rfind(|(name, _)| *name == asked).map(|(_, value)| value.into());
        parse(&line, lookup).map_err(|error| error.to_string())
    }

    fn config(line: &[&str], variables: Variables<'_>) -> String {
        format!("{:?}", read_with(line, variables).unwrap().cli.config)
    }

    /// An option with a value that it takes and that is not its default, and the variable that the value needs beside it.
    fn samples() -> Vec<(String, String, &'static str, Beside)> {
        let sample = |id: &str| match id {
            "tls_cert" => ("cert.pem", Some(("SIGNALPOST_TLS_KEY", "key.pem"))),
            "tls_key" => ("key.pem", Some(("SIGNALPOST_TLS_CERT", "cert.pem"))),
            "turn_url" => ("turn:a.example,turns:b.example", Some(("SIGNALPOST_TURN_SECRET", "secret"))),
            "turn_secret" => ("secret", Some(("SIGNALPOST_TURN_URL", "turn:a.example"))),
            "listen" | "stun_listen" | "metrics_listen" => ("127.0.0.1:9", None),
            "engine" => ("redis://a.example", None),
            "token_key" | "ticket_key" => ("a key of 16 and more", None),
            "tls_self_signed" => ("true", None),
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
            _ => ("7", None),
        };
        let command = Cli::command();
        let options = command.get_arguments().filter_map(|argument| Some((argument, argument.get_env()?.to_str()?)));
        let named = options.map(|(argument, name)| {
            let wants_more = matches!(argument.get_id().as_str(), "lease_ms" | "keep_alive_ms");
            let (value, beside) = if wants_more { ("700", None) } else { sample(argument.get_id().as_str()) };
            (format!("--{}", argument.get_long().unwrap()), name.to_owned(), value, beside)
        });
        named.collect()
    }

    /// Compose files and unit files leave empty variables behind; each was a wrong value, and the server did not start.
    #[test]
    fn an_empty_variable_is_as_good_as_none() {
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
    fn a_variable_says_what_its_option_says_with_or_without_blanks() {
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

    #[test]
    fn the_command_line_overrides_the_variable_whatever_that_says() {
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

    /// `=1` and `=yes` were refused, and `false` could not be used with a certificate.
    #[test]
    fn booleans_are_spelt_as_people_do() {
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
    fn what_is_wrong_with_a_variable_is_said_of_the_variable() {
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
        // What it needs beside it is missing.
        let error = read_with(&[], &[("SIGNALPOST_TURN_URL", "turn:a.example")]).unwrap_err();
        assert!(error.contains("--turn-secret") && error.contains("SIGNALPOST_TURN_URL"), "{error}");
        let given = read_with(&[], &[("SIGNALPOST_TOKEN_KEY", "short")]).unwrap();
        assert_eq!(given.name_variables("--token-key must have"), "--token-key (SIGNALPOST_TOKEN_KEY) must have");
        assert_eq!(given.name_variables("--token-keys"), "--token-keys");
    }

    #[test]
    fn commands_read_variables_as_the_server_does() {
        let variables =
            [("SIGNALPOST_LISTEN", " 0.0.0.0:9 "), ("SIGNALPOST_METRICS_LISTEN", ""), ("SIGNALPOST_WORKERS", "")];
        let served = read_with(&["serve"], &variables).unwrap().cli;
        let Some(Command::Serve(config)) = served.command else { panic!("{:?}", served.command) };
        assert_eq!((config.listen.to_string().as_str(), config.metrics_listen), ("0.0.0.0:9", None));
        let checked = read_with(&["healthcheck"], &variables).unwrap().cli;
        assert_eq!((checked.config.listen.to_string().as_str(), checked.config.metrics_listen), ("0.0.0.0:9", None));
        let wrong = [("SIGNALPOST_LISTEN", "nonsense")];
        assert!(read_with(&["openapi"], &wrong).is_ok() && read_with(&["healthcheck", "http://x/"], &wrong).is_ok());
        let help = read_with(&["--help"], &wrong).unwrap_err();
        assert!(help.contains("SIGNALPOST_LISTEN") && help.contains("SIGNALPOST_WORKERS"), "{help}");
    }
}

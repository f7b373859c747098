//! The files in `deploy/`, as far as they can be checked without the programs they configure.

use std::collections::BTreeSet;

use clap::CommandFactory;
use signalpost::config::Cli;

const UNIT: &str = include_str!("../../../deploy/signalpost.service");
const CONTAINER: &str = include_str!("../../../deploy/Containerfile");
const FILES: [&str; 9] = [
    UNIT,
    CONTAINER,
    include_str!("../../../deploy/haproxy.cfg"),
    include_str!("../../../deploy/haproxy-nodes.cfg"),
    include_str!("../../../deploy/haproxy-sharded.cfg"),
    include_str!("../../../deploy/nginx.conf"),
    include_str!("../../../deploy/nginx-sharded.conf"),
    include_str!("../../../docs/operating.md"),
    include_str!("../../../docs/scaling.md"),
];

/// The words of a text that begin like this, up to the first character that cannot be in a name.
fn names<'a>(text: &'a str, start: &'a str) -> impl Iterator<Item = String> + 'a {
    text.split(start).skip(1).map(move |rest| {
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '-').unwrap_or(rest.len());
        format!("{start}{}", &rest[..end])
    })
}

#[test]
fn options_named_in_operator_files_exist() {
    let command = Cli::command();
    let variables: BTreeSet<String> = command
        .get_arguments()
        .filter_map(|argument| Some(argument.get_env()?.to_string_lossy().into_owned()))
        .collect();
    let flags: BTreeSet<String> =
        command.get_arguments().filter_map(|argument| Some(format!("--{}", argument.get_long()?))).collect();
    let mut seen = 0;
    for name in FILES.iter().flat_map(|file| names(file, "SIGNALPOST_")) {
        assert!(variables.contains(&name), "there is no {name}");
        seen += 1;
    }
    let commands = FILES.iter().flat_map(|file| file.lines()).filter(|line| line.contains("signalpost --"));
    for flag in commands.flat_map(|line| names(line, "--")) {
        assert!(flags.contains(&flag) || flag == "--help", "there is no {flag}");
        seen += 1;
    }
    assert!(seen > 8, "{seen}");
}

#[test]
fn the_systemd_unit_uses_no_shell_socket_or_privileges() {
    let settings: Vec<(&str, &str)> =
        UNIT.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('=')).collect();
    let values =
        |name: &str| settings.iter().filter(|(known, _)| *known == name).map(|(_, value)| *value).collect::<Vec<_>>();
    assert_eq!(values("ExecStart"), ["/usr/local/bin/signalpost"]);
    assert_eq!(values("CapabilityBoundingSet"), ["CAP_NET_BIND_SERVICE"]);
    for (name, value) in [("DynamicUser", "yes"), ("NoNewPrivileges", "yes"), ("ProtectSystem", "strict")] {
        assert_eq!(values(name), [value]);
    }
    assert!(values("Sockets").is_empty() && values("Requires").is_empty());
    // Longer than the drain may take (DRAIN_LIMIT in app.rs).
    assert!(values("TimeoutStopSec")[0].parse::<u64>().unwrap() > 11);
}

#[test]
fn the_image_contains_only_an_unprivileged_binary() {
    let (_, last) = CONTAINER.rsplit_once("\nFROM ").unwrap();
    let lines: Vec<&str> = last.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    assert_eq!(lines[0], "scratch");
    assert_eq!(lines.iter().filter(|line| line.starts_with("COPY")).count(), 1);
    let user = lines.iter().find_map(|line| line.strip_prefix("USER ")).unwrap();
    assert!(user.split(':').all(|id| id.parse::<u32>().unwrap() > 1000), "{user}");
    assert!(last.contains(r#"CMD ["/signalpost", "healthcheck"]"#) && last.contains(r#"ENTRYPOINT ["/signalpost"]"#));
}

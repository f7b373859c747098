//! Parsers for values of options.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::PathBuf,
};

use ipnet::{IpNet, Ipv4Net};
use secrecy::{ExposeSecret, SecretString};
use tracing_subscriber::filter::{LevelFilter, Targets};

use crate::text_file;

/// A secret, or `@` and the file that contains it.
pub fn secret(text: &str) -> Result<SecretString, String> {
    let secret: SecretString = match text.strip_prefix('@') {
        Some(path) => file_text(path)?.into(),
        None => text.to_owned().into(),
    };
    let trimmed: SecretString = secret.expose_secret().trim().to_owned().into();
    if trimmed.expose_secret().is_empty() { Err("it is empty".into()) } else { Ok(trimmed) }
}

pub fn file_text(path: &str) -> Result<String, String> {
    text_file::text(path.as_ref()).map_err(|why| format!("{path}: {why}"))
}

/// An address to listen on, also as people write it: `8080` for this machine only, `:8080` for all its addresses, `localhost:8080`.
pub fn listen_address(text: &str) -> Result<SocketAddr, String> {
    let text = text.trim();
    let port = |text: &str| text.parse::<u16>().ok();
    let (ip, port) = match text.rsplit_once(':') {
        None => (IpAddr::from(Ipv4Addr::LOCALHOST), port(text)),
        Some(("", after)) => (Ipv6Addr::UNSPECIFIED.into(), port(after)),
        Some(("localhost", after)) => (Ipv4Addr::LOCALHOST.into(), port(after)),
        Some(_) => return text.parse().map_err(|_| LISTEN_EXPECTED.into()),
    };
    port.map(|port| SocketAddr::new(ip, port)).ok_or_else(|| LISTEN_EXPECTED.into())
}

const LISTEN_EXPECTED: &str = "expects IP:PORT, for example 0.0.0.0:8080";

/// A level, or levels for modules. A name alone would log everything of a module of that name.
pub fn log_filter(text: &str) -> Result<Targets, String> {
    let entries = text.split(',').map(str::trim).filter(|entry| !entry.is_empty());
    match entries.map(log_entry).collect::<Option<Vec<_>>>() {
        Some(entries) if !entries.is_empty() => entries.join(",").parse().map_err(|error| format!("{error}")),
        _ => {
            Err("expects error, warn, info, debug or trace, or one for each module as in warn,signalpost=debug".into())
        }
    }
}

/// A level, perhaps of a module, without blanks, which the filter would take for a part of the name.
fn log_entry(entry: &str) -> Option<String> {
    // No level would be `error`.
    let is_level = |text: &str| !text.is_empty() && text.parse::<LevelFilter>().is_ok();
    match entry.split_once('=').map(|(name, level)| (name.trim(), level.trim())) {
        None => is_level(entry).then(|| entry.to_owned()),
        Some((name, level)) => (!name.is_empty() && is_level(level)).then(|| format!("{name}={level}")),
    }
}

pub fn stun_url(text: &str) -> Result<String, String> {
    ice_url(text, &["stun:", "stuns:"], &[])
}

pub fn turn_url(text: &str) -> Result<String, String> {
    ice_url(text, &["turn:", "turns:"], &["transport=udp", "transport=tcp"])
}

/// A scheme, a host and an optional port, without slashes (RFC 7064 and RFC 7065). Given anything else, browsers refuse to
/// create a peer connection.
fn ice_url(text: &str, schemes: &[&str], queries: &[&str]) -> Result<String, String> {
    let rest = schemes.iter().find_map(|scheme| text.strip_prefix(scheme));
    let (address, query) = rest.map_or(("", None), |rest| match rest.split_once('?') {
        Some((address, query)) => (address, Some(query)),
        None => (rest, None),
    });
    if is_host_and_port(address) && query.is_none_or(|query| queries.contains(&query)) {
        return Ok(text.to_owned());
    }
    let query = queries.first().map_or(String::new(), |query| format!(", optionally followed by ?{query}"));
    Err(format!("it must look like {}host:3478{query}", schemes[0]))
}

fn is_host_and_port(text: &str) -> bool {
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((ip, "")) => (ip, None),
        Some((ip, port)) => (ip, Some(port.strip_prefix(':').unwrap_or(""))),
        None => text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
    };
    let fits = if text.starts_with('[') {
        host.parse::<std::net::Ipv6Addr>().is_ok()
    } else {
        !host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '.')
    };
    fits && port.is_none_or(|port| port.parse::<std::num::NonZeroU16>().is_ok())
}

/// An IPv4 network in the form of IPv6 (::ffff:10.0.0.0/104) becomes one of IPv4, the form in which addresses are compared.
pub fn network(text: &str) -> Result<IpNet, String> {
    let address = text.parse::<IpAddr>().map(IpNet::from);
    let network: Result<IpNet, _> = text.parse().or(address);
    let network = network.map_err(|_| "it must be an address or a network such as 10.0.0.0/8".to_owned())?;
    let mapped = match network {
        IpNet::V6(network) => network.addr().to_ipv4_mapped().zip(network.prefix_len().checked_sub(MAPPED_PREFIX)),
        IpNet::V4(_) => None,
    };
    let ipv4 = mapped.and_then(|(ip, prefix_len)| Ipv4Net::new(ip, prefix_len).ok());
    Ok(ipv4.map_or(network, IpNet::V4))
}

/// The bits before the IPv4 address in an IPv4-mapped one (RFC 4291 section 2.5.5.2).
const MAPPED_PREFIX: u8 = 96;

/// As written in unit files, compose files and for other programs.
pub fn boolean(text: &str) -> Result<bool, String> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "y" | "on" | "t" | "enable" | "enabled" => Ok(true),
        "false" | "0" | "no" | "n" | "off" | "f" | "disable" | "disabled" => Ok(false),
        _ => Err("it must be true or false (or 1, yes, on, 0, no, off)".into()),
    }
}

pub fn at_least_one(text: &str) -> Result<usize, String> {
    let number = text.parse().map_err(|_| "it must be a whole number".to_owned())?;
    if number == 0 { Err("it must be at least 1".into()) } else { Ok(number) }
}

pub fn folder(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    if path.join("app/index.html").is_file() { Ok(path) } else { Err("it contains no app/index.html".into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_to_listen_on_are_accepted_as_people_write_them() {
        for (written, meant) in [
            ("8080", "127.0.0.1:8080"),
            (":8080", "[::]:8080"),
            ("localhost:0", "127.0.0.1:0"),
            ("0.0.0.0:80", "0.0.0.0:80"),
            ("[::1]:80", "[::1]:80"),
        ] {
            assert_eq!(listen_address(written), Ok(meant.parse().unwrap()), "{written}");
        }
        for wrong in ["", ":", "http://localhost:80", "example.org:80", "127.0.0.1", "::1", "127.0.0.1:99999", "70000"]
        {
            assert_eq!(listen_address(wrong), Err(LISTEN_EXPECTED.into()), "{wrong}");
        }
    }

    /// Notepad and PowerShell write a mark, which became a part of the secret: TURN credentials were refused.
    #[test]
    fn a_byte_order_mark_is_not_part_of_a_secret() {
        let path = std::env::temp_dir().join(format!("signalpost-secret-{}", std::process::id()));
        let read = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            secret(&format!("@{}", path.display())).map(|secret| secret.expose_secret().to_owned())
        };
        for written in ["word", "word\n", "\u{feff}word\r\n", "\u{feff} word"] {
            assert_eq!(read(written.as_bytes()).as_deref(), Ok("word"), "{written:?}");
        }
        for (bytes, why) in [
            (&b"\xff\xfew\0o\0r\0d\0"[..], "UTF-16"),
            (b"\xfe\xff\0w\0o\0r\0d", "UTF-16"),
            (b"w\xf6rd", "not in UTF-8"),
            ("\u{feff}\n".as_bytes(), "empty"),
        ] {
            assert!(read(bytes).unwrap_err().contains(why), "{bytes:?}");
        }
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn a_log_level_is_one_that_exists() {
        for right in ["info", "DEBUG", "off", "warn,signalpost=debug", "info,actix_server=warn"] {
            assert!(log_filter(right).is_ok(), "{right}");
        }
        for wrong in ["loud", "signalpost", "signalpost=loud", "=info", "info,loud", "signalpost=", "", " ", " ,,"] {
            assert!(log_filter(wrong).is_err(), "{wrong}");
        }
    }

    /// A blank became part of a module's name, and an empty entry the level `error`, which hid all warnings at startup.
    #[test]
    fn log_levels_may_have_blanks_and_empty_entries() {
        for (written, meant) in [
            ("warn, signalpost=debug", "warn,signalpost=debug"),
            ("signalpost=debug, warn", "signalpost=debug,warn"),
            (" info ,", "info"),
            ("warn,,signalpost = debug", "warn,signalpost=debug"),
        ] {
            assert_eq!(log_filter(written), Ok(meant.parse().unwrap()), "{written}");
        }
    }

    /// Networks in the form of IPv6 were accepted and never matched: clients have addresses of IPv4, even on a socket for both.
    #[test]
    fn networks_of_ipv4_in_the_form_of_ipv6_are_those_of_ipv4() {
        for (written, meant) in [
            ("::ffff:10.0.0.1", "10.0.0.1/32"),
            ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
            ("::ffff:0:0/96", "0.0.0.0/0"),
            ("10.0.0.0/8", "10.0.0.0/8"),
            ("192.0.2.1", "192.0.2.1/32"),
            ("2001:db8::/32", "2001:db8::/32"),
            ("::/0", "::/0"),
        ] {
            assert_eq!(network(written), Ok(meant.parse().unwrap()), "{written}");
        }
        for wrong in ["", "call.example", "10.0.0.0/33", "::ffff:10.0.0.1/129"] {
            assert!(network(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn ice_server_urls_are_those_that_browsers_accept() {
        for url in
            ["stun:a.example", "stun:a.example:3478", "stuns:192.0.2.1:5349", "stun:[2001:db8::1]:3478", "stun:[::1]"]
        {
            assert_eq!(stun_url(url).as_deref(), Ok(url));
        }
        for url in ["turn:a.example", "turn:a.example:3478?transport=udp", "turns:[::1]:443?transport=tcp"] {
            assert_eq!(turn_url(url).as_deref(), Ok(url));
        }
        let wrong = [
            "",
            "a.example:3478",
            "stun:",
            "stun:/a",
            "stun://a.example",
            "stun: a.example",
            "stun:a.example:",
            "stun:a.example:0",
            "stun:a.example:65536",
            "stun:a.example:port",
            "stun:a_b",
            "stun:2001:db8::1",
            "stun:[::1]3478",
            "stun:[a.example]",
            "stun:a.example?transport=udp",
            "turn:a.example",
        ];
        for url in wrong {
            assert!(stun_url(url).is_err(), "{url}");
        }
        for url in
            ["stun:a.example", "turn:a.example?transport=sctp", "turn:a.example?transport=udp&x", "turn:a.example?"]
        {
            assert!(turn_url(url).is_err(), "{url}");
        }
    }
}

//! Names of this server.

use url::Host;

/// The value of `--host`: a name or an address, as browsers write it in `Host`, without a port.
pub fn host(text: &str) -> Result<String, String> {
    let text = text.trim();
    let bare = text.strip_suffix('.').unwrap_or(text);
    if let Ok(ip) = bare.parse::<std::net::Ipv6Addr>() {
        return Ok(ip.to_string());
    }
    match Host::parse(bare) {
        Ok(Host::Ipv6(ip)) => Ok(ip.to_string()),
        Ok(Host::Domain(name)) if name.contains('*') => Err("it must be one name, without `*`".into()),
        Ok(host) => Ok(host.to_string()),
        Err(_) => Err("it must be a host name such as call.example.org, without a scheme, port or path".into()),
    }
}

/// The value of `--public-host`: the same, with or without a port, and an IPv6 address in brackets.
pub fn public_host(text: &str) -> Result<String, String> {
    let text = text.trim();
    let (name, port) = match text.rsplit_once(':') {
        Some((name, port)) if !name.contains(':') || name.ends_with(']') => (name, Some(port)),
        _ => (text, None),
    };
    let name = host(name)?;
    let name = if name.contains(':') { format!("[{name}]") } else { name };
    match port.map(|port| port.parse::<std::num::NonZeroU16>()) {
        None => Ok(name),
        Some(Ok(port)) => Ok(format!("{name}:{port}")),
        Some(Err(_)) => Err("its port must be a number from 1 to 65535".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_host_may_have_a_port() {
        for (written, parsed) in [
            ("Call.example", "call.example"),
            ("call.example:443", "call.example:443"),
            ("192.0.2.1:8443", "192.0.2.1:8443"),
            ("2001:db8::1", "[2001:db8::1]"),
            ("[2001:db8::1]:443", "[2001:db8::1]:443"),
        ] {
            assert_eq!(public_host(written).as_deref(), Ok(parsed), "{written}");
        }
        for bad in ["", ":443", "call.example:", "call.example:0", "call.example:65536", "turn:call.example", "a b:1"] {
            assert!(public_host(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_name_is_written_as_browsers_do() {
        for (written, sent) in [
            ("call.example.org", "call.example.org"),
            (" Call.Example.ORG. ", "call.example.org"),
            ("bücher.example", "xn--bcher-kva.example"),
            ("192.0.2.7", "192.0.2.7"),
            ("[2001:DB8::1]", "2001:db8::1"),
            ("2001:db8:0::1", "2001:db8::1"),
        ] {
            assert_eq!(host(written).as_deref(), Ok(sent), "{written}");
        }
        for bad in [
            "",
            "https://call.example.org",
            "call.example.org:8080",
            "call.example.org/app",
            "*",
            "*.example.org",
            "a b",
            "[::1]:80",
        ] {
            assert!(host(bad).is_err(), "{bad}");
        }
    }
}

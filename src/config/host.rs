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

#[cfg(test)]
mod tests {
    use super::*;

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

use std::net::IpAddr;

use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};

use crate::{
    transport::fuzzing::lines,
    transport::{
        client_address::{AddressKey, TrustedProxies, parse_node},
        headers::Headers,
    },
};

/// Whatever a client writes into the headers, the result is the address that a trusted proxy saw, or that of a proxy.
///
/// The lines: the peer, what the client and then the proxies wrote into `X-Forwarded-For`, and the same for `Forwarded`.
pub fn address(input: &[u8]) {
    let [sender, client_x, proxies_x, client_rfc, proxies_rfc] = lines(input);
    let proxies = TrustedProxies(vec!["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()]);
    let Some(sender) = std::str::from_utf8(sender).ok().and_then(parse_node) else { return };
    check_key(sender);

    let honest = headers(&[(header::X_FORWARDED_FOR, &[proxies_x]), (header::FORWARDED, &[proxies_rfc])]);
    let seen = proxies.client(sender, Headers::Map(&honest));
    check_key(seen);
    assert_eq!(seen, seen.to_canonical());
    if !proxies.trusts(sender.to_canonical()) {
        assert_eq!(seen, sender.to_canonical(), "an untrusted sender was believed");
    }
    check_walk(&proxies, sender.to_canonical(), seen, &honest);

    let joined_x = [client_x, b", ", proxies_x].concat();
    let joined_rfc = [client_rfc, b",", proxies_rfc].concat();
    let one_line = headers(&[(header::X_FORWARDED_FOR, &[&joined_x]), (header::FORWARDED, &[&joined_rfc])]);
    let two_lines =
        headers(&[(header::X_FORWARDED_FOR, &[client_x, proxies_x]), (header::FORWARDED, &[client_rfc, proxies_rfc])]);
    for forged in [one_line, two_lines] {
        let found = proxies.client(sender, Headers::Map(&forged));
        check_walk(&proxies, sender.to_canonical(), found, &forged);
        // Contradicting headers are ignored: they can hide a client, but only behind a proxy's address.
        let both = !proxies_x.is_empty() && !proxies_rfc.is_empty();
        if both && !proxies.trusts(seen) {
            assert!(found == seen || proxies.trusts(found), "{found} instead of {seen}");
        }
    }
}

/// The address found is the peer's, or has only trusted addresses to its right in one of the headers.
fn check_walk(proxies: &TrustedProxies, sender: IpAddr, found: IpAddr, headers: &HeaderMap) {
    let stands = |name: HeaderName| {
        let text: Vec<String> = headers.get_all(name).map(readable).collect();
        let text = text.join(",");
        let mut right_of_it = text.rsplit(',').map(address_in);
        let trusted = |ip: &IpAddr| proxies.trusts(*ip);
        right_of_it.find(|ip| !ip.as_ref().is_some_and(trusted) || *ip == Some(found)) == Some(Some(found))
    };
    let in_a_header = stands(header::X_FORWARDED_FOR) || stands(header::FORWARDED);
    assert!(found == sender || (proxies.trusts(sender) && in_a_header), "{found} was not named by a trusted proxy");
}

/// A value that spoils only the entries in which something is not ASCII.
fn readable(value: &HeaderValue) -> String {
    value.as_bytes().iter().map(|&byte| if byte.is_ascii() { char::from(byte) } else { '?' }).collect()
}

/// An address in an entry, found independently of the parser.
fn address_in(entry: &str) -> Option<IpAddr> {
    let entry = entry.trim().to_ascii_lowercase();
    let node = match entry.split(';').map(str::trim).find_map(|pair| pair.strip_prefix("for=")) {
        Some(node) => node.trim_matches('"'),
        None => &entry,
    };
    let ip = node.trim();
    let bare = ip.strip_prefix('[').and_then(|rest| rest.split_once(']')).map_or(ip, |(inside, _)| inside);
    let bare = bare.split_once('%').map_or(bare, |(ip, _)| ip);
    let without_port = || bare.rsplit_once(':').and_then(|(host, _)| host.parse().ok());
    bare.parse().ok().or_else(without_port).map(|ip: IpAddr| ip.to_canonical())
}

fn headers(lines: &[(HeaderName, &[&[u8]])]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, values) in lines {
        for value in values.iter().filter(|value| !value.is_empty()) {
            if let Ok(value) = HeaderValue::from_bytes(value) {
                headers.append(name.clone(), value);
            }
        }
    }
    headers
}

/// Exactly the addresses in the same /64, or the same IPv4 address, have the same key.
fn check_key(ip: IpAddr) {
    let key = AddressKey::from(ip);
    assert_eq!(parse_node(&ip.to_string()), Some(ip));
    match ip.to_canonical() {
        IpAddr::V4(v4) => {
            assert_eq!(key, AddressKey::from(IpAddr::from(v4.to_ipv6_mapped())));
            assert_ne!(key, AddressKey::from(IpAddr::from(std::net::Ipv4Addr::from_bits(v4.to_bits() ^ 1))));
        }
        IpAddr::V6(v6) => {
            let other = |bits: u128| AddressKey::from(IpAddr::from(std::net::Ipv6Addr::from_bits(v6.to_bits() ^ bits)));
            assert!(key == other(1 << 63) || v6.to_bits() >> 64 == 0);
            assert_ne!(key, other(1 << 64));
        }
    }
}

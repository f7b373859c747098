//! The client's address, for rate limits: the peer's, or what trusted proxies say it is.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

use crate::transport::{headers::Headers, known_header::KnownHeader};

/// The proxies whose `X-Forwarded-For` or `Forwarded` is believed; none by default.
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies(pub Vec<IpNet>);

/// What limits by address count: an IPv4 address, or the /64 of an IPv6 address, which is what one customer gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AddressKey(IpAddr);

/// What has the same owner as an address, probably, and so has a share as a whole: the /48 of an IPv6 address, which is what a
/// site gets (RFC 6177), and the /24 of an IPv4 address, the smallest network that is routed on its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NetworkKey(IpAddr);

impl AddressKey {
    pub fn to_bytes(self) -> [u8; 16] {
        match self.0 {
            IpAddr::V6(ip) => ip.octets(),
            IpAddr::V4(ip) => ip.to_ipv6_mapped().octets(),
        }
    }

    /// The /48 of an IPv6 address, which is what one site gets (RFC 6177 section 2).
    pub fn site(self) -> Option<Self> {
        match self.0 {
            IpAddr::V6(ip) => Some(Self(Ipv6Addr::from_bits(ip.to_bits() >> 80 << 80).into())),
            IpAddr::V4(_) => None,
        }
    }

    pub fn network(self) -> NetworkKey {
        NetworkKey(match (self.0, self.site()) {
            (_, Some(site)) => site.0,
            (IpAddr::V4(ip), None) => Ipv4Addr::from_bits(ip.to_bits() >> 8 << 8).into(),
            (ip, None) => ip,
        })
    }

    /// A number that no other address has.
    pub fn number(self) -> u64 {
        number(self.0)
    }
}

impl NetworkKey {
    /// A number that no other network has.
    pub fn number(self) -> u64 {
        number(self.0)
    }
}

/// The first half of an IPv6 address. No such address begins with 32 zero bits, so IPv4 addresses are different numbers.
fn number(ip: IpAddr) -> u64 {
    match ip {
        IpAddr::V4(ip) => ip.to_bits().into(),
        IpAddr::V6(ip) => (ip.to_bits() >> 64) as u64,
    }
}

impl From<IpAddr> for AddressKey {
    fn from(ip: IpAddr) -> Self {
        match ip.to_canonical() {
            IpAddr::V6(ip) => Self(Ipv6Addr::from_bits(ip.to_bits() >> 64 << 64).into()),
            ip => Self(ip),
        }
    }
}

impl TrustedProxies {
    /// The address of the client behind `peer`: walks `X-Forwarded-For` or `Forwarded` (RFC 7239) from the right to the
    /// first address that is not a trusted proxy. If both fields are present and disagree, the proxy did not write one of
    /// them, and neither counts.
    pub fn client(&self, peer: IpAddr, fields: Headers<'_>) -> IpAddr {
        let peer = peer.to_canonical();
        if !self.trusts(peer) {
            return peer;
        }
        let x_forwarded = self.walk(peer, &fields.list(KnownHeader::XForwardedFor), parse_node);
        let forwarded = fields.list(KnownHeader::Forwarded);
        // All its parameters are optional (RFC 7239 section 4): it may say nothing of clients.
        let names_clients = forwarded.iter().any(|member| parameter(member, "for").is_some());
        let forwarded = names_clients.then(|| self.walk(peer, &forwarded, forwarded_for)).flatten();
        match (x_forwarded, forwarded) {
            (Some(one), Some(other)) if one != other => peer,
            (one, other) => one.or(other).unwrap_or(peer),
        }
    }

    /// Nothing if the field is missing.
    fn walk(&self, peer: IpAddr, entries: &[&str], parse: fn(&str) -> Option<IpAddr>) -> Option<IpAddr> {
        let mut client = peer;
        for entry in entries.iter().rev() {
            if !self.trusts(client) {
                break;
            }
            // A trusted proxy would not have written an entry that cannot be parsed.
            let Some(ip) = parse(entry) else { break };
            client = ip.to_canonical();
        }
        (!entries.is_empty()).then_some(client)
    }

    /// By which names the client may have reached the server, as a trusted proxy says in `X-Forwarded-Host` and `Forwarded`, the one nearest
    /// to the client first. Proxies that only append pass on what a client has written there.
    pub fn hosts<'a>(&self, peer: IpAddr, fields: Headers<'a>) -> Vec<&'a str> {
        if !self.trusts(peer.to_canonical()) {
            return Vec::new();
        }
        let listed = fields.get_all("x-forwarded-host").into_iter().flat_map(|list| list.split(',')).map(str::trim);
        let forwarded = fields.list(KnownHeader::Forwarded).into_iter().filter_map(|member| parameter(member, "host"));
        listed.chain(forwarded).collect()
    }

    pub fn trusts(&self, ip: IpAddr) -> bool {
        self.0.iter().any(|net| net.contains(&ip))
    }
}

fn forwarded_for(member: &str) -> Option<IpAddr> {
    parse_node(parameter(member, "for")?)
}

/// A parameter of a member of `Forwarded` (RFC 7239 section 4).
fn parameter<'a>(member: &'a str, wanted: &str) -> Option<&'a str> {
    let mut pairs = member.split(';').filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value.trim_matches('"'))
}

/// An address with or without a port, IPv6 in brackets or not.
pub fn parse_node(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    if let Ok(ip) = text.parse() {
        return Some(ip);
    }
    if let Ok(address) = text.parse::<std::net::SocketAddr>() {
        return Some(address.ip());
    }
    text.strip_prefix('[')?.strip_suffix(']')?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::{self, HeaderMap, HeaderValue};

    fn client(sender: &str, x_forwarded: Option<&str>, forwarded: Option<&str>) -> String {
        let proxies = TrustedProxies(vec!["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()]);
        let mut headers = HeaderMap::new();
        for (name, value) in [(header::X_FORWARDED_FOR, x_forwarded), (header::FORWARDED, forwarded)] {
            if let Some(value) = value {
                headers.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
            }
        }
        proxies.client(sender.parse().unwrap(), Headers::Map(&headers)).to_string()
    }

    #[test]
    fn only_a_trusted_proxy_names_the_client() {
        assert_eq!(client("198.51.100.7", Some("203.0.113.9"), None), "198.51.100.7");
        assert_eq!(client("10.0.0.1", Some("203.0.113.9"), None), "203.0.113.9");
        assert_eq!(client("::ffff:10.0.0.1", Some("203.0.113.9"), None), "203.0.113.9");
        assert_eq!(client("10.0.0.1", None, None), "10.0.0.1");
    }

    /// A byte that is not text hid the whole field, so that a forged `Forwarded` took its place.
    #[test]
    fn a_member_that_is_not_text_hides_no_other() {
        let forged = Some("for=203.0.113.77");
        assert_eq!(client("10.0.0.1", Some("é, 198.51.100.7"), None), "198.51.100.7");
        assert_eq!(client("10.0.0.1", Some("é, 198.51.100.7"), forged), "10.0.0.1");
        assert_eq!(client("10.0.0.1", Some("é"), forged), "10.0.0.1");
    }

    #[test]
    fn the_rightmost_untrusted_address_is_the_client() {
        assert_eq!(client("10.0.0.1", Some("1.1.1.1, 203.0.113.9, 10.2.0.1"), None), "203.0.113.9");
        assert_eq!(client("10.0.0.1", Some("nonsense, 10.2.0.1"), None), "10.2.0.1");
        assert_eq!(client("10.0.0.1", Some("203.0.113.9:4711"), None), "203.0.113.9");
    }

    #[test]
    fn forwarded_is_read_too_and_contradicting_fields_are_ignored() {
        assert_eq!(client("10.0.0.1", None, Some("for=203.0.113.9;proto=https")), "203.0.113.9");
        assert_eq!(client("fd00::1", None, Some("For=\"[2001:db8::5]:4711\", for=10.0.0.9")), "2001:db8::5");
        assert_eq!(client("10.0.0.1", Some("203.0.113.9"), Some("for=203.0.113.9")), "203.0.113.9");
        assert_eq!(client("10.0.0.1", Some("203.0.113.9"), Some("for=1.1.1.1")), "10.0.0.1");
        assert_eq!(client("10.0.0.1", Some("203.0.113.9"), Some("for=unknown")), "10.0.0.1");
    }

    /// All clients of a proxy that told only the host in it counted as the proxy.
    #[test]
    fn forwarded_without_for_contradicts_nothing() {
        assert_eq!(client("10.0.0.1", Some("203.0.113.9"), Some("host=call.example;proto=https")), "203.0.113.9");
        assert_eq!(client("10.0.0.1", None, Some("host=call.example")), "10.0.0.1");
        assert_eq!(client("10.0.0.1", Some("203.0.113.9"), Some("host=a, for=1.1.1.1")), "10.0.0.1");
    }

    #[test]
    fn addresses_in_an_ipv6_64_have_the_same_key() {
        let key = |text: &str| AddressKey::from(text.parse::<IpAddr>().unwrap());
        assert_eq!(key("2001:db8::1"), key("2001:db8::ffff:1"));
        assert_ne!(key("2001:db8::1"), key("2001:db8:0:1::1"));
        assert_eq!(key("::ffff:192.0.2.1"), key("192.0.2.1"));
        assert_ne!(key("192.0.2.1"), key("192.0.2.2"));
    }

    #[test]
    fn networks_are_ipv6_48s_and_ipv4_24s() {
        let key = |text: &str| AddressKey::from(text.parse::<IpAddr>().unwrap());
        let network = |text: &str| key(text).network();
        assert_eq!(network("2001:db8:7:1::1"), network("2001:db8:7:ffff::1"));
        assert_ne!(network("2001:db8:7::1"), network("2001:db8:8::1"));
        assert_eq!(network("192.0.2.1"), network("::ffff:192.0.2.255"));
        assert_ne!(network("192.0.2.1"), network("192.0.3.1"));
        let all = ["2001:db8:7:1::1", "2001:db8:7:2::1", "192.0.2.1", "192.0.2.2"].map(|text| key(text).number());
        assert!((1..4).all(|index| !all[..index].contains(&all[index])), "{all:?}");
    }
}

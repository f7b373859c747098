//! ICE candidates (RFC 8839 section 5.1): read as far as needed to sort them, and passed on as they are.

use std::{cmp::Reverse, net::IpAddr};

/// Bytes of a candidate: those of browsers have some 150.
const TEXT_MAX: usize = 1024;

/// `candidate:…`, the value of an attribute without its `a=`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate<'a> {
    pub text: &'a str,
    pub is_udp: bool,
    pub address: &'a str,
    /// `host`, `srflx`, `prflx` or `relay`.
    pub kind: &'a str,
    priority: u32,
}

impl<'a> Candidate<'a> {
    pub fn parse(text: &'a str) -> Option<Self> {
        let mut words = text.strip_prefix("candidate:")?.split(' ');
        let (_foundation, component) = (words.next()?, words.next()?);
        let (transport, priority) = (words.next()?, words.next()?.parse().ok()?);
        let (address, port, typ, kind) = (words.next()?, words.next()?, words.next()?, words.next()?);
        let fits =
            component.parse::<u16>().is_ok() && port.parse::<u16>().is_ok() && typ == "typ" && !address.is_empty();
        fits.then_some(Self { text, is_udp: transport.eq_ignore_ascii_case("udp"), address, kind, priority })
    }

    /// Whether a line with it may be kept and passed on.
    pub fn is_usable(text: &str) -> bool {
        text.len() <= TEXT_MAX && !text.contains(char::is_control) && Candidate::parse(text).is_some()
    }

    /// A name by which a browser hides an address from strangers (draft-ietf-mmusic-mdns-ice-candidates). Only other programs in the
    /// same network can look it up, and encoders do not.
    pub fn is_hidden(&self) -> bool {
        self.address.len() > 6 && self.address.as_bytes()[self.address.len() - 6..].eq_ignore_ascii_case(b".local")
    }

    pub fn ip(&self) -> Option<IpAddr> {
        self.address.parse().ok()
    }

    /// UDP before TCP, IPv4 before IPv6, then as the sender prefers: ffmpeg takes the first and no other.
    pub fn rank(&self) -> (bool, bool, Reverse<u32>) {
        (!self.is_udp, self.address.contains(':'), Reverse(self.priority))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_candidate_is_read_as_far_as_needed() {
        let text = "candidate:1 1 UDP 2122260223 192.0.2.1 54400 typ host generation 0";
        let candidate = Candidate::parse(text).unwrap();
        assert_eq!((candidate.is_udp, candidate.address, candidate.kind), (true, "192.0.2.1", "host"));
        assert_eq!(candidate.ip(), Some("192.0.2.1".parse().unwrap()));
        let named = text.replace("192.0.2.1", "0c3f.LOCAL");
        assert!(Candidate::parse(&named).unwrap().is_hidden() && !candidate.is_hidden());
        for bad in [
            "",
            "candidate:",
            "candidate:1 1 udp x 192.0.2.1 1 typ host",
            "candidate:1 1 udp 1 192.0.2.1 65536 typ host",
            "1 1 udp",
        ] {
            assert_eq!(Candidate::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_candidate_that_is_long_or_more_than_a_line_is_not_used() {
        let text = "candidate:1 1 UDP 2122260223 192.0.2.1 54400 typ host";
        assert!(Candidate::is_usable(text));
        for bad in ["\r\nm=video 9 X 96", "\n", "\0", &" x".repeat(512)] {
            assert!(!Candidate::is_usable(&format!("{text}{bad}")), "{bad:?}");
        }
    }
}

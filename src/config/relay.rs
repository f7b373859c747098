//! Options of the relay.

use std::{
    net::{IpAddr, SocketAddr},
    ops::RangeInclusive,
};

use clap::{Args, ValueEnum};
use ipnet::IpNet;

use crate::config::{
    host::public_host,
    values::{at_least_one, listen_address, network},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RelayMode {
    /// Between members of the same room only
    Closed,
    /// Also to and from the internet, for peers that do not use TURN
    Open,
    /// No relay. All spellings of `false` mean it, too
    #[value(aliases = ["false", "0", "no", "n", "f", "disable", "disabled"])]
    Off,
}

/// The address of an open relay in one family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExternalAddress {
    /// As peers see it.
    pub external: IpAddr,
    /// That of the sockets, if it is another.
    pub local: Option<IpAddr>,
}

/// As `--turn-ports` has it, so that clap does not take it for several values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ports(pub RangeInclusive<u16>);

pub const DEFAULT_PORTS: Ports = Ports(49_152..=65_535);

#[derive(Clone, Debug, Args)]
pub struct RelayOptions {
    /// Relay calls that find no other path (TURN), over UDP, TCP and TLS on the port of --listen. Closed: between members of the same
    /// room only. Open: also to and from the internet, for peers that do not use TURN, such as a media server. By default closed if
    /// this server has a certificate, otherwise off: see docs/relay.md
    #[arg(
        help_heading = "ICE and relay",
        long,
        env = "SIGNALPOST_TURN_RELAY",
        value_name = "closed|open|off",
        value_enum,
        ignore_case = true,
        hide_possible_values = true
    )]
    pub turn_relay: Option<RelayMode>,

    /// Another address for the relay, over UDP and TCP (0.0.0.0:3478). Repeatable
    #[arg(help_heading = "ICE and relay", long, env = "SIGNALPOST_TURN_LISTEN", value_name = "ADDR", value_delimiter = ',', value_parser = listen_address)]
    pub turn_listen: Vec<SocketAddr>,

    /// Address that peers outside see, for an open relay; after a slash, that of its sockets, if a NAT or cloud maps it
    /// (203.0.113.7/10.0.0.5). At most one of IPv4 and one of IPv6
    #[arg(help_heading = "ICE and relay", long, env = "SIGNALPOST_TURN_EXTERNAL_IP", value_name = "IP[/LOCAL]", value_delimiter = ',', value_parser = external_address)]
    pub turn_external_ip: Vec<ExternalAddress>,

    /// UDP ports of an open relay, one for each allocation
    #[arg(help_heading = "ICE and relay", long, env = "SIGNALPOST_TURN_PORTS", value_name = "FIRST-LAST", default_value = "49152-65535", value_parser = ports)]
    pub turn_ports: Ports,

    /// Network that an open relay may send to although it is private (10.1.0.0/16). It reaches whatever answers UDP there. Repeatable
    #[arg(help_heading = "ICE and relay", long, env = "SIGNALPOST_TURN_ALLOW_PEER", value_name = "CIDR", value_delimiter = ',', value_parser = network)]
    pub turn_allow_peer: Vec<IpNet>,

    /// Name under which peers reach this server's relay, if that is not the one by which they reach the server. The port is that of
    /// --listen unless given. Each of several nodes has its own name
    #[arg(help_heading = "ICE and relay", long, env = "SIGNALPOST_PUBLIC_HOST", value_name = "HOST[:PORT]", value_parser = public_host)]
    pub public_host: Option<String>,

    /// Relay allocations of one peer. A browser makes one for each URL, network interface and other peer
    #[arg(help_heading = "ICE and relay", long, env = "SIGNALPOST_TURN_PER_USER", value_name = "N", default_value_t = 128, value_parser = at_least_one)]
    pub turn_per_user: usize,

    /// Relay allocations in all; one address may have half of what is left. Each takes about 1 KB of memory; in an open relay 6 KB, a port and a
    /// file descriptor
    #[arg(help_heading = "ICE and relay", long, env = "SIGNALPOST_TURN_TOTAL", value_name = "N", default_value_t = 10_000, value_parser = at_least_one)]
    pub turn_total: usize,

    /// Bytes per second that the relay carries in all, shared fairly among rooms
    #[arg(help_heading = "ICE and relay", long, env = "SIGNALPOST_TURN_BPS", value_name = "BYTES", default_value_t = 125_000_000, value_parser = clap::value_parser!(u64).range(1000..))]
    pub turn_bps: u64,

    /// Bytes per second that one relay allocation sends. A video of 1080p takes about half a million
    #[arg(help_heading = "ICE and relay", long, env = "SIGNALPOST_TURN_ALLOCATION_BPS", value_name = "BYTES", default_value_t = 4_000_000, value_parser = clap::value_parser!(u64).range(1000..))]
    pub turn_allocation_bps: u64,
}

fn external_address(text: &str) -> Result<ExternalAddress, String> {
    let (external, local) = text.split_once('/').map_or((text, None), |(external, local)| (external, Some(local)));
    let parse = |text: &str| text.parse::<IpAddr>().ok();
    let bad = || "it must be IP or IP/LOCAL, for example 203.0.113.7 or 203.0.113.7/10.0.0.5".to_owned();
    let external = parse(external).ok_or_else(bad)?;
    let local = local.map(|local| parse(local).ok_or_else(bad)).transpose()?;
    if local.is_some_and(|local| local.is_ipv4() != external.is_ipv4()) {
        return Err("both addresses must be IPv4, or both IPv6".into());
    }
    if external.is_unspecified() || external.is_multicast() || external.to_canonical() != external {
        return Err("peers must be able to send to it: give the address by which this server is reached".into());
    }
    Ok(ExternalAddress { external, local })
}

fn ports(text: &str) -> Result<Ports, String> {
    let bounds = text.split_once('-').and_then(|(first, last)| Some((first.parse().ok()?, last.parse().ok()?)));
    match bounds {
        Some((first, last)) if 1024 <= first && first <= last => Ok(Ports(first..=last)),
        _ => Err("it must be FIRST-LAST, from 1024 to 65535, for example 49152-65535".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::values::boolean;

    #[test]
    fn external_addresses_are_of_one_family() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        for (text, external, local) in [
            ("203.0.113.7", "203.0.113.7", None),
            ("203.0.113.7/10.0.0.5", "203.0.113.7", Some("10.0.0.5")),
            ("2001:db8::7/::", "2001:db8::7", Some("::")),
        ] {
            assert_eq!(external_address(text), Ok(ExternalAddress { external: ip(external), local: local.map(ip) }));
        }
        for text in [
            "",
            "call.example.org",
            "203.0.113.7/",
            "203.0.113.7/24",
            "203.0.113.7/::1",
            "0.0.0.0",
            "::",
            "224.0.0.1",
            "::ffff:203.0.113.7",
        ] {
            assert!(external_address(text).is_err(), "{text}");
        }
    }

    /// `SIGNALPOST_TURN_RELAY=false` was refused.
    #[test]
    fn a_relay_is_off_in_every_spelling_of_false() {
        for text in ["off", "false", "False", "0", "no", "NO", "n", "f", "disable", "disabled"] {
            assert_eq!(RelayMode::from_str(text, true), Ok(RelayMode::Off), "{text}");
            assert_eq!(boolean(text), Ok(false), "{text}");
        }
        assert_eq!(RelayMode::from_str("Open", true), Ok(RelayMode::Open));
        for text in ["true", "yes", "on", "1", ""] {
            assert!(RelayMode::from_str(text, true).is_err(), "which of the two is not said: {text}");
        }
    }

    #[test]
    fn ports_are_a_range() {
        assert_eq!(ports("50000-50010"), Ok(Ports(50_000..=50_010)));
        assert_eq!(ports("50000-50000"), Ok(Ports(50_000..=50_000)));
        for text in ["", "50000", "50010-50000", "80-90", "0-65535", "50000-70000", "a-b", "50000-"] {
            assert!(ports(text).is_err(), "{text}");
        }
    }
}

//! Options of the relay.

use std::net::SocketAddr;

use clap::{Args, ValueEnum};

use crate::{
    config::{host::public_host, options::Config, values::at_least_one},
    turn::Limits,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RelayMode {
    /// Between members of the same room only
    Closed,
    /// No relay
    Off,
}

#[derive(Clone, Debug, Args)]
pub struct RelayOptions {
    /// Relay calls that find no other path (TURN), over UDP, TCP and TLS on the port of --listen, between members of the same room
    /// only. By default on if this server has a certificate: see docs/relay.md
    #[arg(
        long,
        env = "SIGNALPOST_TURN_RELAY",
        value_name = "closed|off",
        value_enum,
        ignore_case = true,
        hide_possible_values = true
    )]
    pub turn_relay: Option<RelayMode>,

    /// Another address for the relay, over UDP and TCP (0.0.0.0:3478). Repeatable
    #[arg(long, env = "SIGNALPOST_TURN_LISTEN", value_name = "ADDR", value_delimiter = ',')]
    pub turn_listen: Vec<SocketAddr>,

    /// Name under which peers reach this server's relay, if that is not the one by which they reach the server: HOST or HOST:PORT.
    /// Each of several nodes has its own
    #[arg(long, env = "SIGNALPOST_PUBLIC_HOST", value_name = "HOST[:PORT]", value_parser = public_host)]
    pub public_host: Option<String>,

    /// Relay allocations of one peer. A browser makes about three for each other peer and network interface
    #[arg(long, env = "SIGNALPOST_TURN_PER_USER", value_name = "N", default_value_t = 64, value_parser = at_least_one)]
    pub turn_per_user: usize,

    /// Relay allocations in all; one address may have half of what is left. Each takes about 2 KB of memory
    #[arg(long, env = "SIGNALPOST_TURN_TOTAL", value_name = "N", default_value_t = 10_000, value_parser = at_least_one)]
    pub turn_total: usize,

    /// Bytes per second that the relay carries in all, shared fairly among rooms
    #[arg(long, env = "SIGNALPOST_TURN_BPS", value_name = "BYTES", default_value_t = 125_000_000, value_parser = clap::value_parser!(u64).range(1000..))]
    pub turn_bps: u64,

    /// Bytes per second that one relay allocation sends. A video of 1080p takes about half a million
    #[arg(long, env = "SIGNALPOST_TURN_ALLOCATION_BPS", value_name = "BYTES", default_value_t = 4_000_000, value_parser = clap::value_parser!(u64).range(1000..))]
    pub turn_allocation_bps: u64,
}

impl Config {
    pub fn has_relay(&self) -> bool {
        match self.relay.turn_relay {
            Some(mode) => mode == RelayMode::Closed,
            None => self.is_encrypted() && !(self.has_several_nodes() && self.relay.public_host.is_none()),
        }
    }

    /// What must be given for the relay, and is not.
    pub fn check_relay(&self) -> Result<(), String> {
        if self.has_relay() && self.has_several_nodes() && self.relay.public_host.is_none() {
            return Err("--turn-relay with --engine redis://… needs --public-host: both members of a room must reach the relay \
                 of the same node, so each node must say under which name it alone is reached"
                .into());
        }
        if !self.has_relay() && !self.relay.turn_listen.is_empty() {
            return Err("--turn-listen needs --turn-relay closed".into());
        }
        Ok(())
    }

    pub fn relay_limits(&self) -> Limits {
        Limits {
            allocations: self.relay.turn_total,
            allocations_per_member: self.relay.turn_per_user,
            bytes_per_second: self.relay.turn_bps,
            allocation_bytes_per_second: self.relay.turn_allocation_bps,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::config::options::Cli;

    fn config(line: &[&str]) -> Config {
        Cli::try_parse_from([&["signalpost"], line].concat()).unwrap().config
    }

    #[test]
    fn the_defaults_are_the_same_as_those_of_limits() {
        assert_eq!(config(&[]).relay_limits(), Limits::default());
    }

    #[test]
    fn the_relay_is_on_with_a_certificate_and_where_it_is_asked_for() {
        for (line, on) in [
            (&[][..], false),
            (&["--tls-self-signed"], true),
            (&["--tls-self-signed", "--turn-relay=off"], false),
            (&["--turn-relay=closed"], true),
            (&["--tls-self-signed", "--engine=redis://a.example"], false),
            (&["--tls-self-signed", "--engine=redis://a.example", "--public-host=one.example"], true),
        ] {
            assert_eq!(config(line).has_relay(), on, "{line:?}");
            assert_eq!(config(line).check_relay(), Ok(()), "{line:?}");
        }
        assert!(config(&["--turn-relay=closed", "--engine=redis://a.example"]).check_relay().is_err());
        assert!(config(&["--turn-listen=127.0.0.1:3478"]).check_relay().is_err());
    }
}

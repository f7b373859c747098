//! Whether there is a relay, and its limits.

use crate::{
    config::{options::Config, relay::RelayMode},
    turn::Limits,
};

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

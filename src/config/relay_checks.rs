//! Whether there is a relay, and its limits.

use std::io::ErrorKind;

use crate::{
    config::{
        options::Config,
        relay::{DEFAULT_PORTS, ExternalAddress, RelayMode},
    },
    turn::{
        Limits,
        net::peer_sockets::{PeerSockets, is_local, open},
        peers::{OpenNetworks, PeerPolicy},
    },
};

impl Config {
    pub fn has_relay(&self) -> bool {
        match self.relay.turn_relay {
            Some(mode) => mode != RelayMode::Off,
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
        if !self.has_relay() {
            // Who switches it off for a while keeps what has no effect then.
            let is_switched_off = self.relay.turn_relay == Some(RelayMode::Off);
            let given = [
                ("--turn-listen", !self.relay.turn_listen.is_empty()),
                ("--public-host", self.relay.public_host.is_some() && !is_switched_off),
            ];
            if let Some((option, _)) = given.iter().find(|(_, given)| *given) {
                return Err(format!("{option} needs --turn-relay closed or open"));
            }
        }
        self.check_open_relay()
    }

    fn is_relay_open(&self) -> bool {
        self.relay.turn_relay == Some(RelayMode::Open)
    }

    fn check_open_relay(&self) -> Result<(), String> {
        let externals = &self.relay.turn_external_ip;
        let of_ipv4 = externals.iter().filter(|address| address.external.is_ipv4()).count();
        if self.is_relay_open() && externals.is_empty() {
            return Err(
                "--turn-relay open needs --turn-external-ip: the address by which peers outside reach this server"
                    .into(),
            );
        }
        if of_ipv4 > 1 || externals.len() - of_ipv4 > 1 {
            return Err("--turn-external-ip may be given once for IPv4 and once for IPv6".into());
        }
        let given = [
            ("--turn-external-ip", !externals.is_empty()),
            ("--turn-allow-peer", !self.relay.turn_allow_peer.is_empty()),
            ("--turn-ports", self.relay.turn_ports != DEFAULT_PORTS && self.relay.turn_relay != Some(RelayMode::Off)),
        ];
        match given.iter().find(|(_, given)| *given) {
            Some((option, _)) if !self.is_relay_open() => Err(format!("{option} needs --turn-relay open")),
            _ => Ok(()),
        }
    }

    /// Opens a socket at each address of an open relay once: otherwise every allocation would fail, and none would say why.
    pub fn check_relay_sockets(&self) -> Result<(), String> {
        for ExternalAddress { external, local } in &self.relay.turn_external_ip {
            let ip = local.unwrap_or(*external);
            match open((ip, 0).into()) {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::AddrNotAvailable => {
                    return Err(format!(
                        "{ip} is not an address of this machine: write --turn-external-ip {external}/LOCAL with the one to \
                         which {external} is mapped (or, if it arrives later, set the sysctl net.ipv4.ip_nonlocal_bind)"
                    ));
                }
                Err(error) => return Err(format!("--turn-external-ip {external}: no socket at {ip}: {error}")),
            }
        }
        Ok(())
    }

    /// An open relay has a socket for each allocation. They may be half of what the process may open, and no more than there are
    /// ports: what one address may have is a share of what there is.
    pub fn bound_relay(&mut self, descriptors: u64) {
        if self.is_relay_open() {
            let half = usize::try_from(descriptors / 2).unwrap_or(usize::MAX);
            let ports = self.relay.turn_ports.0.len() * self.relay.turn_external_ip.len();
            self.relay.turn_total = self.relay.turn_total.min(half).min(ports);
        }
    }

    /// The most sockets that the relay opens for peers.
    pub fn relay_sockets(&self) -> usize {
        if self.is_relay_open() { self.relay.turn_total } else { 0 }
    }

    /// With whom the relay exchanges packets, and the sockets for that.
    pub fn relay_peers(&self) -> (PeerPolicy, Option<PeerSockets>) {
        if !self.is_relay_open() {
            return (PeerPolicy::Closed, None);
        }
        let externals = &self.relay.turn_external_ip;
        let addresses: Vec<_> =
            externals.iter().map(|address| (address.external, address.local.unwrap_or(address.external))).collect();
        let networks = OpenNetworks {
            ipv4: addresses.iter().any(|(external, _)| external.is_ipv4()),
            ipv6: addresses.iter().any(|(external, _)| external.is_ipv6()),
            own: addresses
                .iter()
                .flat_map(|(external, local)| [*external, *local])
                .filter(|ip| !ip.is_unspecified())
                .collect(),
            allowed: self.relay.turn_allow_peer.clone(),
            is_local,
        };
        (PeerPolicy::Open(networks), Some(PeerSockets::new(addresses, self.relay.turn_ports.0.clone())))
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
    }

    #[test]
    fn sockets_of_an_open_relay_leave_descriptors_for_connections() {
        let mut open = config(&["--turn-relay=open", "--turn-external-ip=203.0.113.7"]);
        open.bound_relay(4096);
        assert_eq!((open.relay_limits().allocations, open.connections(4096).total), (2048, 4096 - 2048 - 256));
        open.bound_relay(1_000_000);
        assert_eq!(open.relay_limits().allocations, 2048, "it was bounded before");
        let mut few = config(&["--turn-relay=open", "--turn-external-ip=203.0.113.7", "--turn-ports=50000-50009"]);
        few.bound_relay(4096);
        assert_eq!(few.relay_limits().allocations, 10);
        let mut closed = config(&["--turn-relay=closed"]);
        closed.bound_relay(4096);
        assert_eq!((closed.relay_limits().allocations, closed.relay_sockets()), (10_000, 0));
    }

    /// `--turn-ports` and `--public-host` were ignored, others refused.
    #[test]
    fn options_without_an_effect_are_refused_by_name() {
        for (line, option) in [
            (&["--turn-listen=127.0.0.1:3478"][..], "--turn-listen"),
            (&["--public-host=one.example"], "--public-host"),
            (&["--turn-relay=closed", "--turn-external-ip=203.0.113.7"], "--turn-external-ip"),
            (&["--turn-relay=closed", "--turn-allow-peer=10.0.0.0/8"], "--turn-allow-peer"),
            (&["--turn-relay=closed", "--turn-ports=50000-50009"], "--turn-ports"),
            (&["--turn-ports=50000-50009"], "--turn-ports"),
        ] {
            let error = config(line).check_relay().unwrap_err();
            assert!(error.starts_with(&format!("{option} needs --turn-relay")), "{line:?}: {error}");
        }
        for mode in ["--turn-relay=closed", "--turn-relay=off"] {
            assert_eq!(config(&[mode, "--public-host=one.example"]).check_relay(), Ok(()), "{mode}");
        }
        assert_eq!(config(&["--turn-relay=off", "--turn-ports=50000-50009"]).check_relay(), Ok(()));
    }

    #[test]
    fn an_open_relay_must_know_its_address() {
        let open = "--turn-relay=open";
        for line in [
            &[open, "--turn-external-ip=203.0.113.7"][..],
            &[open, "--turn-external-ip=203.0.113.7/10.0.0.5,2001:db8::7", "--turn-allow-peer=10.0.0.0/8"],
        ] {
            assert_eq!(config(line).check_relay(), Ok(()), "{line:?}");
            assert!(config(line).has_relay(), "{line:?}");
        }
        for line in [&[open][..], &[open, "--turn-external-ip=203.0.113.7", "--turn-external-ip=203.0.113.8"]] {
            assert!(config(line).check_relay().is_err(), "{line:?}");
        }
    }
}

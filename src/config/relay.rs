//! Options of the relay.

use std::net::SocketAddr;

use clap::{Args, ValueEnum};

use crate::config::{
    host::public_host,
    values::{at_least_one, listen_address},
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
    #[arg(help_heading = "ICE and relay", long, env = "SIGNALPOST_TURN_LISTEN", value_name = "ADDR", value_delimiter = ',', value_parser = listen_address)]
    pub turn_listen: Vec<SocketAddr>,

    /// Name under which peers reach this server's relay, if that is not the one by which they reach the server. The port is that of
    /// --listen unless given. Each of several nodes has its own name
    #[arg(help_heading = "ICE and relay", long, env = "SIGNALPOST_PUBLIC_HOST", value_name = "HOST[:PORT]", value_parser = public_host)]
    pub public_host: Option<String>,

    /// Relay allocations of one peer. A browser makes one for each URL, network interface and other peer
    #[arg(help_heading = "ICE and relay", long, env = "SIGNALPOST_TURN_PER_USER", value_name = "N", default_value_t = 128, value_parser = at_least_one)]
    pub turn_per_user: usize,

    /// Relay allocations in all; one address may have half of what is left. Each takes about 1 KB of memory
    #[arg(help_heading = "ICE and relay", long, env = "SIGNALPOST_TURN_TOTAL", value_name = "N", default_value_t = 10_000, value_parser = at_least_one)]
    pub turn_total: usize,

    /// Bytes per second that the relay carries in all, shared fairly among rooms
    #[arg(help_heading = "ICE and relay", long, env = "SIGNALPOST_TURN_BPS", value_name = "BYTES", default_value_t = 125_000_000, value_parser = clap::value_parser!(u64).range(1000..))]
    pub turn_bps: u64,

    /// Bytes per second that one relay allocation sends. A video of 1080p takes about half a million
    #[arg(help_heading = "ICE and relay", long, env = "SIGNALPOST_TURN_ALLOCATION_BPS", value_name = "BYTES", default_value_t = 4_000_000, value_parser = clap::value_parser!(u64).range(1000..))]
    pub turn_allocation_bps: u64,
}

//! The command line.

use std::{net::SocketAddr, path::PathBuf};

use clap::{ArgAction, Args, Parser, Subcommand, builder::NonEmptyStringValueParser};
use ipnet::IpNet;
use secrecy::SecretString;
use tracing_subscriber::filter::Targets;

use crate::{
    api::base_path::BasePath,
    config::{
        engine::{EngineChoice, RedisOptions},
        host::host,
        memory::MEMORY_BYTES_MIN,
        origin::origin,
        relay::RelayOptions,
        values::{at_least_one, boolean, folder, listen_address, log_filter, network, secret, stun_url, turn_url},
    },
    telemetry::LogFormat,
};

/// WebRTC signaling over plain HTTP, for networks where WebSockets do not work.
///
/// Without options it serves http://127.0.0.1:8080: open that in two windows for a call. Every option can also be set by an
/// environment variable; the command line takes precedence, and empty variables are ignored.
#[derive(Clone, Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true, args_override_self = true, max_term_width = 110)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Option<Command>,
    #[command(flatten)]
    pub config: Config,
}

#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Run the server (the default)
    Serve(Box<Config>),
    /// Print the OpenAPI document
    Openapi,
    /// Print a random key for --token-key, --ticket-key or --turn-secret
    Key,
    /// Check a running server, for containers: exits with 0 if it is ready
    Healthcheck {
        /// Such as http://127.0.0.1:8080/readyz. By default that of a server with the same environment variables
        url: Option<String>,
    },
}

#[derive(Clone, Debug, Args)]
pub struct Config {
    /// Address to listen on: IP:PORT, :PORT for all addresses of this machine, PORT for this machine only. Port 0 chooses a free
    /// port, which is printed
    #[arg(help_heading = "Listening", long, env = "SIGNALPOST_LISTEN", value_name = "ADDR", default_value = "127.0.0.1:8080", value_parser = listen_address)]
    pub listen: SocketAddr,

    /// Where rooms are stored: `memory`, or a Redis 7 or Valkey shared by several nodes: `redis://[USER:PASSWORD@]HOST[:PORT][/DB]`,
    /// rediss:// for TLS, servers of a cluster as redis://HOST:PORT,HOST:PORT, Sentinels as
    /// redis-sentinel://HOST:PORT,HOST:PORT/MASTER. Redis requires --token-key. `@FILE` reads the value from a file. See
    /// docs/redis.md
    #[arg(
        help_heading = "Redis",
        long,
        env = "SIGNALPOST_ENGINE",
        value_name = "memory|redis://…",
        default_value = "memory",
        hide_env_values = true
    )]
    pub engine: EngineChoice,

    #[command(flatten)]
    pub redis: RedisOptions,

    /// Key that signs tokens, as printed by `signalpost key`; `@FILE` reads it from a file. By default it is random, and peers do
    /// not survive a restart
    #[arg(help_heading = "Who gets in", long, env = "SIGNALPOST_TOKEN_KEY", value_name = "KEY|@FILE", hide_env_values = true, value_parser = secret)]
    pub token_key: Option<SecretString>,

    /// Require a ticket to create or join rooms: a JWT signed by your app's login. A secret of at least 32 characters for HS256,
    /// or `@FILE` with a public key in PEM (Ed25519 or P-256), a JWKS, or such a secret. See docs/auth.md
    #[arg(
        help_heading = "Who gets in",
        long,
        env = "SIGNALPOST_TICKET_KEY",
        value_name = "SECRET|@FILE",
        hide_env_values = true
    )]
    pub ticket_key: Option<SecretString>,

    /// Name of this service in the claim `aud` of tickets, which they then must have. Without this option, tickets for a named
    /// audience are refused. Repeatable
    #[arg(
        help_heading = "Who gets in",
        long,
        env = "SIGNALPOST_TICKET_AUDIENCE",
        value_name = "NAME",
        value_delimiter = ',',
        value_parser = NonEmptyStringValueParser::new(),
        requires = "ticket_key"
    )]
    pub ticket_audience: Vec<String>,

    /// Certificate chain in PEM, to serve https:// with HTTP/2. Reloaded when it changes
    #[arg(help_heading = "Listening", long, env = "SIGNALPOST_TLS_CERT", value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,

    /// Private key of the certificate, in PEM
    #[arg(help_heading = "Listening", long, env = "SIGNALPOST_TLS_KEY", value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,

    /// Serve https:// with a certificate generated at startup, to try cameras on a LAN. Browsers will warn
    #[arg(help_heading = "Listening", long, env = "SIGNALPOST_TLS_SELF_SIGNED", value_name = "true|false", action = ArgAction::Set, num_args = 0..=1,
        require_equals = true, default_value = "false", default_missing_value = "true", hide_default_value = true,
        hide_possible_values = true, value_parser = boolean)]
    pub tls_self_signed: bool,

    /// Proxy whose `X-Forwarded-For`, `X-Forwarded-Host` or `Forwarded` is trusted, as an address or a network (10.0.0.0/8). Repeatable
    #[arg(help_heading = "Listening", long, env = "SIGNALPOST_TRUSTED_PROXY", value_name = "CIDR", value_delimiter = ',', value_parser = network)]
    pub trusted_proxy: Vec<IpNet>,

    /// Name by which this server is reached (call.example.org), as it is in the `Host` header. Repeatable. On a loopback address it
    /// otherwise answers only to `localhost`, its addresses, and what a trusted proxy passes on, so that no other site can pose
    /// as its page (DNS rebinding); elsewhere to any name, unless this option is given
    #[arg(help_heading = "Listening", long, env = "SIGNALPOST_HOST", value_name = "NAME", value_delimiter = ',', value_parser = host)]
    pub host: Vec<String>,

    /// Joins and room creations per second from one client address (IPv6: a /64), with bursts of ten seconds' worth. Four times as
    /// many requests without a token and 150 times as many files of the page are answered. 0 disables these limits
    #[arg(help_heading = "Limits", long, env = "SIGNALPOST_RATE_JOIN", value_name = "N", default_value_t = 10)]
    pub rate_join: u32,

    /// Posts per second by one peer; a batch counts as one
    #[arg(help_heading = "Limits", long, env = "SIGNALPOST_RATE_SEND", value_name = "N", default_value_t = 50)]
    pub rate_send: u32,

    /// Polls, and requests for TURN credentials, per second by one peer
    #[arg(help_heading = "Limits", long, env = "SIGNALPOST_RATE_POLL", value_name = "N", default_value_t = 50)]
    pub rate_poll: u32,

    /// Web origin whose pages may use this server (`https://app.example.org`, or `*` for any): scheme, host, and a port other than
    /// the default. Repeatable. The server's own page needs none
    #[arg(help_heading = "Listening", long, env = "SIGNALPOST_CORS_ORIGIN", value_name = "ORIGIN", value_delimiter = ',', value_parser = origin)]
    pub cors_origin: Vec<String>,

    /// Path under which a proxy exposes this server (`/signal`), if it forwards paths unchanged. A proxy that strips the path needs
    /// no option: all links are relative
    #[arg(
        help_heading = "Listening",
        long,
        env = "SIGNALPOST_BASE_PATH",
        value_name = "PATH",
        default_value = "/",
        hide_default_value = true
    )]
    pub base_path: BasePath,

    /// Answer STUN over UDP on this address (0.0.0.0:3478; port 0 for any free one), so that peers behind a NAT learn their public
    /// address. Unless --stun-url is set, peers are given it under the host name by which they reach this server
    #[arg(help_heading = "ICE and relay", long, env = "SIGNALPOST_STUN_LISTEN", value_name = "ADDR", value_parser = listen_address)]
    pub stun_listen: Option<SocketAddr>,

    #[command(flatten)]
    pub relay: RelayOptions,

    /// STUN server for peers, as `stun:host:port`. Repeatable
    #[arg(help_heading = "ICE and relay", long, env = "SIGNALPOST_STUN_URL", value_name = "URL", value_delimiter = ',', value_parser = stun_url)]
    pub stun_url: Vec<String>,

    /// TURN server for peers, as `turn:host:port?transport=udp` or `turns:…`. Repeatable. Needs --turn-secret
    #[arg(help_heading = "ICE and relay", long, env = "SIGNALPOST_TURN_URL", value_name = "URL", value_delimiter = ',', value_parser = turn_url, requires = "turn_secret")]
    pub turn_url: Vec<String>,

    /// Secret shared with the TURN server (coturn: `static-auth-secret`); `@FILE` reads it from a file
    #[arg(help_heading = "ICE and relay", long, env = "SIGNALPOST_TURN_SECRET", value_name = "SECRET|@FILE", hide_env_values = true, value_parser = secret, requires = "turn_url")]
    pub turn_secret: Option<SecretString>,

    /// How long TURN credentials are valid, in seconds. Clients renew them halfway, and an established relay outlives them
    #[arg(help_heading = "ICE and relay", long, env = "SIGNALPOST_TURN_TTL", value_name = "S", default_value_t = 600, value_parser = clap::value_parser!(u64).range(5..=604_800))]
    pub turn_ttl: u64,

    /// How long calls that are relayed may delay the end of this server when it is asked to stop, in milliseconds
    #[arg(help_heading = "Operating", long, env = "SIGNALPOST_DRAIN_MS", value_name = "MS", default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(0..=86_400_000))]
    pub drain_ms: u64,

    /// How long a peer keeps its seat without making requests, in milliseconds
    #[arg(help_heading = "Rooms", long, env = "SIGNALPOST_LEASE_MS", value_name = "MS", default_value_t = 45_000, value_parser = clap::value_parser!(u64).range(100..=3_600_000))]
    pub lease_ms: u64,

    /// How long a page that said goodbye keeps its seat, in case it is only reloading, in milliseconds
    #[arg(help_heading = "Rooms", long, env = "SIGNALPOST_LEAVE_GRACE_MS", value_name = "MS", default_value_t = 3_000, value_parser = clap::value_parser!(u64).range(0..=60_000))]
    pub leave_grace_ms: u64,

    /// The longest wait of a poll, in milliseconds. Most proxies time out after 60 s, the strictest after 30 s
    #[arg(help_heading = "Rooms", long, env = "SIGNALPOST_WAIT_MAX_MS", value_name = "MS", default_value_t = 55_000, value_parser = clap::value_parser!(u64).range(0..=600_000))]
    pub wait_max_ms: u64,

    /// Seats in a room whose creator does not say how many. By default 2, or --room-capacity-max if that is less
    #[arg(help_heading = "Rooms", long, env = "SIGNALPOST_ROOM_CAPACITY", value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    pub room_capacity: Option<u16>,

    /// Largest number of seats in a room
    #[arg(help_heading = "Rooms", long, env = "SIGNALPOST_ROOM_CAPACITY_MAX", value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub room_capacity_max: u16,

    /// Largest number of rooms
    #[arg(help_heading = "Rooms", long, env = "SIGNALPOST_ROOMS_MAX", value_name = "N", default_value_t = 100_000, value_parser = at_least_one)]
    pub rooms_max: usize,

    /// Largest number of messages waiting in a mailbox
    #[arg(help_heading = "Rooms", long, env = "SIGNALPOST_MAILBOX_MESSAGES", value_name = "N", default_value_t = 256, value_parser = at_least_one)]
    pub mailbox_messages: usize,

    /// Largest number of bytes waiting in a mailbox
    #[arg(help_heading = "Rooms", long, env = "SIGNALPOST_MAILBOX_BYTES", value_name = "BYTES", default_value_t = 1_048_576, value_parser = at_least_one)]
    pub mailbox_bytes: usize,

    /// Largest request body, in bytes; a batch may have four times as many
    #[arg(help_heading = "Limits", long, env = "SIGNALPOST_BODY_BYTES", value_name = "BYTES", default_value_t = 65_536, value_parser = at_least_one)]
    pub body_bytes: usize,

    /// Memory that clients may use, in bytes: for rooms and mailboxes, connections, request bodies and responses. By default half
    /// the memory of the machine or container. When it is used up, requests are answered 503
    #[arg(help_heading = "Limits", long, env = "SIGNALPOST_MEMORY_BYTES", value_name = "BYTES", value_parser = clap::value_parser!(u64).range(MEMORY_BYTES_MIN..))]
    pub memory_bytes: Option<u64>,

    /// Largest number of open connections. By default as many as memory and file descriptors allow. On further ones, requests
    /// are answered 503
    #[arg(help_heading = "Limits", long, env = "SIGNALPOST_CONNECTIONS_MAX", value_name = "N", value_parser = at_least_one)]
    pub connections_max: Option<usize>,

    /// Largest number of open connections from one client address (IPv6: a /64) that is not a trusted proxy; its network may have
    /// four times as many. By default an address may have twice as many as it leaves to others, and a network three times as many
    #[arg(help_heading = "Limits", long, env = "SIGNALPOST_CONNECTIONS_PER_ADDRESS", value_name = "N", value_parser = at_least_one)]
    pub connections_per_address: Option<usize>,

    /// How long idle connections stay open, in milliseconds: longer than the load balancer in front keeps them
    #[arg(help_heading = "Limits", long, env = "SIGNALPOST_KEEP_ALIVE_MS", value_name = "MS", default_value_t = 75_000, value_parser = clap::value_parser!(u64).range(100..=3_600_000))]
    pub keep_alive_ms: u64,

    /// Serve /metrics on this address instead of --listen
    #[arg(help_heading = "Operating", long, env = "SIGNALPOST_METRICS_LISTEN", value_name = "ADDR", value_parser = listen_address)]
    pub metrics_listen: Option<SocketAddr>,

    /// Serve /metrics to everybody who can reach --listen. By default it is served there only if that is a loopback address
    #[arg(help_heading = "Operating", long, env = "SIGNALPOST_METRICS_PUBLIC", value_name = "true|false", action = ArgAction::Set, num_args = 0..=1,
        require_equals = true, default_value = "false", default_missing_value = "true", hide_default_value = true,
        hide_possible_values = true, value_parser = boolean)]
    pub metrics_public: bool,

    /// Number of worker threads. By default one for each processor
    #[arg(help_heading = "Operating", long, env = "SIGNALPOST_WORKERS", value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub workers: Option<u16>,

    /// Log level: error, warn, info, debug or trace; or one for each module, as in `warn,signalpost=debug`
    #[arg(help_heading = "Operating", long, env = "SIGNALPOST_LOG", value_name = "LEVEL", default_value = "info,actix_server=warn", value_parser = log_filter)]
    pub log: Targets,

    /// Log format
    #[arg(help_heading = "Operating", long, env = "SIGNALPOST_LOG_FORMAT", value_enum, ignore_case = true, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,

    /// Serve the page from this folder instead of the binary, for developing it
    #[arg(help_heading = "Listening", long, env = "SIGNALPOST_WEB_DIR", value_name = "DIR", value_parser = folder)]
    pub web_dir: Option<PathBuf>,
}

impl Config {
    /// The configuration without any options.
    pub fn from_defaults() -> Self {
        Cli::parse_from(["signalpost"]).config
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_option_has_an_environment_variable() {
        for argument in Cli::command().get_arguments().filter(|argument| argument.get_long().is_some()) {
            let expected = format!("SIGNALPOST_{}", argument.get_id().as_str().to_uppercase());
            let has = argument.get_env().map(|name| name.to_string_lossy().into_owned());
            let built_in = matches!(argument.get_id().as_str(), "help" | "version");
            assert!(built_in || has == Some(expected), "{argument}");
        }
    }

    #[test]
    fn invalid_values_are_refused() {
        for bad in [
            "--stun-url=stun://host",
            "--stun-url=host:3478",
            "--turn-url=turn:host",
            "--turn-secret=",
            "--web-dir=/nowhere",
            "--rooms-max=0",
            "--workers=0",
            "--workers=100000",
            "--log=loud",
            "--listen=call.example:443",
        ] {
            assert!(Cli::try_parse_from(["signalpost", bad]).is_err(), "{bad}");
        }
        assert!(Cli::try_parse_from(["signalpost", "--turn-url=turn:host?transport=tcp", "--turn-secret=s"]).is_ok());
    }
}

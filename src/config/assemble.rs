//! Builds from the options what other modules need.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use crate::{
    api::{
        MetricsAt,
        auth::{rate_limit::RateLimits, ticket_keys::TicketKeys, token::TokenKey},
    },
    clock::Clock,
    config::{engine::EngineChoice, memory::Shares, options::Config},
    domain::Limits,
    engine::{Engine, Memory, Redis},
    ice::{IceConfig, OwnRelay},
    tls::Tls,
    transport::limits::registry::ConnectionLimits,
};

/// How many times larger than other bodies a batch may be.
const BATCH_BODIES: usize = 4;
/// File descriptors that are not for connections: listeners, timers, files, and a reserve.
const DESCRIPTORS_KEPT: usize = 256;
/// Connections of monitoring, which are not clients', in all and from one address, and memory for their responses.
const METRICS_CONNECTIONS: usize = 64;
const METRICS_PER_ADDRESS: usize = 16;
/// Monitoring asks at intervals, and need not keep its connections.
const METRICS_IDLE: Duration = Duration::from_secs(15);
const METRICS_BYTES: usize = 1024 * 1024;

impl Config {
    /// Whether the options fit together.
    pub fn check(&self) -> Result<(), String> {
        if self.room_capacity.is_some_and(|capacity| capacity > self.room_capacity_max) {
            return Err("--room-capacity must not be more than --room-capacity-max".into());
        }
        self.check_relay()
    }

    pub fn limits(&self) -> Limits {
        let wait_max = Duration::from_millis(self.wait_max_ms);
        let defaults = Limits::default();
        Limits {
            rooms: self.rooms_max,
            room_capacity: self.room_capacity.map_or(defaults.room_capacity, usize::from),
            room_capacity_max: self.room_capacity_max.into(),
            mailbox_messages: self.mailbox_messages,
            mailbox_bytes: self.mailbox_bytes,
            rooms_bytes: self.shares().rooms,
            body_bytes: self.body_bytes,
            batch_bytes: self.body_bytes.saturating_mul(BATCH_BODIES),
            wait_max,
            wait_default: defaults.wait_default.min(wait_max),
            lease: Duration::from_millis(self.lease_ms),
            leave_grace: Duration::from_millis(self.leave_grace_ms),
            ..defaults
        }
    }

    pub fn tls(&self, addresses: &[SocketAddr]) -> Result<Option<Tls>, String> {
        match (&self.tls_cert, &self.tls_key) {
            (Some(_), _) if self.tls_self_signed => Err("--tls-self-signed cannot be used with --tls-cert".into()),
            (Some(certificate), Some(key)) => Tls::from_files(certificate, key).map(Some),
            _ if self.tls_self_signed => {
                let ips: Vec<_> = addresses.iter().map(SocketAddr::ip).collect();
                Tls::self_signed(&ips).map(Some)
            }
            _ => Ok(None),
        }
    }

    pub fn is_encrypted(&self) -> bool {
        self.tls_cert.is_some() || self.tls_self_signed
    }

    pub fn has_several_nodes(&self) -> bool {
        !matches!(self.engine, EngineChoice::Memory)
    }

    pub fn metrics_at(&self) -> MetricsAt {
        let is_private = self.listen.ip().to_canonical().is_loopback();
        match self.metrics_listen {
            Some(_) => MetricsAt::OwnListener,
            None if is_private || self.metrics_public => MetricsAt::Here,
            None => MetricsAt::Nowhere,
        }
    }

    pub fn rates(&self) -> RateLimits {
        RateLimits { join: self.rate_join, send: self.rate_send, poll: self.rate_poll }
    }

    pub fn ice(&self, stun_port: Option<u16>, relay: Option<OwnRelay>) -> Arc<IceConfig> {
        Arc::new(IceConfig {
            stun_urls: self.stun_url.clone(),
            stun_port,
            turn_urls: self.turn_url.clone(),
            turn_secret: self.turn_secret.clone(),
            turn_ttl: Duration::from_secs(self.turn_ttl),
            relay,
        })
    }

    fn shares(&self) -> Shares {
        Shares::of(self.memory_bytes, self.is_encrypted())
    }

    /// The limits of the public listener, for a process that may open `descriptors` files.
    pub fn connections(&self, descriptors: u64) -> ConnectionLimits {
        let available = usize::try_from(descriptors).unwrap_or(usize::MAX).saturating_sub(DESCRIPTORS_KEPT);
        let available = available.saturating_sub(self.relay_sockets()).max(16);
        let shares = self.shares();
        let total = self.connections_max.unwrap_or(shares.connections).min(available);
        ConnectionLimits {
            total,
            per_address: self.connections_per_address,
            memory_bytes: shares.transit,
            body_bytes: self.limits().batch_bytes,
            idle: Duration::from_millis(self.keep_alive_ms),
        }
    }

    /// The limits of `--metrics-listen`.
    pub fn metrics_connections(&self) -> ConnectionLimits {
        let (total, per_address) = (METRICS_CONNECTIONS, Some(METRICS_PER_ADDRESS));
        let idle = METRICS_IDLE.min(Duration::from_millis(self.keep_alive_ms));
        ConnectionLimits { total, per_address, memory_bytes: METRICS_BYTES, body_bytes: 0, idle }
    }

    pub fn engine(&self, limits: &Arc<Limits>, clock: Clock) -> Result<Engine, String> {
        match &self.engine {
            EngineChoice::Memory => match self.redis.first_set() {
                Some(option) => Err(format!("{option} needs --engine redis://…")),
                None => Ok(Engine::Memory(Memory::new(limits.clone(), clock))),
            },
            EngineChoice::Invalid(why) => Err(format!("--engine cannot be read: {why}")),
            EngineChoice::Redis(_) if self.token_key.is_none() => {
                Err("--engine redis://… requires the same --token-key on all nodes, as printed by `signalpost key`"
                    .into())
            }
            EngineChoice::Redis(address) => {
                Redis::connect(self.redis.add_to(address)?, limits.clone(), clock).map(Engine::Redis)
            }
        }
    }

    /// The keys that verify tickets, if they are required.
    pub fn ticket_keys(&self) -> Result<Option<TicketKeys>, String> {
        self.ticket_key.as_ref().map(|key| TicketKeys::new(key, &self.ticket_audience)).transpose()
    }

    /// The key that signs tokens.
    pub fn token_key(&self) -> Result<TokenKey, String> {
        match &self.token_key {
            Some(secret) => TokenKey::from_secret(secret).map_err(|why| format!("--token-key {why}")),
            None => TokenKey::random().map_err(|error| format!("cannot generate a token key: {error}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::config::options::Cli;

    #[test]
    fn the_defaults_are_the_same_as_those_of_limits() {
        let ours = Config::from_defaults().limits();
        // It depends on the machine.
        let theirs = Limits { rooms_bytes: ours.rooms_bytes, ..Limits::default() };
        assert_eq!(format!("{ours:?}"), format!("{theirs:?}"));
    }

    /// `--room-capacity 10 --room-capacity-max 4` made rooms of four.
    #[test]
    fn a_capacity_above_the_largest_is_refused() {
        let config = |line: &[&str]| Cli::try_parse_from([&["signalpost"], line].concat()).unwrap().config;
        for (line, seats) in [
            (&[][..], 2),
            (&["--room-capacity-max=1"], 1),
            (&["--room-capacity=4", "--room-capacity-max=4"], 4),
            (&["--room-capacity=64"], 64),
        ] {
            assert_eq!((config(line).check(), config(line).limits().seats(None).unwrap()), (Ok(()), seats), "{line:?}");
        }
        for line in [["--room-capacity=10", "--room-capacity-max=4"], ["--room-capacity=2", "--room-capacity-max=1"]] {
            let error = config(&line).check().unwrap_err();
            assert!(error.contains("--room-capacity ") && error.contains("--room-capacity-max"), "{error}");
        }
    }
}

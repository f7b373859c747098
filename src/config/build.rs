//! What the server is built from: the engine, the token key and the limits on connections.

use std::{sync::Arc, time::Duration};

use crate::{
    api::auth::token::TokenKey,
    clock::Clock,
    config::{
        Config,
        engine::EngineChoice,
        memory::{Shares, half_of_the_machine},
    },
    domain::Limits,
    engine::{Engine, Memory, Redis},
    transport::limits::registry::ConnectionLimits,
};

/// File descriptors that are not for connections: listeners, timers, files, and a reserve.
const DESCRIPTORS_KEPT: usize = 256;
/// Many clients may share an address, but a few such addresses must not take all connections.
const PER_ADDRESS_MAX: usize = 2048;
const PER_ADDRESS_MIN: usize = 64;
/// Connections of monitoring, which are not clients', and memory for their responses.
const METRICS_CONNECTIONS: usize = 64;
const METRICS_BYTES: usize = 1024 * 1024;
impl Config {
    pub fn engine(&self, limits: &Arc<Limits>, clock: Clock) -> Result<Engine, String> {
        match &self.engine {
            EngineChoice::Memory => match self.redis.first_set() {
                Some(option) => Err(format!("{option} needs --engine redis://…")),
                None => Ok(Engine::Memory(Memory::new(limits.clone(), clock))),
            },
            EngineChoice::Invalid(why) => Err(format!("--engine cannot be read: {why}")),
            EngineChoice::Redis(_) if self.token_key.is_none() => {
                Err("--engine redis://… requires the same --token-key on all nodes: at least 16 unguessable characters"
                    .into())
            }
            EngineChoice::Redis(address) => {
                Redis::connect(self.redis.add_to(address)?, limits.clone(), clock).map(Engine::Redis)
            }
        }
    }

    /// The key that signs tokens.
    pub fn token_key(&self) -> Result<TokenKey, String> {
        match &self.token_key {
            Some(secret) => TokenKey::from_secret(secret)
                .ok_or_else(|| format!("--token-key must have at least {} characters", TokenKey::MIN_LEN)),
            None => TokenKey::random().map_err(|error| format!("cannot generate a token key: {error}")),
        }
    }

    pub(crate) fn shares(&self) -> Shares {
        Shares::of(self.memory_bytes.unwrap_or_else(half_of_the_machine), self.is_encrypted())
    }

    /// The limits of the public listener, for a process with so many file descriptors.
    pub fn connections(&self, descriptors: u64) -> ConnectionLimits {
        let available = usize::try_from(descriptors).unwrap_or(usize::MAX).saturating_sub(DESCRIPTORS_KEPT).max(16);
        let shares = self.shares();
        let total = self.connections_max.unwrap_or(shares.connections).min(available);
        let per_address = PER_ADDRESS_MAX.min(total / 4).max(PER_ADDRESS_MIN);
        ConnectionLimits {
            total,
            per_address: self.connections_per_address.unwrap_or(per_address),
            memory_bytes: shares.transit,
            body_bytes: self.limits().batch_bytes,
            idle: Duration::from_millis(self.keep_alive_ms),
        }
    }

    /// The limits of `--metrics-listen`.
    pub fn metrics_connections(&self) -> ConnectionLimits {
        let (total, per_address) = (METRICS_CONNECTIONS, METRICS_CONNECTIONS);
        let idle = Duration::from_millis(self.keep_alive_ms);
        ConnectionLimits { total, per_address, memory_bytes: METRICS_BYTES, body_bytes: 0, idle }
    }
}

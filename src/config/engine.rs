//! Where rooms are kept, and the key that all who keep them share.

use std::{convert::Infallible, str::FromStr, sync::Arc};

use super::Config;
use crate::{
    clock::Clock,
    domain::Limits,
    engine::{Engine, Memory, Redis, RedisAddress},
    http::TokenKey,
};

/// What `--engine` may say.
#[derive(Clone, Debug, Default)]
pub enum EngineChoice {
    #[default]
    Memory,
    Redis(RedisAddress),
    /// Why it is neither. Said later: the command line would show the whole address with it, password and all.
    Unreadable(String),
}

impl FromStr for EngineChoice {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        let text = match text.strip_prefix('@') {
            Some(path) => std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}")),
            None => Ok(text.to_owned()),
        };
        let choice = text.and_then(|text| match text.trim() {
            "memory" => Ok(Self::Memory),
            url => url.parse().map(Self::Redis).map_err(|why| format!("{why}, or be memory")),
        });
        Ok(choice.unwrap_or_else(Self::Unreadable))
    }
}

impl Config {
    pub fn engine(&self, limits: &Arc<Limits>, clock: Clock) -> Result<Engine, String> {
        match &self.engine {
            EngineChoice::Memory => Ok(Engine::Memory(Memory::new(limits.clone(), clock))),
            EngineChoice::Unreadable(why) => Err(format!("--engine cannot be read: {why}")),
            EngineChoice::Redis(_) if self.token_key.is_none() => {
                Err("with --engine redis://… all nodes must make the \
                 same tokens: give each the same --token-key, at least 16 characters that nobody can guess"
                    .into())
            }
            EngineChoice::Redis(address) => Redis::connect(address.clone(), limits.clone(), clock).map(Engine::Redis),
        }
    }

    /// The key for tokens, or what is wrong with the one that was given.
    pub fn token_key(&self) -> Result<TokenKey, String> {
        match &self.token_key {
            Some(secret) => TokenKey::from_secret(secret)
                .ok_or_else(|| format!("--token-key must have at least {} characters", TokenKey::MIN_LEN)),
            None => TokenKey::random().map_err(|error| format!("there is no randomness for a token key: {error}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engine_is_memory_or_an_address_of_redis() {
        assert!(matches!("memory".parse(), Ok(EngineChoice::Memory)));
        assert!(matches!("redis://a.example:6379/1".parse(), Ok(EngineChoice::Redis(_))));
        for bad in ["", "Memory", "mysql://a", "redis://", "@/nowhere"] {
            assert!(matches!(bad.parse(), Ok(EngineChoice::Unreadable(_))), "{bad}");
        }
    }
}

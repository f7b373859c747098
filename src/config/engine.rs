//! Options of the engine.

use std::{convert::Infallible, path::PathBuf, str::FromStr};

use clap::Args;
use secrecy::SecretString;

use crate::{
    config::values::{file_text, secret},
    engine::{RedisAddress, RedisLogin, RedisTlsFiles},
};

/// The value of `--engine`.
#[derive(Clone, Debug, Default)]
pub enum EngineChoice {
    #[default]
    Memory,
    Redis(Box<RedisAddress>),
    /// Why it is neither. Reported later, because clap's error would show the address with its password.
    Invalid(String),
}

impl FromStr for EngineChoice {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        let text = match text.strip_prefix('@') {
            Some(path) => file_text(path),
            None => Ok(text.to_owned()),
        };
        let choice = text.and_then(|text| match text.trim() {
            "memory" => Ok(Self::Memory),
            url => url.parse().map(Box::new).map(Self::Redis).map_err(|why| format!("{why}, or be memory")),
        });
        Ok(choice.unwrap_or_else(Self::Invalid))
    }
}

/// Options of Redis that are not part of its address.
#[derive(Clone, Debug, Args)]
pub struct RedisOptions {
    /// Password of the Sentinels of redis-sentinel://…, as opposed to that of Redis; `@FILE` reads it from a file
    #[arg(help_heading = "Redis", long, env = "SIGNALPOST_REDIS_SENTINEL_PASSWORD", value_name = "WORD|@FILE", hide_env_values = true, value_parser = secret)]
    pub redis_sentinel_password: Option<SecretString>,

    /// User name for the Sentinels, unless it is the default user
    #[arg(
        help_heading = "Redis",
        long,
        env = "SIGNALPOST_REDIS_SENTINEL_USER",
        value_name = "USER",
        requires = "redis_sentinel_password"
    )]
    pub redis_sentinel_user: Option<String>,

    /// CA certificates for Redis and its Sentinels, in PEM, instead of the system's. Read again for each connection, like the next
    /// two
    #[arg(help_heading = "Redis", long, env = "SIGNALPOST_REDIS_TLS_CA", value_name = "FILE")]
    pub redis_tls_ca: Option<PathBuf>,

    /// Client certificate chain, in PEM, for a Redis that requires one (`tls-auth-clients yes`)
    #[arg(
        help_heading = "Redis",
        long,
        env = "SIGNALPOST_REDIS_TLS_CERT",
        value_name = "FILE",
        requires = "redis_tls_key"
    )]
    pub redis_tls_cert: Option<PathBuf>,

    /// Private key of that certificate, in PEM
    #[arg(
        help_heading = "Redis",
        long,
        env = "SIGNALPOST_REDIS_TLS_KEY",
        value_name = "FILE",
        requires = "redis_tls_cert"
    )]
    pub redis_tls_key: Option<PathBuf>,
}

impl RedisOptions {
    pub fn add_to(&self, address: &RedisAddress) -> Result<RedisAddress, String> {
        let login =
            RedisLogin { user: self.redis_sentinel_user.clone(), password: self.redis_sentinel_password.clone() };
        let pair = self.redis_tls_cert.clone().zip(self.redis_tls_key.clone());
        let files = RedisTlsFiles { ca: self.redis_tls_ca.clone(), pair };
        address.clone().with_sentinel_login(login)?.with_tls_files(files)
    }

    /// The first of these options that is set.
    pub fn first_set(&self) -> Option<&'static str> {
        let given = [
            ("--redis-sentinel-password", self.redis_sentinel_password.is_some()),
            ("--redis-tls-ca", self.redis_tls_ca.is_some()),
            ("--redis-tls-cert", self.redis_tls_cert.is_some()),
        ];
        given.into_iter().find_map(|(option, given)| given.then_some(option))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engine_is_memory_or_a_redis_address() {
        assert!(matches!("memory".parse(), Ok(EngineChoice::Memory)));
        assert!(matches!("redis://a.example:6379/1".parse(), Ok(EngineChoice::Redis(_))));
        for bad in ["", "Memory", "mysql://a", "redis://", "@/nowhere"] {
            assert!(matches!(bad.parse(), Ok(EngineChoice::Invalid(_))), "{bad}");
        }
    }

    #[test]
    fn the_address_in_a_file_may_have_a_byte_order_mark() {
        let path = std::env::temp_dir().join(format!("signalpost-engine-{}", std::process::id()));
        std::fs::write(&path, "\u{feff}redis://a.example\r\n").unwrap();
        assert!(matches!(format!("@{}", path.display()).parse(), Ok(EngineChoice::Redis(_))));
        std::fs::remove_file(path).unwrap();
    }
}

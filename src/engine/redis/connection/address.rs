//! The address of Redis, as `--engine` gives it.

use std::{fmt, str::FromStr};

use percent_encoding::percent_decode_str;
use redis::{Client, ConnectionAddr, ErrorKind, IntoConnectionInfo, ProtocolVersion, RedisConnectionInfo, RedisError};
use secrecy::{ExposeSecret, SecretString};

use crate::engine::redis::{
    connection::{
        permissions,
        tls::{TlsFiles, advice},
    },
    keys,
};

/// `redis://[user:password@]host[:port][,host[:port]…][/db][?prefix=NAME]`, `rediss://` over TLS, and
/// `redis-sentinel://host[:port],…/master[/db]`. A server reports whether it is part of a cluster; the hosts are then asked for
/// the other servers.
#[derive(Clone, Debug)]
pub struct Address {
    pub hosts: Vec<Host>,
    /// If the hosts are Sentinels, their name of the master.
    pub master: Option<String>,
    /// The start of all keys, before the version.
    pub prefix: String,
    /// Present if connections use TLS.
    tls: Option<TlsFiles>,
    db: u16,
    login: Login,
    sentinel_login: Login,
}

#[derive(Clone, Debug, Default)]
pub struct Login {
    pub user: Option<String>,
    pub password: Option<SecretString>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Host {
    pub name: String,
    pub port: u16,
}

const PORT: u16 = 6379;
const SENTINEL_PORT: u16 = 26379;
const PREFIX: &str = "sp";

impl Address {
    /// Sentinels have users and passwords of their own.
    pub fn with_sentinel_login(self, login: Login) -> Result<Self, String> {
        match (&self.master, &login.password) {
            (None, Some(_)) => Err("--redis-sentinel-password needs --engine redis-sentinel://…".into()),
            _ => Ok(Self { sentinel_login: login, ..self }),
        }
    }

    pub fn with_tls_files(self, files: TlsFiles) -> Result<Self, String> {
        let given = [("--redis-tls-ca", files.ca.is_some()), ("--redis-tls-cert", files.pair.is_some())];
        match (&self.tls, given.iter().find(|(_, given)| *given)) {
            (None, Some((option, _))) => Err(format!("{option} needs --engine rediss://… or rediss-sentinel://…")),
            (None, None) => Ok(self),
            (Some(_), _) => files.read().map(|_| Self { tls: Some(files), ..self }),
        }
    }

    pub fn client(&self, host: &Host, protocol: ProtocolVersion) -> Result<Client, String> {
        self.client_of(host, &self.login, RedisConnectionInfo::default().set_protocol(protocol).set_db(self.db.into()))
    }

    pub fn sentinel_client(&self, host: &Host) -> Result<Client, String> {
        self.client_of(host, &self.sentinel_login, RedisConnectionInfo::default())
    }

    fn client_of(&self, host: &Host, login: &Login, settings: RedisConnectionInfo) -> Result<Client, String> {
        // CLIENT SETINFO may be forbidden, and Redis would log the attempt.
        let mut settings = settings.set_skip_set_lib_name();
        if let Some(user) = &login.user {
            settings = settings.set_username(user);
        }
        if let Some(password) = &login.password {
            settings = settings.set_password(password.expose_secret());
        }
        let Host { name, port } = host.clone();
        let addr = match self.tls {
            Some(_) => ConnectionAddr::TcpTls { host: name, port, insecure: false, tls_params: None },
            None => ConnectionAddr::Tcp(name, port),
        };
        let failed = |error: RedisError| error.to_string();
        let info = addr.into_connection_info().map_err(failed)?.set_redis_settings(settings);
        match &self.tls {
            Some(files) => Client::build_with_tls(info, files.read()?).map_err(failed),
            None => Client::open(info).map_err(failed),
        }
    }

    pub fn user(&self) -> &str {
        self.login.user.as_deref().unwrap_or("default")
    }

    /// An error of Redis, with advice to the operator.
    pub fn explain(&self, error: &RedisError) -> String {
        let missing = || permissions::explain(error, self.user(), &keys::prefix(&self.prefix));
        self.advise(error, "set user and password with --engine redis://USER:PASSWORD@…")
            .or_else(missing)
            .unwrap_or(error.to_string())
    }

    pub fn explain_sentinel(&self, error: &RedisError) -> String {
        let missing = || {
            (error.code() == Some("NOPERM")).then(|| {
                let user = self.sentinel_login.user.as_deref().unwrap_or("default");
                format!("{error}: ACL SETUSER {user} +sentinel|get-master-addr-by-name")
            })
        };
        let login = "set --redis-sentinel-password, and perhaps --redis-sentinel-user";
        self.advise(error, login).or_else(missing).unwrap_or(error.to_string())
    }

    fn advise(&self, error: &RedisError, login: &str) -> Option<String> {
        let refused =
            error.kind() == ErrorKind::AuthenticationFailed || matches!(error.code(), Some("NOAUTH" | "WRONGPASS"));
        let advice = if refused { Some(login) } else { self.tls.as_ref().and_then(|_| advice(error)) };
        advice.map(|advice| format!("{error}: {advice}"))
    }
}

/// Without passwords.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hosts: Vec<String> = self.hosts.iter().map(Host::to_string).collect();
        match &self.master {
            Some(master) => write!(f, "{master} of the Sentinels at {}", hosts.join(", ")),
            None => write!(f, "{}", hosts.join(", ")),
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.name.contains(':') {
            write!(f, "[{}]:{}", self.name, self.port)
        } else {
            write!(f, "{}:{}", self.name, self.port)
        }
    }
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (scheme, rest) = text.split_once("://").ok_or("it must begin with redis://")?;
        // RFC 3986 section 3.1.
        let (tls, sentinel) = match &*scheme.to_ascii_lowercase() {
            "redis" => (false, false),
            "rediss" => (true, false),
            "redis-sentinel" => (false, true),
            "rediss-sentinel" => (true, true),
            _ => return Err("it must begin with redis://, rediss://, redis-sentinel:// or rediss-sentinel://".into()),
        };
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (credentials, rest) = rest.rsplit_once('@').unwrap_or(("", rest));
        let (hosts, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (master, db) = if sentinel { path.split_once('/').unwrap_or((path, "")) } else { ("", path) };
        if sentinel && master.is_empty() {
            return Err("the name of the master is missing: redis-sentinel://host:port/NAME".into());
        }
        let port = if sentinel { SENTINEL_PORT } else { PORT };
        Ok(Self {
            hosts: parse_hosts(hosts, port)?,
            master: sentinel.then(|| master.to_owned()),
            prefix: parse_prefix(query)?,
            tls: tls.then(TlsFiles::default),
            db: if db.is_empty() {
                0
            } else {
                db.parse().map_err(|_| "a database is a number: redis://host:port/0")?
            },
            login: parse_login(credentials)?,
            sentinel_login: Login::default(),
        })
    }
}

/// Only the first that answers is used at the start: a mistake in another would be found when that one fails.
fn parse_hosts(list: &str, default_port: u16) -> Result<Vec<Host>, String> {
    let hosts = list.split(',').map(str::trim).filter(|host| !host.is_empty());
    let hosts: Vec<Host> = hosts.map(|host| parse_host(host, default_port)).collect::<Result<_, _>>()?;
    if hosts.is_empty() { Err("a host is missing: redis://host:port".into()) } else { Ok(hosts) }
}

fn parse_host(text: &str, default_port: u16) -> Result<Host, String> {
    let bracketed = text.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    let (name, port) = match bracketed {
        Some((name, "")) => (name, None),
        Some((name, after)) => (name, Some(after.strip_prefix(':').unwrap_or(""))),
        None => text.split_once(':').map_or((text, None), |(name, port)| (name, Some(port))),
    };
    if name.is_empty() {
        return Err("a host is missing: redis://host:port".into());
    }
    if name.contains(|c: char| c.is_whitespace() || "[]".contains(c)) {
        // Not repeated: it may be a part of a password.
        return Err("a host has no blanks, and an IPv6 address is in brackets: redis://[::1]:6379".into());
    }
    let number = |text: &str| text.parse().ok().filter(|port| *port > 0 && text.bytes().all(|b| b.is_ascii_digit()));
    let port = port.map_or(Some(default_port), number);
    Ok(Host { name: name.to_owned(), port: port.ok_or("a port is a number from 1 to 65535: host:6379")? })
}

fn parse_login(credentials: &str) -> Result<Login, String> {
    let (user, password) = credentials.split_once(':').unwrap_or((credentials, ""));
    let login = Login { user: decode(user)?, password: decode(password)?.map(SecretString::from) };
    // Redis would not be told the user.
    if login.user.is_some() && login.password.is_none() {
        return Err("a user needs a password: redis://USER:PASSWORD@…; a password alone is redis://:PASSWORD@…".into());
    }
    Ok(login)
}

fn parse_prefix(query: &str) -> Result<String, String> {
    if query.is_empty() {
        return Ok(PREFIX.into());
    }
    let prefix = query.strip_prefix("prefix=").ok_or("the only parameter is ?prefix=NAME")?;
    let fits =
        (1..=32).contains(&prefix.len()) && prefix.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b));
    if fits { Ok(prefix.into()) } else { Err("a prefix has 1 to 32 characters of A-Z a-z 0-9 _ -".into()) }
}

/// A user name or password; `None` if it is empty.
fn decode(text: &str) -> Result<Option<String>, String> {
    let decoded = percent_decode_str(text).decode_utf8().map_err(|_| "the user or the password is not UTF-8")?;
    Ok((!decoded.is_empty()).then(|| decoded.into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(text: &str) -> Vec<String> {
        text.parse::<Address>().unwrap().hosts.iter().map(Host::to_string).collect()
    }

    #[test]
    fn an_address_names_one_server_or_several() {
        assert_eq!(hosts("redis://a.example"), ["a.example:6379"]);
        assert_eq!(hosts("rediss://a:1,b:2,[::1]:3/4"), ["a:1", "b:2", "[::1]:3"]);
        assert_eq!(hosts("redis-sentinel://a,b:2/calls"), ["a:26379", "b:2"]);
        assert_eq!(hosts("Redis-Sentinel://a:1, b:2 ,/calls"), ["a:1", "b:2"]);
        assert_eq!(hosts("redis://[::1], [::2]:2"), ["[::1]:6379", "[::2]:2"]);
        for bad in [
            "memcached://a",
            "redis:a",
            "redis://",
            "redis://,",
            "redis://a:port",
            "redis://a:0",
            "redis://a:+1",
            "redis://a:1 b:2",
            "redis://a b",
            "redis://[::1",
            "redis://[::1]x",
            "redis://[::1]6379",
            "redis://[]:1",
            "redis://a/tea",
            "redis://a?db=1",
            "redis://a?prefix={x}",
            "redis-sentinel://a",
        ] {
            assert!(bad.parse::<Address>().is_err(), "{bad}");
        }
    }

    /// Redis was told neither, and the rights were those of `default`.
    #[test]
    fn a_user_has_a_password() {
        let error = "redis://ann@a".parse::<Address>().unwrap_err();
        assert!(error.contains("a password alone is redis://:PASSWORD@"), "{error}");
        let address: Address = "redis://:secret@a".parse().unwrap();
        assert!(address.login.user.is_none() && address.login.password.is_some());
    }

    #[test]
    fn a_password_may_have_any_character_and_is_never_shown() {
        let address: Address = "redis://ann:p%40ss%2F%25@a:1/2?prefix=staging".parse().unwrap();
        assert_eq!(address.login.user.as_deref(), Some("ann"));
        assert_eq!(address.login.password.as_ref().unwrap().expose_secret(), "p@ss/%");
        assert_eq!((address.db, address.prefix.as_str()), (2, "staging"));
        for shown in [format!("{address}"), format!("{address:?}")] {
            assert!(!shown.contains("p@ss"), "{shown}");
        }
    }
}

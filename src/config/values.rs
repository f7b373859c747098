//! Values of options, and what is wrong with those that are none.

use std::path::PathBuf;

use ipnet::IpNet;
use secrecy::{ExposeSecret, SecretString};

/// A secret as it stands, or the contents of the file after an `@`.
pub fn secret(text: &str) -> Result<SecretString, String> {
    let read = |path: &str| std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"));
    let secret: SecretString = match text.strip_prefix('@') {
        Some(path) => read(path)?.into(),
        None => text.to_owned().into(),
    };
    let trimmed: SecretString = secret.expose_secret().trim().to_owned().into();
    if trimmed.expose_secret().is_empty() { Err("it is empty".into()) } else { Ok(trimmed) }
}

pub fn stun_url(text: &str) -> Result<String, String> {
    ice_url(text, &["stun:", "stuns:"])
}

pub fn turn_url(text: &str) -> Result<String, String> {
    ice_url(text, &["turn:", "turns:"])
}

/// RFC 7064 and RFC 7065: a scheme, a colon, a host; no slashes.
fn ice_url(text: &str, schemes: &[&str]) -> Result<String, String> {
    let host = schemes.iter().find_map(|scheme| text.strip_prefix(scheme));
    let fits =
        host.is_some_and(|host| !host.is_empty() && !host.starts_with('/') && !host.contains(char::is_whitespace));
    if fits { Ok(text.to_owned()) } else { Err(format!("it must look like {}host:port", schemes[0])) }
}

pub fn network(text: &str) -> Result<IpNet, String> {
    let address = text.parse::<std::net::IpAddr>().map(IpNet::from);
    text.parse().or(address).map_err(|_| "it must be an address or a network, as in 10.0.0.0/8".into())
}

pub fn at_least_one(text: &str) -> Result<usize, String> {
    let number = text.parse().map_err(|_| "it must be a whole number".to_owned())?;
    if number == 0 { Err("it must be at least 1".into()) } else { Ok(number) }
}

pub fn folder(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    if path.join("app/index.html").is_file() { Ok(path) } else { Err("there is no app/index.html in it".into()) }
}

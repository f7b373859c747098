//! The names under which this server may be reached, against DNS rebinding.
//!
//! A page whose own name suddenly leads to 127.0.0.1 is, to its browser, the server's own page. Only `Host` (over HTTP/2
//! `:authority`) tells that it asked for another server.

use std::net::{IpAddr, SocketAddr};

use actix_web::http::uri::Authority;

use crate::{
    api::{Code, Problem},
    transport::{Request, client_address::TrustedProxies, headers::Headers, known_header::KnownHeader},
};

/// What `Host` may be.
#[derive(Clone, Debug)]
pub enum AllowedHosts {
    /// On an address that others can reach, names are the operator's to choose.
    Any,
    Listed {
        /// The usual ones, as browsers write them, without ports: most requests need one comparison.
        usual: Vec<String>,
        /// From `--host`, in lower case; addresses without brackets.
        names: Vec<String>,
        /// Other addresses do not lead here, so they are refused, too. Elsewhere health checks use them, and no name can be
        /// made to be one.
        is_loopback: bool,
    },
}

impl AllowedHosts {
    pub fn new(listen: SocketAddr, names: &[String]) -> Self {
        let is_loopback = listen.ip().to_canonical().is_loopback();
        if !is_loopback && names.is_empty() {
            return Self::Any;
        }
        let usual = ["127.0.0.1", "localhost", "[::1]"].map(str::to_owned).into_iter();
        let names: Vec<String> = names.iter().map(|name| name.trim_matches(['[', ']']).to_owned()).collect();
        Self::Listed { usual: usual.chain(names.iter().cloned()).collect(), names, is_loopback }
    }

    /// Refuses a request to another name. What a trusted proxy passes on is accepted, and so is HTTP/1.0 without a name, which no
    /// browser speaks.
    pub fn check(&self, request: &Request, proxies: &TrustedProxies) -> Result<(), Problem> {
        let Self::Listed { usual, names, is_loopback } = self else { return Ok(()) };
        let permits =
            |host: &[u8]| usual.iter().any(|name| is_named(host, name)) || is_listed(host, names, *is_loopback);
        let permitted = match request.headers() {
            Headers::InPlace(head) => head.header(KnownHeader::Host).is_none_or(permits),
            Headers::Map(map) => {
                let mut fields = map.get_all(KnownHeader::Host.name()).map(|value| value.as_bytes());
                fields.all(permits)
                    && request.authority().is_none_or(|authority| permits(authority.as_str().as_bytes()))
            }
        };
        if permitted || proxies.trusts(request.peer().ip().to_canonical()) {
            return Ok(());
        }
        Err(Problem::new(
            Code::HostRefused,
            "The server is not known by the name in `Host`. On this machine it is `localhost`; an operator can add a name with \
             `--host NAME`, or name the proxy that passes it on with `--trusted-proxy`.",
        ))
    }
}

/// Whether `Host` is exactly this name, with any port or none.
fn is_named(host: &[u8], name: &str) -> bool {
    host.strip_prefix(name.as_bytes()).is_some_and(is_port)
}

/// Whether this, behind a name, is a port or nothing.
fn is_port(rest: &[u8]) -> bool {
    match rest {
        [] => true,
        [b':', port @ ..] => port.iter().all(u8::is_ascii_digit),
        _ => false,
    }
}

fn is_listed(host: &[u8], names: &[String], is_loopback: bool) -> bool {
    let authority = Authority::try_from(host).ok().filter(|authority| !authority.as_str().contains('@'));
    let Some(authority) = authority else { return false };
    let host = authority.host();
    if !authority.as_str().strip_prefix(host).is_some_and(|rest| is_port(rest.as_bytes())) {
        return false;
    }
    let host = host.strip_suffix('.').unwrap_or(host);
    let host = host.strip_prefix('[').and_then(|ip| ip.strip_suffix(']')).unwrap_or(host);
    let is_own_address = |ip: IpAddr| !is_loopback || ip.to_canonical().is_loopback();
    host.parse().is_ok_and(is_own_address)
        || host.eq_ignore_ascii_case("localhost")
        || names.iter().any(|name| name.eq_ignore_ascii_case(host))
}

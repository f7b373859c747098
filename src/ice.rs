//! ICE servers for peers: STUN and TURN URLs, with TURN REST credentials.
//!
//! The credentials follow draft-uberti-behave-turn-rest-00, which coturn calls `use-auth-secret`: the user name is
//! `expiry:user`, with the expiry in Unix seconds, and the password is base64(HMAC-SHA1(secret, user name)). Other TURN servers
//! check them with the shared secret, and count their quotas by user; for this server's own relay see [`Credentials`].

use std::{sync::Arc, time::Duration};

use secrecy::SecretString;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    domain::RoomName,
    turn::{Credentials, Member, RelayNodes, messages::credentials::password},
};

/// What peers are told.
#[derive(Clone, Debug)]
pub struct IceConfig {
    pub stun_urls: Vec<String>,
    /// This server's own STUN port, offered if there is no other STUN server.
    pub stun_port: Option<u16>,
    pub turn_urls: Vec<String>,
    pub turn_secret: Option<SecretString>,
    pub turn_ttl: Duration,
    /// This server's own relay.
    pub relay: Option<OwnRelay>,
}

#[derive(Clone, Debug)]
pub struct OwnRelay {
    pub credentials: Arc<Credentials>,
    /// The port on which it shares the server's.
    pub port: MainPort,
    /// Under which names peers reach the relays of the nodes, if not by that of the server.
    pub nodes: Option<Arc<RelayNodes>>,
    /// Ports besides, without TLS.
    pub more_ports: Vec<u16>,
    /// Whether it is reached over TLS, too.
    pub encrypted: bool,
}

/// How peers reach the relay on the server's own port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MainPort {
    /// As they reach the server, whatever port is mapped to it.
    AsRequested,
    Fixed(u16),
    /// Not at all: a proxy in front passes HTTP only.
    None,
}

/// Whose credentials are to be made.
#[derive(Clone, Debug)]
pub struct IceUser {
    /// For other TURN servers; without it none of them is named.
    pub pseudonym: Option<String>,
    pub member: Member,
}

/// How the peer reaches this server.
#[derive(Clone, Copy, Debug)]
pub struct Reached<'a> {
    pub host: &'a str,
    /// Unless it is the default port of the scheme.
    pub port: Option<u16>,
}

/// An `RTCIceServer` (W3C WebRTC 1.0 section 4.2.4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct IceServer {
    #[schema(example = json!(["turn:turn.example.org:3478?transport=udp"]))]
    pub urls: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub username: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub credential: Option<String>,
}

impl IceConfig {
    /// The servers for a peer of this room that reaches this server so. Those with credentials, which are valid for
    /// [`IceConfig::turn_ttl`], are only for a known user.
    pub fn servers(
        &self,
        room: &RoomName,
        user: Option<&IceUser>,
        reached: Option<Reached<'_>>,
        unix_seconds: u64,
    ) -> Vec<IceServer> {
        let mut servers = Vec::new();
        let own = self.relay.as_ref().zip(reached).map(|(relay, reached)| relay.addresses(room, reached));
        let stun = match (self.stun_urls.is_empty(), reached) {
            (true, Some(reached)) => self.own_stun(own.as_ref(), reached).into_iter().collect(),
            _ => self.stun_urls.clone(),
        };
        if !stun.is_empty() {
            servers.push(IceServer { urls: stun, username: None, credential: None });
        }
        let Some(user) = user else { return servers };
        let expires = unix_seconds.saturating_add(self.turn_ttl.as_secs());
        if let (Some(relay), Some(own)) = (&self.relay, own) {
            let (username, credential) = relay.credentials.issue(&user.member, expires);
            servers.push(IceServer { urls: own.urls(), username: Some(username), credential: Some(credential) });
        }
        let secret = self.turn_secret.as_ref().filter(|_| !self.turn_urls.is_empty());
        if let (Some(secret), Some(pseudonym)) = (secret, &user.pseudonym) {
            let username = format!("{expires}:{pseudonym}");
            let credential = password(secret, &username);
            let urls = self.turn_urls.clone();
            servers.push(IceServer { urls, username: Some(username), credential: Some(credential) });
        }
        servers
    }

    /// The relay answers STUN, too.
    fn own_stun(&self, own: Option<&Addresses>, reached: Reached<'_>) -> Option<String> {
        match (self.stun_port, own) {
            (Some(port), own) => Some(format!("stun:{}:{port}", own.map_or(reached.host, |own| &own.host))),
            (None, own) => own?.plain.first().map(|address| format!("stun:{address}")),
        }
    }

    pub fn relay_nodes(&self) -> Option<&RelayNodes> {
        self.relay.as_ref()?.nodes.as_deref()
    }

    /// How long credentials are valid, if there are any.
    pub fn ttl(&self) -> Option<Duration> {
        let has_others = !self.turn_urls.is_empty() && self.turn_secret.is_some();
        (has_others || self.relay.is_some()).then_some(self.turn_ttl)
    }
}

/// Where a room's relay is reached: hosts and ports.
struct Addresses {
    host: String,
    plain: Vec<String>,
    tls: Option<String>,
}

impl OwnRelay {
    fn addresses(&self, room: &RoomName, reached: Reached<'_>) -> Addresses {
        let named = self.nodes.as_ref().map(|nodes| nodes.of(room));
        let (host, named_port) = match &named {
            None => (reached.host, None),
            Some(named) => split_port(named),
        };
        let port = match self.port {
            MainPort::AsRequested => Some(named_port.or(reached.port).unwrap_or(443)),
            MainPort::Fixed(port) => Some(named_port.unwrap_or(port)),
            MainPort::None => None,
        };
        let main = port.map(|port| format!("{host}:{port}"));
        let more = self.more_ports.iter().map(|port| format!("{host}:{port}"));
        Addresses {
            host: host.to_owned(),
            plain: main.iter().cloned().chain(more).collect(),
            tls: main.filter(|_| self.encrypted),
        }
    }
}

impl Addresses {
    /// In the order in which a browser should prefer them.
    fn urls(&self) -> Vec<String> {
        let over = |transport| self.plain.iter().map(move |to| format!("turn:{to}?transport={transport}"));
        let tls = self.tls.iter().map(|to| format!("turns:{to}?transport=tcp"));
        over("udp").chain(over("tcp")).chain(tls).collect()
    }
}

/// A host, which may be an IPv6 address in brackets, and the port behind it.
pub fn split_port(address: &str) -> (&str, Option<u16>) {
    let split = address.rsplit_once(':').filter(|_| !address.ends_with(']'));
    split.and_then(|(host, port)| Some((host, Some(port.parse().ok()?)))).unwrap_or((address, None))
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;
    use crate::domain::PeerId;

    fn config(stun: &[&str], turn: &[&str], secret: Option<&str>) -> IceConfig {
        IceConfig {
            stun_urls: stun.iter().map(|url| (*url).into()).collect(),
            stun_port: None,
            turn_urls: turn.iter().map(|url| (*url).into()).collect(),
            turn_secret: secret.map(|text| text.to_string().into()),
            turn_ttl: Duration::from_secs(600),
            relay: None,
        }
    }

    fn room() -> RoomName {
        RoomName::parse("tea").unwrap()
    }

    fn user() -> IceUser {
        let address = "192.0.2.1".parse::<IpAddr>().unwrap().into();
        let member = Member { room: room(), peer: PeerId::from_bytes([1; 16]), address };
        IceUser { pseudonym: Some("u".into()), member }
    }

    fn at(host: &str, port: Option<u16>) -> Option<Reached<'_>> {
        Some(Reached { host, port })
    }

    #[test]
    fn turn_needs_a_secret_and_every_server_a_url() {
        assert!(config(&[], &[], Some("s")).servers(&room(), Some(&user()), None, 1000).is_empty());
        assert_eq!(config(&["stun:a"], &["turn:b"], None).servers(&room(), Some(&user()), None, 1000).len(), 1);
        let servers = config(&["stun:a"], &["turn:b"], Some("s")).servers(&room(), Some(&user()), None, 1000);
        assert_eq!(servers[1].username.as_deref(), Some("1600:u"));
        assert_eq!(config(&["stun:a"], &["turn:b"], Some("s")).servers(&room(), None, None, 1000).len(), 1);
    }

    #[test]
    fn the_own_stun_server_is_offered_under_the_host_the_peer_uses_unless_there_is_another() {
        let mut ice = IceConfig { stun_port: Some(3478), ..config(&[], &[], None) };
        assert_eq!(ice.servers(&room(), None, at("[2001:db8::1]", Some(8080)), 0)[0].urls, ["stun:[2001:db8::1]:3478"]);
        assert!(ice.servers(&room(), None, None, 0).is_empty());
        ice.stun_urls.push("stun:other".into());
        assert_eq!(ice.servers(&room(), None, at("a.example", None), 0)[0].urls, ["stun:other"]);
    }

    fn relay(public_host: Option<&str>, port: MainPort, encrypted: bool) -> IceConfig {
        let credentials = Arc::new(Credentials::new(&[1; 32]).unwrap());
        let nodes = public_host.map(|host| Arc::new(RelayNodes::new(host.into())));
        let relay = Some(OwnRelay { credentials, port, nodes, more_ports: vec![3478], encrypted });
        IceConfig { relay, ..config(&[], &[], None) }
    }

    #[test]
    fn the_own_relay_is_named_by_the_host_and_port_that_the_peer_uses() {
        let servers =
            relay(None, MainPort::AsRequested, true).servers(&room(), Some(&user()), at("call.example", None), 1000);
        assert_eq!(servers[0].urls, ["stun:call.example:443"]);
        assert_eq!(
            servers[1].urls,
            [
                "turn:call.example:443?transport=udp",
                "turn:call.example:3478?transport=udp",
                "turn:call.example:443?transport=tcp",
                "turn:call.example:3478?transport=tcp",
                "turns:call.example:443?transport=tcp",
            ]
        );
        let first = |ice: IceConfig, reached| ice.servers(&room(), Some(&user()), reached, 0)[1].urls[0].clone();
        assert_eq!(
            first(relay(None, MainPort::AsRequested, true), at("[::1]", Some(8443))),
            "turn:[::1]:8443?transport=udp"
        );
        assert_eq!(
            first(relay(None, MainPort::Fixed(8080), false), at("a.example", None)),
            "turn:a.example:8080?transport=udp"
        );
        assert_eq!(
            first(relay(Some("b.example:8443"), MainPort::AsRequested, true), at("a.example", None)),
            "turn:b.example:8443?transport=udp"
        );
        assert_eq!(
            first(relay(Some("b.example:5349"), MainPort::AsRequested, true), at("a", None)),
            "turn:b.example:5349?transport=udp"
        );
        assert_eq!(
            first(relay(Some("[::1]:443"), MainPort::AsRequested, true), at("a", None)),
            "turn:[::1]:443?transport=udp"
        );
    }

    /// The proxy passes HTTP, and the relay has a port of its own.
    #[test]
    fn behind_a_proxy_only_ports_of_the_relay_are_named() {
        let servers =
            relay(Some("p.example"), MainPort::None, false).servers(&room(), Some(&user()), at("a.example", None), 0);
        assert_eq!(servers[0].urls, ["stun:p.example:3478"]);
        assert_eq!(servers[1].urls, ["turn:p.example:3478?transport=udp", "turn:p.example:3478?transport=tcp"]);
    }

    #[test]
    fn a_peer_without_credentials_is_told_of_stun_only() {
        let ice = relay(None, MainPort::AsRequested, true);
        assert_eq!(ice.servers(&room(), None, at("a.example", None), 0).len(), 1);
        assert!(ice.ttl().is_some());
    }
}

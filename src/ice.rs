//! ICE servers for peers: STUN and TURN URLs, with TURN REST credentials.
//!
//! The credentials follow draft-uberti-behave-turn-rest-00, which coturn calls `use-auth-secret`: the user name is
//! `expiry:user`, with the expiry in Unix seconds, and the password is base64(HMAC-SHA1(secret, user name)). The TURN server
//! checks them with the shared secret, and counts its quotas by user.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use sha1::Sha1;
use utoipa::ToSchema;

/// The operator's servers.
#[derive(Clone, Debug)]
pub struct IceConfig {
    pub stun_urls: Vec<String>,
    /// This server's own STUN port, offered if there is no other STUN server.
    pub stun_port: Option<u16>,
    pub turn_urls: Vec<String>,
    pub turn_secret: Option<SecretString>,
    pub turn_ttl: Duration,
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
    /// The servers for a peer that reaches this one as `host`. Those with credentials, which are valid for
    /// [`IceConfig::turn_ttl`], are only for a known user.
    pub fn servers(&self, user: Option<&str>, host: Option<&str>, unix_seconds: u64) -> Vec<IceServer> {
        let mut servers = Vec::new();
        let own = self.stun_port.zip(host).filter(|_| self.stun_urls.is_empty());
        let stun = own.map_or_else(|| self.stun_urls.clone(), |(port, host)| vec![format!("stun:{host}:{port}")]);
        if !stun.is_empty() {
            servers.push(IceServer { urls: stun, username: None, credential: None });
        }
        if let (Some(secret), Some(user)) = (self.turn_secret.as_ref().filter(|_| !self.turn_urls.is_empty()), user) {
            let username = format!("{}:{user}", unix_seconds.saturating_add(self.turn_ttl.as_secs()));
            let credential = password(secret, &username);
            servers.push(IceServer {
                urls: self.turn_urls.clone(),
                username: Some(username),
                credential: Some(credential),
            });
        }
        servers
    }

    /// How long credentials are valid, if there are any.
    pub fn ttl(&self) -> Option<Duration> {
        (!self.turn_urls.is_empty() && self.turn_secret.is_some()).then_some(self.turn_ttl)
    }
}

fn password(secret: &SecretString, username: &str) -> String {
    // HMAC accepts keys of any length (RFC 2104), so this cannot fail.
    let mac = Hmac::<Sha1>::new_from_slice(secret.expose_secret().as_bytes());
    mac.map(|mac| STANDARD.encode(mac.chain_update(username.as_bytes()).finalize().into_bytes())).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed with `openssl dgst -sha1 -hmac north -binary | base64`.
    #[test]
    fn the_password_is_the_hmac_sha1_of_the_user_name() {
        assert_eq!(password(&"north".to_string().into(), "1433895918:12334"), "D2z3GKCuvPnlJaCR4joJ/GuCSzM=");
    }

    fn config(stun: &[&str], turn: &[&str], secret: Option<&str>) -> IceConfig {
        IceConfig {
            stun_urls: stun.iter().map(|url| (*url).into()).collect(),
            stun_port: None,
            turn_urls: turn.iter().map(|url| (*url).into()).collect(),
            turn_secret: secret.map(|text| text.to_string().into()),
            turn_ttl: Duration::from_secs(600),
        }
    }

    #[test]
    fn turn_needs_a_secret_and_every_server_a_url() {
        assert!(config(&[], &[], Some("s")).servers(Some("u"), None, 1000).is_empty());
        assert_eq!(config(&["stun:a"], &["turn:b"], None).servers(Some("u"), None, 1000).len(), 1);
        let servers = config(&["stun:a"], &["turn:b"], Some("s")).servers(Some("u"), None, 1000);
        assert_eq!(servers[1].username.as_deref(), Some("1600:u"));
        assert_eq!(config(&["stun:a"], &["turn:b"], Some("s")).servers(None, None, 1000).len(), 1);
    }

    #[test]
    fn the_own_stun_server_is_offered_under_the_host_the_peer_uses_unless_there_is_another() {
        let mut ice = IceConfig { stun_port: Some(3478), ..config(&[], &[], None) };
        assert_eq!(ice.servers(None, Some("[2001:db8::1]"), 0)[0].urls, ["stun:[2001:db8::1]:3478"]);
        assert!(ice.servers(None, None, 0).is_empty());
        ice.stun_urls.push("stun:other".into());
        assert_eq!(ice.servers(None, Some("a.example"), 0)[0].urls, ["stun:other"]);
    }
}

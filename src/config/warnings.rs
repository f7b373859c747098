//! Warnings logged at startup.

use crate::config::options::Config;

impl Config {
    /// Protections that are off and features that are missing, perhaps unintentionally.
    pub fn warnings(&self) -> Vec<&'static str> {
        let public = !self.listen.ip().is_loopback();
        let mut warnings = Vec::new();
        let mut warn = |when: bool, text| {
            if when {
                warnings.push(text);
            }
        };
        warn(self.token_key.is_none(), "the token key is random: peers will not survive a restart (--token-key)");
        warn(
            public && self.ticket_key.is_none(),
            "anyone who can reach this address can create and join rooms (--ticket-key)",
        );
        warn(
            public && !self.is_encrypted(),
            "plain HTTP: browsers allow cameras only on https:// and localhost (--tls-cert, or a proxy)",
        );
        warn(public && self.metrics_public && self.metrics_listen.is_none(), "/metrics is public (--metrics-listen)");
        warn(
            public && self.turn_url.is_empty() && !self.has_relay(),
            "no relay: calls between restrictive networks will not connect (--turn-relay, with a certificate; or --turn-url)",
        );
        warn(
            self.cors_origin.iter().any(|origin| origin == "*"),
            "pages from any origin may use this server (--cors-origin)",
        );
        warnings
    }
}

//! What the log says at the start.

use crate::config::Config;

impl Config {
    /// What is open or off that perhaps should not be.
    pub fn warnings(&self) -> Vec<&'static str> {
        let public = !self.listen.ip().is_loopback();
        let mut warnings = Vec::new();
        let mut warn = |when: bool, text| {
            if when {
                warnings.push(text);
            }
        };
        warn(
            self.token_key.is_none(),
            "tokens are made with a random key: peers will not survive a restart (--token-key)",
        );
        warn(
            public && self.ticket_key.is_none(),
            "anybody who reaches this address may make and join rooms (--ticket-key)",
        );
        warn(
            public && !self.is_encrypted(),
            "plain HTTP: browsers give cameras only to https:// and localhost (--tls-cert, or a proxy)",
        );
        warn(public && self.metrics_listen.is_none(), "/metrics is shown to everybody (--metrics-listen)");
        warn(
            public && self.turn_url.is_empty(),
            "no TURN server: calls between strict networks will not connect (--turn-url)",
        );
        warn(
            self.cors_origin.iter().any(|origin| origin == "*"),
            "pages of any origin may use this server (--cors-origin)",
        );
        warnings
    }
}

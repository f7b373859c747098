//! The URLs of one room.

use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Url;
use uuid::Uuid;

use crate::Error;

/// All but the unreserved characters (RFC 3986, section 2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

#[derive(Debug)]
pub(crate) struct Endpoints {
    root: String,
    /// Identifies this process in polls and joins.
    pub(crate) page: String,
}

impl Endpoints {
    pub(crate) fn new(base: &str, room: &str, page: String) -> Result<Self, Error> {
        // Not repeated: the fragment may have a room's key.
        if base.contains(['?', '#']) {
            let why = "The URL of a server has no query and no fragment, which the link to a room has.";
            return Err(Error::invalid(why));
        }
        let base = base.trim_end_matches('/');
        let url = Url::parse(base)
            .map_err(|error| Error::invalid(format!("{base:?} is not the URL of a server: {error}.")))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(Error::invalid(format!("{base:?} is not the URL of a server.")));
        }
        // URL parsers resolve these path segments, even as `%2e` (URL standard).
        if matches!(room, "" | "." | "..") {
            return Err(Error::invalid(format!(
                "{room:?} cannot be the name of a room, because no URL can contain it."
            )));
        }
        Ok(Self { root: format!("{base}/v1/rooms/{}", utf8_percent_encode(room, RESERVED)), page })
    }

    pub(crate) fn room(&self) -> String {
        self.root.clone()
    }

    pub(crate) fn join(&self) -> String {
        format!("{}/peers", self.root)
    }

    pub(crate) fn outbox(&self) -> String {
        format!("{}/messages", self.root)
    }

    pub(crate) fn seat(&self, peer: &str) -> String {
        format!("{}/peers/{peer}", self.root)
    }

    pub(crate) fn mailbox(&self, peer: &str, wait: Duration, unique: Option<&str>) -> String {
        let nonce = unique.map_or_else(String::new, |unique| format!("&nonce={unique}"));
        let seconds = (wait.as_secs_f64() * 1000.0).round() / 1000.0;
        format!("{}/messages?wait={seconds}&page={}{nonce}", self.seat(peer), self.page)
    }

    /// Caches that ignore `no-store` have seen none of these.
    pub(crate) fn ice_servers(&self, peer: &str) -> String {
        format!("{}/ice-servers?nonce={}", self.seat(peer), Uuid::new_v4())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_is_one_segment_of_the_path_and_a_base_may_have_some() {
        let at = Endpoints::new("https://example.org/signal/", "a/b?é~", "page".into()).unwrap();
        assert_eq!(at.join(), "https://example.org/signal/v1/rooms/a%2Fb%3F%C3%A9~/peers");
        let poll = at.mailbox("peer", Duration::from_millis(12_500), Some("1"));
        assert!(poll.ends_with("/peers/peer/messages?wait=12.5&page=page&nonce=1"), "{poll}");
        assert!(at.mailbox("peer", Duration::from_secs(25), None).ends_with("?wait=25&page=page"));
    }

    #[test]
    fn what_can_be_no_url_is_refused() {
        for (base, room) in [
            ("http://h", "."),
            ("http://h", ".."),
            ("http://h", ""),
            ("h", "tea"),
            ("ws://h", "tea"),
            ("http://h/?a", "tea"),
            ("https://h/#key=secret", "tea"),
            ("h/?room=tea#key=secret", "tea"),
        ] {
            let refused = Endpoints::new(base, room, String::new()).err().unwrap();
            assert!(matches!(refused, Error::Invalid(_)), "{base} {room}");
            assert!(!refused.to_string().contains("secret"), "{refused}");
        }
    }
}

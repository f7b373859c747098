//! The paths of the requests that calls consist of.

/// What such a request does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    Poll,
    PostOne,
    PostBatch,
    Join,
    Leave,
}

/// Where it does it. `peer` is empty if the path names none.
#[derive(Debug, PartialEq, Eq)]
pub struct Place<'a> {
    pub act: Act,
    pub room: &'a str,
    pub peer: &'a str,
}

impl Act {
    pub fn method(self) -> &'static str {
        match self {
            Self::Poll => "GET",
            Self::PostOne | Self::PostBatch | Self::Join => "POST",
            Self::Leave => "DELETE",
        }
    }
}

impl<'a> Place<'a> {
    /// Paths with anything unusual in them are left to the routes, which know what it means.
    pub fn parse(method: &str, path: &'a str) -> Option<Self> {
        let (room, rest) = path.strip_prefix("/v1/rooms/")?.split_once('/')?;
        let (act, peer) = match (method, rest) {
            ("POST", "messages") => (Act::PostBatch, None),
            ("POST", "peers") => (Act::Join, None),
            _ => {
                let rest = rest.strip_prefix("peers/")?;
                match (method, rest.strip_suffix("/messages")) {
                    ("GET", Some(peer)) => (Act::Poll, Some(peer)),
                    ("POST", Some(peer)) => (Act::PostOne, Some(peer)),
                    ("DELETE", None) => (Act::Leave, Some(rest)),
                    _ => return None,
                }
            }
        };
        let is_plain = |part: &str| !part.is_empty() && part.bytes().all(is_unreserved);
        (is_plain(room) && peer.is_none_or(is_plain)).then_some(Self { act, room, peer: peer.unwrap_or_default() })
    }
}

/// What means itself wherever it stands in a path or a query (RFC 3986 section 2.3).
pub fn is_unreserved(byte: u8) -> bool {
    const UNRESERVED: [bool; 256] = {
        let mut table = [false; 256];
        let mut at = 0;
        while at < table.len() {
            let byte = at as u8;
            table[at] = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
            at += 1;
        }
        table
    };
    UNRESERVED[usize::from(byte)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_paths_of_calls_are_known_and_what_is_unusual_is_left_to_the_routes() {
        let place = |act, room, peer| Some(Place { act, room, peer });
        let (one, mailbox) = ("/v1/rooms/tea/messages", "/v1/rooms/tea/peers/x/messages");
        assert_eq!(Place::parse("POST", one), place(Act::PostBatch, "tea", ""));
        assert_eq!(Place::parse("POST", mailbox), place(Act::PostOne, "tea", "x"));
        assert_eq!(Place::parse("GET", mailbox), place(Act::Poll, "tea", "x"));
        assert_eq!(Place::parse("POST", "/v1/rooms/tea/peers"), place(Act::Join, "tea", ""));
        assert_eq!(Place::parse("DELETE", "/v1/rooms/tea/peers/x"), place(Act::Leave, "tea", "x"));
        for (method, other) in [
            ("POST", "/v1/rooms"),
            ("DELETE", "/v1/rooms/tea"),
            ("POST", "/v1/rooms//messages"),
            ("POST", "/v1/rooms//peers"),
            ("DELETE", "/v1/rooms/tea/peers/"),
            ("GET", "/v1/rooms/tea/peers//messages"),
            ("GET", "/v1/rooms/tea/peers/x/y/messages"),
            ("GET", "/v1/rooms/tea/peers/x/messages/"),
            ("POST", "/v1/rooms/tea/peers/x/leave"),
            ("POST", "/v1/rooms/te%61/messages"),
            ("GET", "/v1/rooms/tea/peers/%78/messages"),
            ("POST", "/v2/rooms/tea/messages"),
            ("GET", one),
            ("GET", "/v1/rooms/tea/peers"),
            ("GET", "/v1/rooms/tea/peers/x"),
            ("POST", "/v1/rooms/tea/peers/x"),
            ("DELETE", mailbox),
            ("PUT", mailbox),
            ("get", mailbox),
        ] {
            assert_eq!(Place::parse(method, other), None, "{method} {other}");
        }
    }
}

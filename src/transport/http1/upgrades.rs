//! Requests to upgrade to another protocol, which the server may ignore (RFC 9110 section 7.8): it does, unless the service
//! takes a WebSocket at that path.
//!
//! actix's parser decides by the request alone. It lets the connection end after the answer, and takes what follows the head of
//! a WebSocket's handshake for another protocol, even where the head announces a body. So the wish is taken out of the head before.

use std::ops::Range;

use actix_web::web::BytesMut;

use crate::transport::limits::HEADER_FIELDS_MAX;

/// Blanks `Upgrade`, and what belongs to it in `Connection`, in a head that came whole, unless it is to be granted.
pub fn ignore(bytes: &mut BytesMut, granted: impl Fn(&str) -> bool) {
    for wish in wishes(bytes, granted) {
        if let Some(place) = bytes.get_mut(wish) {
            place.fill(b' ');
        }
    }
}

/// Where they stand.
fn wishes(bytes: &[u8], granted: impl Fn(&str) -> bool) -> Vec<Range<usize>> {
    let mut fields = [httparse::EMPTY_HEADER; HEADER_FIELDS_MAX];
    let mut request = httparse::Request::new(&mut fields);
    if !matches!(request.parse(bytes), Ok(httparse::Status::Complete(_))) || is_handshake(&request, granted) {
        return Vec::new();
    }
    let place = |part: &[u8]| {
        let start = (part.as_ptr() as usize).wrapping_sub(bytes.as_ptr() as usize);
        start..start.saturating_add(part.len())
    };
    let mut found = Vec::new();
    for field in &*request.headers {
        if field.name.eq_ignore_ascii_case("upgrade") {
            found.push(place(field.value));
        } else if field.name.eq_ignore_ascii_case("connection") {
            found.extend(list(field.value).filter(|option| option.eq_ignore_ascii_case(b"upgrade")).map(place));
        }
    }
    found
}

/// A WebSocket's, where one is taken. HTTP/1.0 has no upgrades.
fn is_handshake(request: &httparse::Request<'_, '_>, granted: impl Fn(&str) -> bool) -> bool {
    let path = request.path.map_or("", |target| target.split('?').next().unwrap_or_default());
    let asks = |field: &httparse::Header<'_>| {
        field.name.eq_ignore_ascii_case("upgrade")
            && list(field.value).any(|protocol| protocol.eq_ignore_ascii_case(b"websocket"))
    };
    request.method == Some("GET") && granted(path) && request.version == Some(1) && request.headers.iter().any(asks)
}

/// The members of a list (RFC 9110 section 5.6.1).
fn list(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn without(head: &str) -> String {
        let mut bytes = BytesMut::from(head.as_bytes());
        ignore(&mut bytes, |path| path.ends_with("/v1/probe/upgrade"));
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    #[test]
    fn the_wish_is_blanked_and_nothing_else() {
        let head = "POST /upgrade HTTP/1.1\r\nHost: upgrade\r\nCONNECTION: Upgrade,\tHTTP2-Settings , close\r\n\
            Upgrade:  h2c, websocket\r\nConnection:upgrade\r\nX-Upgrade: upgrade\r\nConnection: not-upgrade\r\n\r\nUpgrade: x";
        let expected = "POST /upgrade HTTP/1.1\r\nHost: upgrade\r\nCONNECTION:        ,\tHTTP2-Settings , close\r\n\
            Upgrade:                \r\nConnection:       \r\nX-Upgrade: upgrade\r\nConnection: not-upgrade\r\n\r\nUpgrade: x";
        assert_eq!(without(head), expected);
        for part in [&head[..40], "", "\r\n", "nonsense\r\n\r\n"] {
            assert_eq!(without(part), part);
        }
    }

    #[test]
    fn the_probes_handshake_stays() {
        let asking = |line: &str, upgrade: &str| {
            format!("{line}\r\nHost: x\r\nConnection: keep-alive, Upgrade\r\nUpgrade: {upgrade}\r\n\r\n")
        };
        for (line, upgrade, stays) in [
            ("GET /v1/probe/upgrade HTTP/1.1", "websocket", true),
            ("GET /signal/v1/probe/upgrade?x=y HTTP/1.1", "h2c, WebSocket", true),
            ("GET /v1/probe/upgrade HTTP/1.0", "websocket", false),
            ("POST /v1/probe/upgrade HTTP/1.1", "websocket", false),
            ("GET /v1/probe/upgrade HTTP/1.1", "h2c", false),
            ("GET /healthz?/v1/probe/upgrade HTTP/1.1", "websocket", false),
        ] {
            let head = asking(line, upgrade);
            assert_eq!(without(&head) == head, stays, "{head}");
        }
    }
}

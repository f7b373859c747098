//! Ignores offers to upgrade to another protocol, as a server may (RFC 9110 section 7.8), except WebSocket handshakes that the
//! service accepts.
//!
//! actix-http decides by the request alone: it closes the connection after the response, and takes what follows the head of a
//! WebSocket handshake for another protocol, even a body. So offers are removed from the head before it is parsed.

use std::ops::Range;

use actix_web::web::BytesMut;

use crate::transport::limits::HEADER_FIELDS_MAX;

/// Blanks `Upgrade`, and its option in `Connection`, in a complete head, unless the service accepts the handshake.
pub fn ignore(bytes: &mut BytesMut, accepts: impl Fn(&str) -> bool) {
    for offer in offers(bytes, accepts) {
        if let Some(offer) = bytes.get_mut(offer) {
            offer.fill(b' ');
        }
    }
}

fn offers(bytes: &[u8], accepts: impl Fn(&str) -> bool) -> Vec<Range<usize>> {
    let mut fields = [httparse::EMPTY_HEADER; HEADER_FIELDS_MAX];
    let mut request = httparse::Request::new(&mut fields);
    if !matches!(request.parse(bytes), Ok(httparse::Status::Complete(_))) || is_accepted(&request, accepts) {
        return Vec::new();
    }
    let range = |part: &[u8]| {
        let start = (part.as_ptr() as usize).wrapping_sub(bytes.as_ptr() as usize);
        start..start.saturating_add(part.len())
    };
    let mut found = Vec::new();
    for field in &*request.headers {
        if field.name.eq_ignore_ascii_case("upgrade") {
            found.push(range(field.value));
        } else if field.name.eq_ignore_ascii_case("connection") {
            found.extend(list(field.value).filter(|option| option.eq_ignore_ascii_case(b"upgrade")).map(range));
        }
    }
    found
}

/// HTTP/1.0 has no upgrades.
fn is_accepted(request: &httparse::Request<'_, '_>, accepts: impl Fn(&str) -> bool) -> bool {
    let path = request.path.map_or("", |target| target.split('?').next().unwrap_or_default());
    let offers_websocket = |field: &httparse::Header<'_>| {
        field.name.eq_ignore_ascii_case("upgrade")
            && list(field.value).any(|protocol| protocol.eq_ignore_ascii_case(b"websocket"))
    };
    request.method == Some("GET")
        && accepts(path)
        && request.version == Some(1)
        && request.headers.iter().any(offers_websocket)
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
    fn only_the_offer_is_blanked() {
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
    fn an_accepted_handshake_is_unchanged() {
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

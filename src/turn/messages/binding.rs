//! STUN Binding (RFC 8489): tells a client from which address its request came, which a peer behind a NAT needs to know.

use std::net::SocketAddr;

use stun_types::message::Message;

use crate::turn::messages::response;

/// The longest Binding request that is answered.
const REQUEST_MAX: usize = 548;

/// The response to a Binding request.
pub fn respond(request: &Message<'_>, from: SocketAddr) -> Option<Vec<u8>> {
    if request.as_bytes().len() > REQUEST_MAX {
        return None;
    }
    // None of its attributes must be understood: there are no credentials.
    match response::unknown(request, &[]) {
        unknown if unknown.is_empty() => response::bound(request, from),
        unknown => response::unknown_attributes(request, None, &unknown),
    }
}

#[cfg(test)]
mod tests {
    use stun_types::{
        attribute::{AttributeType, ErrorCode, UnknownAttributes},
        message::{BINDING, MessageClass},
    };

    use super::*;

    /// The response to a datagram, if it is a Binding request.
    fn respond(datagram: &[u8], from: SocketAddr) -> Option<Vec<u8>> {
        let message = Message::from_bytes(datagram).ok()?;
        let is_binding = message.has_class(MessageClass::Request) && message.has_method(BINDING);
        is_binding.then(|| super::respond(&message, from)).flatten()
    }

    /// The transaction of RFC 5769, sections 2.1 to 2.3.
    const TRANSACTION: [u8; 12] = [0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86, 0xfa, 0x87, 0xdf, 0xae];
    const COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];

    fn message(kind: u16, attributes: &[u8]) -> Vec<u8> {
        let length = u16::try_from(attributes.len()).unwrap();
        [&kind.to_be_bytes()[..], &length.to_be_bytes(), &COOKIE, &TRANSACTION, attributes].concat()
    }

    #[test]
    fn mapped_addresses_match_the_test_vectors_of_rfc_5769() {
        let v4 = respond(&message(0x0001, &[]), "192.0.2.1:32853".parse().unwrap()).unwrap();
        let mapped = [0x00, 0x20, 0x00, 0x08, 0x00, 0x01, 0xa1, 0x47, 0xe1, 0x12, 0xa6, 0x43];
        assert_eq!(v4, message(0x0101, &mapped));

        let v6 =
            respond(&message(0x0001, &[]), "[2001:db8:1234:5678:11:2233:4455:6677]:32853".parse().unwrap()).unwrap();
        let mapped = [
            0x00, 0x20, 0x00, 0x14, 0x00, 0x02, 0xa1, 0x47, 0x01, 0x13, 0xa9, 0xfa, 0xa5, 0xd3, 0xf1, 0x79, 0xbc, 0x25,
            0xf4, 0xb5, 0xbe, 0xd2, 0xb9, 0xd9,
        ];
        assert_eq!(v6, message(0x0101, &mapped));
    }

    #[test]
    fn an_ipv4_address_on_an_ipv6_socket_is_reported_as_ipv4() {
        let request = message(0x0001, &[]);
        let plain = respond(&request, "192.0.2.1:32853".parse().unwrap());
        assert_eq!(respond(&request, "[::ffff:192.0.2.1]:32853".parse().unwrap()), plain);
    }

    #[test]
    fn only_binding_requests_are_answered() {
        let from = "192.0.2.1:1".parse().unwrap();
        let request = message(0x0001, &[]);
        assert_eq!(respond(&[], from), None);
        assert_eq!(respond(b"GET / HTTP/1.1\r\n\r\n__", from), None);
        for length in 0..request.len() {
            assert_eq!(respond(&request[..length], from), None);
        }
        // A success and an error (answering those could loop for ever), an indication, TURN's Allocate, RFC 3489.
        for kind in [0x0101, 0x0111, 0x0011, 0x0003] {
            assert_eq!(respond(&message(kind, &[]), from), None);
        }
        let mut classic = request.clone();
        classic[4] = 0;
        assert_eq!(respond(&classic, from), None);
        let long = message(0x0001, &[&[0x80, 0x22, 0x02, 0x10][..], &[b'x'; 528]].concat());
        assert_eq!(respond(&long, from), None, "{} bytes", long.len());
    }

    #[test]
    fn unknown_comprehension_required_attributes_are_an_error_and_others_are_ignored() {
        let from = "192.0.2.1:1".parse().unwrap();
        // CHANGE-REQUEST of RFC 5780; SOFTWARE.
        let change = respond(&message(0x0001, &[0x00, 0x03, 0x00, 0x04, 0, 0, 0, 6]), from).unwrap();
        let reply = Message::from_bytes(&change).unwrap();
        assert!(reply.has_class(MessageClass::Error));
        assert_eq!(reply.attribute::<ErrorCode>().unwrap().code(), 420);
        assert!(reply.attribute::<UnknownAttributes>().unwrap().has_attribute(AttributeType::new(3)));
        assert!(change.len() <= 40, "{} bytes", change.len());
        let named = respond(&message(0x0001, &[0x80, 0x22, 0x00, 0x04, b't', b'e', b's', b't']), from).unwrap();
        assert!(Message::from_bytes(&named).unwrap().has_class(MessageClass::Success));
    }
}

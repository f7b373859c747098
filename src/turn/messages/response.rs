//! Writes responses and frames.

use std::net::SocketAddr;

use stun_types::{
    attribute::{
        Attribute, AttributeStaticType, AttributeType, ErrorCode, Fingerprint, Nonce, Realm, UnknownAttributes,
        XorMappedAddress,
    },
    message::{
        IntegrityAlgorithm, IntegrityKey, Message, MessageClass, MessageType, MessageWrite, MessageWriteExt,
        MessageWriteVec, StunWriteError, TransactionId,
    },
};
use turn_types::{
    attribute::{Data, Lifetime, XorPeerAddress, XorRelayedAddress},
    message::DATA,
};

use crate::turn::{allocations::Form, messages::credentials::REALM};

/// Unknown attributes named in an error, which keeps it short.
const UNKNOWN_MAX: usize = 4;

/// A response to a request. `None` only if it does not fit into a message, which none of ours does.
type Written = Option<Vec<u8>>;

/// The response to a Binding request (RFC 8489 section 7.3).
pub fn bound(request: &Message<'_>, from: SocketAddr) -> Written {
    write(Message::builder_success(request, MessageWriteVec::new()), request, None, |reply| {
        let seen = SocketAddr::new(from.ip().to_canonical(), from.port());
        reply.add_attribute(&XorMappedAddress::new(seen, request.transaction_id()))
    })
}

pub fn allocated(
    request: &Message<'_>,
    key: &IntegrityKey,
    relayed: SocketAddr,
    from: SocketAddr,
    seconds: u32,
) -> Written {
    let id = request.transaction_id();
    success(request, key, |reply| {
        reply.add_attribute(&XorRelayedAddress::new(relayed, id))?;
        let seen = SocketAddr::new(from.ip().to_canonical(), from.port());
        reply.add_attribute(&XorMappedAddress::new(seen, id))?;
        reply.add_attribute(&Lifetime::new(seconds))
    })
}

pub fn refreshed(request: &Message<'_>, key: &IntegrityKey, seconds: u32) -> Written {
    success(request, key, |reply| reply.add_attribute(&Lifetime::new(seconds)))
}

/// A success without content.
pub fn done(request: &Message<'_>, key: &IntegrityKey) -> Written {
    success(request, key, |_| Ok(()))
}

/// An error (RFC 8489 section 6.3.4), without a phrase: the shorter the response, the less use it is for amplification.
pub fn error(request: &Message<'_>, key: Option<&IntegrityKey>, code: u16) -> Written {
    write(Message::builder_error(request, MessageWriteVec::new()), request, key, |reply| {
        reply.add_attribute(&ErrorCode::new(code, "").map_err(|_| StunWriteError::FingerprintExists)?)
    })
}

/// An error with what the client needs to ask again (RFC 8489 section 9.2.4).
pub fn challenge(request: &Message<'_>, code: u16, nonce: &str) -> Written {
    let attributes = ErrorCode::new(code, "").ok().zip(Realm::new(REALM).ok()).zip(Nonce::new(nonce).ok());
    let ((code, realm), nonce) = attributes?;
    write(Message::builder_error(request, MessageWriteVec::new()), request, None, |reply| {
        reply.add_attribute(&code)?;
        reply.add_attribute(&realm)?;
        reply.add_attribute(&nonce)
    })
}

/// 420, naming attributes that must be understood and are not.
pub fn unknown_attributes(request: &Message<'_>, key: Option<&IntegrityKey>, unknown: &[AttributeType]) -> Written {
    let code = ErrorCode::new(420, "").ok()?;
    write(Message::builder_error(request, MessageWriteVec::new()), request, key, |reply| {
        reply.add_attribute(&code)?;
        reply.add_attribute(&UnknownAttributes::new(&unknown[..unknown.len().min(UNKNOWN_MAX)]))
    })
}

/// The attributes that must be understood (below 0x8000) and are not among these.
pub fn unknown(request: &Message<'_>, known: &[AttributeType]) -> Vec<AttributeType> {
    let types = request.iter_attributes().map(|(_, attribute)| attribute.get_type());
    types.filter(|kind| kind.comprehension_required() && !known.contains(kind)).collect()
}

fn success(
    request: &Message<'_>,
    key: &IntegrityKey,
    content: impl FnOnce(&mut MessageWriteVec) -> Result<(), StunWriteError>,
) -> Written {
    write(Message::builder_success(request, MessageWriteVec::new()), request, Some(key), content)
}

/// Signs what has a key, and adds a fingerprint if the request has one.
fn write(
    mut reply: MessageWriteVec,
    request: &Message<'_>,
    key: Option<&IntegrityKey>,
    content: impl FnOnce(&mut MessageWriteVec) -> Result<(), StunWriteError>,
) -> Written {
    content(&mut reply).ok()?;
    if let Some(key) = key {
        reply.add_message_integrity_with_key(key, IntegrityAlgorithm::Sha1).ok()?;
    }
    if request.has_attribute(Fingerprint::TYPE) {
        reply.add_fingerprint().ok()?;
    }
    Some(reply.finish())
}

/// Appends a packet in the form that its receiver is to get: ChannelData without padding (RFC 8656 section 12.4), or a Data
/// indication (section 11.4).
pub fn write_packet(form: Form, data: &[u8], into: &mut Vec<u8>) {
    match form {
        Form::Channel(number) => {
            into.extend(number.to_be_bytes());
            // No frame is longer than `FRAME_MAX`.
            into.extend(u16::try_from(data.len()).unwrap_or_default().to_be_bytes());
            into.extend(data);
        }
        // As it is.
        Form::Outside(_) => into.extend(data),
        Form::Indication(peer) => {
            let id = TransactionId::generate();
            let kind = MessageType::from_class_method(MessageClass::Indication, DATA);
            let mut message = Message::builder(kind, id, MessageWriteVec::with_capacity(data.len() + 40));
            let written = message.add_attribute(&XorPeerAddress::new(peer, id));
            if written.and_then(|()| message.add_attribute(&Data::new(data))).is_ok() {
                into.extend(message.finish());
            }
        }
    }
}

//! Entity tags of content that does not change while the server runs (RFC 9110 section 8.8.3).

use actix_web::{
    HttpRequest,
    http::header::{EntityTag, Header, IfNoneMatch},
};

/// A strong tag from the SHA-256 of the content.
pub fn tag_of(digest: &[u8]) -> EntityTag {
    let number = digest.iter().take(8).fold(0_u64, |number, byte| (number << 8) | u64::from(*byte));
    EntityTag::new_strong(format!("{number:016x}"))
}

/// Whether the client has this version. The comparison is weak (RFC 9110 section 13.1.2), because proxies that compress
/// responses make tags weak.
pub fn is_known(request: &HttpRequest, tag: &EntityTag) -> bool {
    match IfNoneMatch::parse(request) {
        Ok(IfNoneMatch::Any) => true,
        Ok(IfNoneMatch::Items(known)) => known.iter().any(|one| one.weak_eq(tag)),
        Err(_) => false,
    }
}

use actix_web::http::header::HeaderValue;

use crate::{
    api::{
        auth::token::{SeatClaim, TokenKey},
        handlers::leave_beacon,
        operation::parse_bearer,
    },
    domain::{CreatorId, PeerId, RoomName, Secret},
};

/// Only the exact bytes of an issued token are valid, and only in their room.
///
/// The first byte of the input chooses an issued token. Each three further bytes edit it: how, where, and with which byte.
pub fn token(input: &[u8]) {
    let key = |secret: &str| TokenKey::from_bytes(secret.as_bytes());
    let (ours, other) = (key("sixteen letters!"), key("other sixteen letters"));
    let (tea, coffee) = (RoomName::parse("tea").unwrap(), RoomName::parse("coffee").unwrap());
    let (peer, creator) = (PeerId::from_bytes([7; 16]), CreatorId::from_bytes([7; 16]));
    let claim = SeatClaim { peer, creator, secret: Some(Secret::from_digest([9; Secret::LEN])) };
    let issued = [
        ours.peer_token(&tea, &claim),
        ours.room_token(&tea, creator),
        ours.peer_token(&coffee, &claim),
        ours.room_token(&coffee, creator),
        other.peer_token(&tea, &claim),
        other.room_token(&tea, creator),
    ];
    let (choice, edits) = input.split_first().unwrap_or((&0, &[]));
    let presented = edited(&issued[usize::from(*choice) % issued.len()], edits);
    for presented in [presented.as_str(), &String::from_utf8_lossy(input)] {
        assert_eq!(ours.verify_peer(&tea, presented).is_some(), presented == issued[0]);
        assert_eq!(ours.verify_room(&tea, presented).is_some(), presented == issued[1]);
        assert!(ours.verify_peer(&tea, presented).is_none_or(|found| found == claim));
        assert!(ours.verify_room(&tea, presented).is_none_or(|found| found == creator));
        for body in [presented.to_owned(), format!("{{\"token\":\"{presented}\"}}")] {
            let spoken = leave_beacon::token_in(body.as_bytes());
            assert!(ours.verify_peer(&tea, spoken).is_none() || spoken == issued[0]);
        }
        let header = HeaderValue::from_str(&format!("Bearer {presented}")).ok();
        if let Some(header) = header.filter(|header| header.to_str().is_ok()) {
            assert_eq!(parse_bearer(header.as_bytes()), Some(presented.trim()).filter(|token| !token.is_empty()));
        }
    }
    if let Some(token) = HeaderValue::from_bytes(input).ok().as_ref().and_then(|value| parse_bearer(value.as_bytes())) {
        assert!(input[..7].eq_ignore_ascii_case(b"bearer ") && token == token.trim() && !token.is_empty());
    }
}

fn edited(token: &str, edits: &[u8]) -> String {
    let mut bytes = token.as_bytes().to_vec();
    for edit in edits.chunks_exact(3) {
        let at = usize::from(edit[1]) % (bytes.len() + 1);
        match edit[0] % 3 {
            0 if at < bytes.len() => bytes[at] = edit[2],
            1 if at < bytes.len() => drop(bytes.remove(at)),
            _ => bytes.insert(at, edit[2]),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

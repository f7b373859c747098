//! Remembers the last verified token of each connection: verifying one takes longer than posting a message.

use subtle::ConstantTimeEq;

use crate::{
    api::auth::token::TokenKey,
    domain::{PeerId, RoomName},
    transport::limits::connection::Connection,
};

/// A token as words, which compare faster than bytes.
type Words = [u64; TokenKey::PEER_TOKEN_LEN / 8];

struct Verified {
    token: Words,
    room: RoomName,
    peer: PeerId,
}

/// The token's room and peer, if it was the last one verified on the connection. Clients behind a proxy share a connection,
/// so the comparison takes constant time.
pub fn recall(connection: &Connection, room: &str, token: &str) -> Option<(RoomName, PeerId)> {
    connection.recall(|verified: &Verified| {
        let token = words(token).filter(|_| verified.room.as_str() == room)?;
        let is_the_same = bool::from(verified.token.ct_eq(&token));
        is_the_same.then(|| (verified.room.clone(), verified.peer))
    })?
}

pub fn remember(connection: &Connection, room: &RoomName, token: &str, peer: PeerId) {
    let Some(token) = words(token) else { return };
    connection.remember(Verified { token, room: room.clone(), peer });
}

fn words(token: &str) -> Option<Words> {
    let (bytes, []) = token.as_bytes().as_chunks() else { return None };
    let bytes: &[[u8; 8]; TokenKey::PEER_TOKEN_LEN / 8] = bytes.try_into().ok()?;
    Some(bytes.map(u64::from_ne_bytes))
}

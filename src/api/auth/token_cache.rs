//! The token that was last verified on a connection: verifying takes longer than putting a message into a mailbox.

use subtle::ConstantTimeEq;

use crate::{
    api::auth::token::TokenKey,
    domain::{PeerId, RoomName},
    transport::limits::connection::Connection,
};

/// A token as it is compared: eight bytes at once.
type Words = [u64; TokenKey::PEER_TOKEN_LEN / 8];

struct Verified {
    token: Words,
    room: RoomName,
    peer: PeerId,
}

/// Whose token this is, if it was the last one that was verified on the connection. Behind a proxy others may share the
/// connection, so the comparison tells nothing by the time it takes.
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

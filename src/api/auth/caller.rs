//! Who may call stands in each handler's signature, as one of these extractors.

use crate::{
    api::{
        auth::token_cache,
        operation::{Call, FromRequest},
        problem::{Code, Problem},
    },
    domain::{CreatorId, PeerId, RoomName},
    transport::client_address::AddressKey,
};

/// Anybody: the room that the path names.
#[derive(Debug)]
pub struct InRoom(pub RoomName);

/// Where the request comes from, as far as limits go.
#[derive(Clone, Copy, Debug)]
pub struct From(pub AddressKey);

/// Anybody who does not come too often, perhaps with a peer's token for the room.
#[derive(Debug)]
pub struct Visiting {
    pub room: RoomName,
    pub peer: Option<PeerId>,
}

/// A peer of the room that does not send too often.
#[derive(Debug)]
pub struct Sender(pub Member);

/// The peer that the path names, if it does not poll, or ask for credentials, too often.
#[derive(Debug)]
pub struct Reader(pub Owner);

/// A peer of the room, by its token.
#[derive(Debug)]
pub struct Member {
    pub room: RoomName,
    pub peer: PeerId,
}

/// The very peer that the path names.
#[derive(Debug)]
pub struct Owner {
    pub room: RoomName,
    pub peer: PeerId,
}

/// Whoever made the room, by its room token.
#[derive(Debug)]
pub struct Creator {
    pub room: RoomName,
    pub creator: CreatorId,
}

/// The peer that the path names, or whoever made the room.
#[derive(Debug)]
pub enum OwnerOrCreator {
    Owner(Owner),
    Creator(Creator),
}

/// The peer that the path names; whoever asks.
#[derive(Debug)]
pub struct Addressee(pub PeerId);

macro_rules! caller {
    ($name:ty, $of:expr) => {
        impl FromRequest for $name {
            fn from_request(call: &Call<'_>) -> Result<Self, Problem> {
                let of: fn(&Call<'_>) -> Result<Self, Problem> = $of;
                of(call)
            }
        }
    };
}

caller!(InRoom, |call| call.room().map(InRoom));
caller!(Addressee, |call| call.peer().map(Addressee));

caller!(From, |call| Ok(From(call.address())));

caller!(Sender, |call| {
    let member = Member::from_request(call)?;
    call.api.rates.check_send(member.peer)?;
    Ok(Sender(member))
});

caller!(Reader, |call| {
    let owner = Owner::from_request(call)?;
    call.api.rates.check_poll(owner.peer)?;
    Ok(Reader(owner))
});

caller!(Visiting, |call| {
    let room = call.room()?;
    call.api.rates.check_join(call.address())?;
    let peer = call.bearer()?.map(|token| verify_peer(call, &room, token)).transpose()?;
    Ok(Visiting { room, peer })
});

caller!(Member, |call| {
    // What is on one connection is mostly one peer's.
    let connection = call.request.connection();
    if let Ok(Some(token)) = call.bearer()
        && let Some((room, peer)) = token_cache::recall(connection, &call.params.room, token)
    {
        return Ok(Member { room, peer });
    }
    let room = call.room()?;
    let token = call.required_bearer()?;
    let peer = verify_peer(call, &room, token)?;
    token_cache::remember(connection, &room, token, peer);
    Ok(Member { room, peer })
});

caller!(Owner, |call| {
    let Member { room, peer } = Member::from_request(call)?;
    if call.peer()? != peer {
        return Err(Problem::new(Code::NotYours, "The token belongs to another peer than the path names."));
    }
    Ok(Owner { room, peer })
});

caller!(Creator, |call| {
    let room = call.room()?;
    let token = call.required_bearer()?;
    match call.api.tokens.verify_room(&room, token) {
        Some(creator) => Ok(Creator { room, creator }),
        None if call.api.tokens.verify_peer(&room, token).is_some() => {
            Err(Problem::new(Code::NotYours, "This needs the room token, which whoever made the room was given."))
        }
        None => Err(invalid_token()),
    }
});

caller!(OwnerOrCreator, |call| {
    if call.required_bearer()?.starts_with("room.") {
        Creator::from_request(call).map(OwnerOrCreator::Creator)
    } else {
        Owner::from_request(call).map(OwnerOrCreator::Owner)
    }
});

fn verify_peer(call: &Call<'_>, room: &RoomName, token: &str) -> Result<PeerId, Problem> {
    call.api.tokens.verify_peer(room, token).ok_or_else(invalid_token)
}

fn invalid_token() -> Problem {
    Problem::new(Code::TokenInvalid, "It is malformed, for another room, or from a server with another key.")
}

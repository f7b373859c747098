//! Who may call an operation: each handler takes one of these extractors as an argument.

use crate::{
    api::{
        Call, Code, FromRequest, Problem,
        auth::{token::SeatClaim, token_cache},
    },
    domain::{CreatorId, PeerId, RoomName},
    transport::client_address::AddressKey,
};

/// Anyone, within the join rate limit of their address.
#[derive(Debug)]
pub struct Client(pub AddressKey);

/// Where the request comes from, without a limit.
#[derive(Clone, Copy, Debug)]
pub struct ClientAddress(pub AddressKey);

/// Anyone, within the rate limit of their address for requests without a token.
#[derive(Debug)]
pub struct Anyone(pub AddressKey);

/// A [`Client`] that joins a room: a new peer, or one that returns with its token.
#[derive(Debug)]
pub struct Joiner {
    pub room: RoomName,
    pub address: AddressKey,
    pub returning: Option<SeatClaim>,
}

/// A peer of the room, by its token.
#[derive(Debug)]
pub struct Member {
    pub room: RoomName,
    pub peer: PeerId,
}

/// A [`Member`] within its send rate limit.
#[derive(Debug)]
pub struct Sender(pub Member);

/// A [`Member`] within its poll rate limit.
#[derive(Debug)]
pub struct Observer(pub Member);

/// The peer that the path names, by its token.
#[derive(Debug)]
pub struct Owner(pub Member);

/// An [`Owner`] within its poll rate limit.
#[derive(Debug)]
pub struct Reader(pub Member);

/// The room's creator, by the room token.
#[derive(Debug)]
pub struct Creator {
    pub room: RoomName,
    pub creator: CreatorId,
}

#[derive(Debug)]
pub enum OwnerOrCreator {
    Owner(Owner),
    Creator(Creator),
}

/// `caller!(Type, [problems], |call| extraction)`
macro_rules! caller {
    ($name:ty, [$($problem:ident),*], |$call:ident| $extraction:expr) => {
        impl FromRequest for $name {
            const PROBLEMS: &[Code] = &[$(Code::$problem),*];

            fn from_request($call: &Call<'_>) -> Result<Self, Problem> {
                $extraction
            }
        }
    };
}

// Anyone: the room and the peer in the path.
caller!(RoomName, [RoomNameInvalid], |call| call.room());
caller!(PeerId, [PeerUnknown], |call| call.peer());

caller!(ClientAddress, [], |call| Ok(Self(call.address())));

caller!(Client, [RateLimited], |call| {
    let address = call.address();
    call.api.rates.join.check(address)?;
    Ok(Self(address))
});

caller!(Anyone, [RateLimited], |call| {
    let address = call.address();
    call.api.rates.anonymous.check(address)?;
    Ok(Self(address))
});

caller!(Joiner, [TokenInvalid, RoomNameInvalid, RateLimited], |call| {
    let room = call.room()?;
    let Client(address) = Client::from_request(call)?;
    let returning = call.bearer()?.map(|token| verify_peer(call, &room, token)).transpose()?;
    Ok(Self { room, address, returning })
});

caller!(Member, [TokenMissing, TokenInvalid, RoomNameInvalid, RateLimited], |call| {
    // Consecutive requests on a connection are mostly one peer's.
    let connection = call.request.connection();
    if let Ok(Some(token)) = call.bearer()
        && let Some((room, peer)) = token_cache::recall(connection, call.params.room, token)
    {
        return Ok(Self { room, peer });
    }
    let room = call.room()?;
    let token = required_bearer(call)?;
    let peer = verify_peer(call, &room, token)?.peer;
    token_cache::remember(connection, &room, token, peer);
    Ok(Self { room, peer })
});

caller!(Sender, [TokenMissing, TokenInvalid, RoomNameInvalid, RateLimited], |call| {
    let member = Member::from_request(call)?;
    call.api.rates.send.check(member.peer)?;
    Ok(Self(member))
});

caller!(Observer, [TokenMissing, TokenInvalid, RoomNameInvalid, RateLimited], |call| {
    let member = Member::from_request(call)?;
    call.api.rates.poll.check(member.peer)?;
    Ok(Self(member))
});

caller!(Owner, [TokenMissing, TokenInvalid, NotYours, PeerUnknown, RoomNameInvalid, RateLimited], |call| {
    let member = Member::from_request(call)?;
    if call.peer()? != member.peer {
        return Err(Problem::new(Code::NotYours, "The token belongs to a different peer than the one in the path."));
    }
    Ok(Self(member))
});

caller!(Reader, [TokenMissing, TokenInvalid, NotYours, PeerUnknown, RoomNameInvalid, RateLimited], |call| {
    let Owner(member) = Owner::from_request(call)?;
    call.api.rates.poll.check(member.peer)?;
    Ok(Self(member))
});

caller!(Creator, [TokenMissing, TokenInvalid, NotYours, RoomNameInvalid, RateLimited], |call| {
    let room = call.room()?;
    let token = required_bearer(call)?;
    match call.api.tokens.verify_room(&room, token) {
        Some(creator) => {
            call.api.rates.manage.check(creator)?;
            Ok(Self { room, creator })
        }
        None if call.api.tokens.verify_peer(&room, token).is_some() => {
            Err(Problem::new(Code::NotYours, "This needs the room token, not a peer's token."))
        }
        None => Err(invalid_token(call, &room, token)),
    }
});

caller!(OwnerOrCreator, [TokenMissing, TokenInvalid, NotYours, PeerUnknown, RoomNameInvalid, RateLimited], |call| {
    if required_bearer(call)?.starts_with("room.") {
        Creator::from_request(call).map(Self::Creator)
    } else {
        let owner = Owner::from_request(call)?;
        call.api.rates.send.check(owner.0.peer)?;
        Ok(Self::Owner(owner))
    }
});

fn verify_peer(call: &Call<'_>, room: &RoomName, token: &str) -> Result<SeatClaim, Problem> {
    call.api.tokens.verify_peer(room, token).ok_or_else(|| invalid_token(call, room, token))
}

fn required_bearer<'a>(call: &Call<'a>) -> Result<&'a str, Problem> {
    call.required_bearer().map_err(|problem| limited(call, problem))
}

fn invalid_token(call: &Call<'_>, room: &RoomName, token: &str) -> Problem {
    call.api.rates.record_miss(call.address(), &[room.as_str(), token].join(" "));
    let detail = "The token is malformed, for another room, or from a server with another key.";
    limited(call, Problem::new(Code::TokenInvalid, detail))
}

/// The problem, as long as this address does not cause too many of them.
fn limited(call: &Call<'_>, problem: Problem) -> Problem {
    call.api.rates.anonymous.check(call.address()).err().unwrap_or(problem)
}

//! Who may call stands in each handler's signature, as one of these extractors.

use std::{
    future::{Ready, ready},
    net::{IpAddr, Ipv4Addr},
};

use actix_web::{
    FromRequest, HttpRequest,
    dev::Payload,
    http::header::{self, HeaderValue},
    web::Data,
};
use uuid::Uuid;

use super::{
    Api,
    address::AddressKey,
    problem::{Code, Problem},
};
use crate::domain::{CreatorId, PeerId, RoomName};

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

macro_rules! extractor {
    ($name:ty, $extract:expr) => {
        impl FromRequest for $name {
            type Error = Problem;
            type Future = Ready<Result<Self, Problem>>;

            fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
                let extract: fn(&HttpRequest) -> Result<Self, Problem> = $extract;
                ready(extract(request))
            }
        }
    };
}

extractor!(InRoom, |request| room(request).map(InRoom));
extractor!(Addressee, |request| path_peer(request).map(Addressee));

extractor!(From, |request| address(request).map(From));

extractor!(Sender, |request| {
    let member = extract::<Member>(request)?;
    api(request)?.rates.send(member.peer)?;
    Ok(Sender(member))
});

extractor!(Reader, |request| {
    let owner = extract::<Owner>(request)?;
    api(request)?.rates.poll(owner.peer)?;
    Ok(Reader(owner))
});

extractor!(Visiting, |request| {
    let room = room(request)?;
    api(request)?.rates.join(address(request)?)?;
    let peer = bearer(request)?.map(|token| verify_peer(request, &room, token)).transpose()?;
    Ok(Visiting { room, peer })
});

extractor!(Member, |request| {
    let room = room(request)?;
    let peer = verify_peer(request, &room, required_bearer(request)?)?;
    Ok(Member { room, peer })
});

extractor!(Owner, |request| {
    let room = room(request)?;
    let token = required_bearer(request)?;
    let peer = verify_peer(request, &room, token)?;
    if path_peer(request)? != peer {
        return Err(Problem::new(Code::NotYours, "The token belongs to another peer than the path names."));
    }
    Ok(Owner { room, peer })
});

extractor!(Creator, |request| {
    let room = room(request)?;
    let token = required_bearer(request)?;
    match api(request)?.tokens.verify_room(&room, token) {
        Some(creator) => Ok(Creator { room, creator }),
        None if api(request)?.tokens.verify_peer(&room, token).is_some() => {
            Err(Problem::new(Code::NotYours, "This needs the room token, which whoever made the room was given."))
        }
        None => Err(invalid_token()),
    }
});

extractor!(OwnerOrCreator, |request| {
    if required_bearer(request)?.starts_with("room.") {
        extract(request).map(OwnerOrCreator::Creator)
    } else {
        extract(request).map(OwnerOrCreator::Owner)
    }
});

fn extract<T: FromRequest<Error = Problem, Future = Ready<Result<T, Problem>>>>(
    request: &HttpRequest,
) -> Result<T, Problem> {
    T::from_request(request, &mut Payload::None).into_inner()
}

fn address(request: &HttpRequest) -> Result<AddressKey, Problem> {
    let sender = request.peer_addr().map_or(IpAddr::from(Ipv4Addr::UNSPECIFIED), |address| address.ip());
    Ok(api(request)?.proxies.client(sender, request.headers()).into())
}

fn api(request: &HttpRequest) -> Result<&Api, Problem> {
    let data = request.app_data::<Data<Api>>();
    data.map(|data| data.get_ref()).ok_or_else(|| Problem::new(Code::Internal, "The server was put together wrongly."))
}

fn room(request: &HttpRequest) -> Result<RoomName, Problem> {
    parse_room(request.match_info().get("room").unwrap_or_default())
}

pub fn parse_room(text: &str) -> Result<RoomName, Problem> {
    RoomName::parse(text).ok_or_else(|| {
        Problem::new(Code::RoomNameInvalid, "A room name has 1 to 64 of the characters A-Z a-z 0-9 . _ ~ -")
    })
}

fn path_peer(request: &HttpRequest) -> Result<PeerId, Problem> {
    let text = request.match_info().get("peer").unwrap_or_default();
    parse_peer(text).ok_or_else(|| Problem::new(Code::PeerUnknown, "The peer in the path is not a UUID."))
}

/// A peer id in the hyphenated form in which the server gives it out.
pub fn parse_peer(text: &str) -> Option<PeerId> {
    let hyphenated = text.len() == 36;
    hyphenated.then(|| Uuid::try_parse(text).ok()).flatten().map(|uuid| PeerId::from_bytes(uuid.into_bytes()))
}

fn verify_peer(request: &HttpRequest, room: &RoomName, token: &str) -> Result<PeerId, Problem> {
    api(request)?.tokens.verify_peer(room, token).ok_or_else(invalid_token)
}

fn invalid_token() -> Problem {
    Problem::new(Code::TokenInvalid, "It is malformed, for another room, or from a server with another key.")
}

fn required_bearer(request: &HttpRequest) -> Result<&str, Problem> {
    bearer(request)?.ok_or_else(|| Problem::new(Code::TokenMissing, "There is no `Authorization` header."))
}

/// The token in `Authorization: Bearer …` (RFC 6750 section 2.1), if there is the header.
fn bearer(request: &HttpRequest) -> Result<Option<&str>, Problem> {
    let Some(value) = request.headers().get(header::AUTHORIZATION) else { return Ok(None) };
    let malformed = || Problem::new(Code::TokenInvalid, "`Authorization` is not of the form `Bearer <token>`.");
    parse_bearer(value).map(Some).ok_or_else(malformed)
}

pub fn parse_bearer(value: &HeaderValue) -> Option<&str> {
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

//! Who may call stands in each handler's signature, as one of these extractors.

use std::{
    future::{Ready, ready},
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
};

use actix_web::{
    FromRequest, HttpRequest,
    dev::{Payload, RequestHead},
    http::{Version, uri::Authority},
    web::Data,
};
use uuid::Uuid;

use crate::{
    api::{
        Api,
        problem::{Code, Problem},
    },
    domain::{CreatorId, PeerId, RoomName},
    transport::{
        client_address::AddressKey,
        headers::{Field, Fields},
        http1::head::Plain,
        limits::connection::Connection,
    },
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

/// A request, as far as it says who calls.
#[derive(Clone, Copy)]
pub struct Call<'a> {
    pub api: &'a Api,
    pub connection: Option<&'a Connection>,
    pub fields: Fields<'a>,
    /// What the path says, which may be nonsense. Empty, where it says nothing.
    pub room: &'a str,
    pub peer: &'a str,
    pub query: &'a str,
    /// Whom the server is to the client, if that is not in a field.
    pub authority: Option<&'a Authority>,
    pub is_http_2: bool,
    from: Option<SocketAddr>,
}

/// What a call must show before it is listened to.
pub trait Caller: Sized {
    fn of(call: &Call<'_>) -> Result<Self, Problem>;
}

macro_rules! caller {
    ($name:ty, $of:expr) => {
        impl Caller for $name {
            fn of(call: &Call<'_>) -> Result<Self, Problem> {
                let of: fn(&Call<'_>) -> Result<Self, Problem> = $of;
                of(call)
            }
        }

        impl FromRequest for $name {
            type Error = Problem;
            type Future = Ready<Result<Self, Problem>>;

            fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
                ready(Call::routed(request).and_then(|call| Self::of(&call)))
            }
        }
    };
}

caller!(InRoom, |call| call.room().map(InRoom));
caller!(Addressee, |call| call.peer().map(Addressee));

caller!(From, |call| Ok(From(call.address())));

caller!(Sender, |call| {
    let member = Member::of(call)?;
    call.api.rates.send(member.peer)?;
    Ok(Sender(member))
});

caller!(Reader, |call| {
    let owner = Owner::of(call)?;
    call.api.rates.poll(owner.peer)?;
    Ok(Reader(owner))
});

caller!(Visiting, |call| {
    let room = call.room()?;
    call.api.rates.join(call.address())?;
    let peer = call.bearer()?.map(|token| call.verify_peer(&room, token)).transpose()?;
    Ok(Visiting { room, peer })
});

caller!(Member, |call| {
    // What is on one connection is mostly one peer's.
    if let (Some(connection), Ok(Some(token))) = (call.connection, call.bearer())
        && let Some((room, peer)) = connection.recall(call.room, token)
    {
        return Ok(Member { room, peer });
    }
    let room = call.room()?;
    let token = call.required_bearer()?;
    let peer = call.verify_peer(&room, token)?;
    if let Some(connection) = call.connection {
        connection.remember(&room, token, peer);
    }
    Ok(Member { room, peer })
});

caller!(Owner, |call| {
    let Member { room, peer } = Member::of(call)?;
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
        Creator::of(call).map(OwnerOrCreator::Creator)
    } else {
        Owner::of(call).map(OwnerOrCreator::Owner)
    }
});

impl<'a> Call<'a> {
    pub fn plain(api: &'a Api, plain: &'a Plain, from: SocketAddr, connection: &'a Connection) -> Self {
        Self {
            api,
            connection: Some(connection),
            fields: Fields::Plain(plain),
            room: plain.room(),
            peer: plain.peer(),
            query: plain.query(),
            authority: None,
            is_http_2: false,
            from: Some(from),
        }
    }

    pub fn of(
        api: &'a Api,
        head: &'a RequestHead,
        connection: Option<&'a Connection>,
        room: &'a str,
        peer: &'a str,
    ) -> Self {
        Self {
            api,
            connection,
            fields: Fields::Map(head.headers()),
            room,
            peer,
            query: head.uri.query().unwrap_or_default(),
            authority: head.uri.authority(),
            is_http_2: head.version == Version::HTTP_2,
            from: head.peer_addr,
        }
    }

    /// One that has come to its handler by a route.
    pub fn routed(request: &'a HttpRequest) -> Result<Self, Problem> {
        let Some(api) = request.app_data::<Data<Api>>() else {
            return Err(Problem::new(Code::Internal, "The server was put together wrongly."));
        };
        let part = |name| request.match_info().get(name).unwrap_or_default();
        // Over HTTP/1 it is not with actix (`front`); that nothing is remembered then costs those few a little time.
        let connection = request.conn_data::<Arc<Connection>>().map(Arc::as_ref);
        Ok(Self::of(api, request.head(), connection, part("room"), part("peer")))
    }

    fn room(&self) -> Result<RoomName, Problem> {
        parse_room(self.room)
    }

    fn peer(&self) -> Result<PeerId, Problem> {
        parse_peer(self.peer).ok_or_else(|| Problem::new(Code::PeerUnknown, "The peer in the path is not a UUID."))
    }

    fn address(&self) -> AddressKey {
        let sender = self.from.map_or(IpAddr::from(Ipv4Addr::UNSPECIFIED), |address| address.ip());
        self.api.proxies.client(sender, self.fields).into()
    }

    fn verify_peer(&self, room: &RoomName, token: &str) -> Result<PeerId, Problem> {
        self.api.tokens.verify_peer(room, token).ok_or_else(invalid_token)
    }

    fn required_bearer(&self) -> Result<&'a str, Problem> {
        self.bearer()?.ok_or_else(|| Problem::new(Code::TokenMissing, "There is no `Authorization` header."))
    }

    /// The token in `Authorization: Bearer …` (RFC 6750 section 2.1), if there is the header.
    fn bearer(&self) -> Result<Option<&'a str>, Problem> {
        let Some(value) = self.fields.get(Field::Authorization) else { return Ok(None) };
        let malformed = || Problem::new(Code::TokenInvalid, "`Authorization` is not of the form `Bearer <token>`.");
        parse_bearer(value).map(Some).ok_or_else(malformed)
    }
}

pub fn parse_room(text: &str) -> Result<RoomName, Problem> {
    RoomName::parse(text).ok_or_else(|| {
        Problem::new(Code::RoomNameInvalid, "A room name has 1 to 64 of the characters A-Z a-z 0-9 . _ ~ -")
    })
}

/// A peer id in the hyphenated form in which the server gives it out.
pub fn parse_peer(text: &str) -> Option<PeerId> {
    let hyphenated = text.len() == 36;
    hyphenated.then(|| Uuid::try_parse(text).ok()).flatten().map(|uuid| PeerId::from_bytes(uuid.into_bytes()))
}

fn invalid_token() -> Problem {
    Problem::new(Code::TokenInvalid, "It is malformed, for another room, or from a server with another key.")
}

pub fn parse_bearer(value: &[u8]) -> Option<&str> {
    let (scheme, token) = value.split_at_checked("bearer ".len())?;
    let token = std::str::from_utf8(token).ok()?.trim();
    (scheme.eq_ignore_ascii_case(b"bearer ") && !token.is_empty()).then_some(token)
}

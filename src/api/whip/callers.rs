//! Who calls the operations of WHIP and WHEP.

use std::net::IpAddr;

use crate::{
    api::{
        Call, Code, FromRequest, Problem,
        auth::{
            caller::{Anyone, Client},
            token::TokenKey,
        },
        params::{parse_peer, query_pairs},
        whip::{
            kind::{self, Kind},
            session_id::SessionId,
        },
    },
    domain::{PeerId, RoomName},
    transport::client_address::AddressKey,
};

/// An encoder or player that wants a seat, within the join rate limit of its address.
#[derive(Debug)]
pub struct Caller {
    pub room: RoomName,
    pub address: AddressKey,
    pub ip: IpAddr,
    pub bearer: Option<String>,
    pub name: Option<String>,
    /// Whom it calls.
    pub to: Option<PeerId>,
}

/// An encoder or player that sends OPTIONS before its `POST`, within the rate limit of its address for requests without a token. `None` for a
/// browser's preflight, and if the query or `Authorization` is malformed.
#[derive(Debug)]
pub struct EarlyCaller(pub Option<Caller>);

/// An encoder or player at the URL of its session, with the token with which it came, within the send rate limit.
#[derive(Debug)]
pub struct SessionOwner {
    pub room: RoomName,
    pub id: SessionId,
    pub ip: IpAddr,
}

/// Anyone who knows the URL of a session.
#[derive(Debug)]
pub struct SessionVisitor {
    pub room: RoomName,
    pub id: SessionId,
}

/// The members of `If-Match`; `None` without the field.
pub struct IfMatch(pub Option<Vec<String>>);

impl Caller {
    /// The same for each request of the same encoder, so that it gets the seat again that it still has.
    pub fn peer(&self, tokens: &TokenKey, kind: Kind) -> PeerId {
        let address = self.address.to_bytes();
        let parts: [&[u8]; 5] = [
            self.room.as_bytes(),
            kind.word().as_bytes(),
            self.bearer.as_deref().unwrap_or_default().as_bytes(),
            self.name.as_deref().unwrap_or_default().as_bytes(),
            &address,
        ];
        let parts = parts.map(|part| [&(part.len() as u64).to_be_bytes()[..], part].concat());
        kind::peer_id(tokens.derive(b"whip-peer", &parts.concat()))
    }

    fn read(call: &Call<'_>, room: RoomName, address: AddressKey) -> Result<Self, Problem> {
        let bearer = call.bearer()?.map(str::to_owned);
        let (mut name, mut to) = (None, None);
        for (field, value) in query_pairs(call.request.query()) {
            let slot = match &*field {
                "name" => &mut name,
                "to" => &mut to,
                _ => continue,
            };
            if slot.replace(value.into_owned()).is_some() {
                return Err(Problem::new(Code::MalformedRequest, format!("The query has `{field}` more than once.")));
            }
        }
        let invalid = || Problem::invalid("`to` must be a peer's id.");
        let to = to.map(|text| parse_peer(&text).ok_or_else(invalid)).transpose()?;
        Ok(Self { room, address, ip: call.ip(), bearer, name, to })
    }
}

impl FromRequest for Caller {
    const PROBLEMS: &[Code] =
        &[Code::TokenInvalid, Code::RoomNameInvalid, Code::RateLimited, Code::MalformedRequest, Code::Invalid];

    fn from_request(call: &Call<'_>) -> Result<Self, Problem> {
        let room = call.room()?;
        let Client(address) = Client::from_request(call)?;
        Self::read(call, room, address)
    }
}

impl FromRequest for EarlyCaller {
    const PROBLEMS: &[Code] = &[Code::RoomNameInvalid, Code::RateLimited];

    fn from_request(call: &Call<'_>) -> Result<Self, Problem> {
        let Anyone(address) = Anyone::from_request(call)?;
        let room = call.room()?;
        let is_preflight = !call.headers().get_all("access-control-request-method").is_empty();
        Ok(Self(if is_preflight { None } else { Caller::read(call, room, address).ok() }))
    }
}

impl FromRequest for SessionVisitor {
    const PROBLEMS: &[Code] = &[Code::SessionUnknown, Code::RoomNameInvalid, Code::RateLimited];

    fn from_request(call: &Call<'_>) -> Result<Self, Problem> {
        let (room, text) = (call.room()?, call.params.session);
        match SessionId::verify(&call.api.tokens, &room, text) {
            Some(id) => Ok(Self { room, id }),
            None => {
                let address = call.address();
                call.api.rates.record_miss(address, &[room.as_str(), text].join(" "));
                Err(call.api.rates.anonymous.check(address).err().unwrap_or_else(session_unknown))
            }
        }
    }
}

impl FromRequest for SessionOwner {
    const PROBLEMS: &[Code] =
        &[Code::TokenMissing, Code::TokenInvalid, Code::SessionUnknown, Code::RoomNameInvalid, Code::RateLimited];

    fn from_request(call: &Call<'_>) -> Result<Self, Problem> {
        let SessionVisitor { room, id } = SessionVisitor::from_request(call)?;
        // RFC 9725 section 4.7.1: the token is sent with all requests.
        let bearer = call.bearer()?;
        if !id.is_of(&call.api.tokens, bearer) {
            let code = if bearer.is_some() { Code::TokenInvalid } else { Code::TokenMissing };
            let problem = Problem::new(code, "The session needs the token with which it began.");
            return Err(call.api.rates.anonymous.check(call.address()).err().unwrap_or(problem));
        }
        call.api.rates.send.check(id.peer)?;
        Ok(Self { room, id, ip: call.ip() })
    }
}

pub fn session_unknown() -> Problem {
    Problem::new(Code::SessionUnknown, "The session has ended, or there never was one with this URL.")
}

impl FromRequest for IfMatch {
    fn from_request(call: &Call<'_>) -> Result<Self, Problem> {
        let values = call.headers().get_all("if-match");
        let members = values.iter().flat_map(|value| value.split(',')).map(|member| member.trim().to_owned());
        Ok(Self((!values.is_empty()).then(|| members.collect())))
    }
}

impl IfMatch {
    /// Any ICE session. RFC 9725's example has quotes around the star.
    pub fn is_any(&self) -> bool {
        self.has("*") || self.has("\"*\"")
    }

    pub fn has_etag(&self, etag: &str) -> bool {
        self.has(&format!("\"{etag}\""))
    }

    fn has(&self, member: &str) -> bool {
        self.0.as_ref().is_some_and(|members| members.iter().any(|known| known == member))
    }
}

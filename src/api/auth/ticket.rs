//! Tickets: JSON Web Tokens (RFC 7519) by which an app's own login admits users.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;

use crate::{
    api::{Code, Problem},
    domain::RoomName,
};

/// What a valid ticket says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ticket {
    /// The bearer's name, which overrides the one in the request.
    pub name: Option<String>,
    /// The bearer may create the room.
    pub create: bool,
    /// The bearer is given the room token.
    pub admin: bool,
    /// The bearer, as the app's login knows it.
    pub subject: Option<String>,
}

/// The three parts of a JSON Web Signature in its compact form (RFC 7515 section 7.1).
pub struct SignedTicket<'a> {
    pub header: Header,
    /// What is signed.
    pub signed: &'a str,
    claims: &'a str,
    pub signature: &'a str,
}

#[derive(Deserialize)]
pub struct Header {
    pub alg: String,
    pub kid: Option<String>,
    crit: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct Claims {
    /// The room that it is for; a trailing `*` matches anything.
    room: String,
    name: Option<String>,
    #[serde(default)]
    create: bool,
    #[serde(default)]
    admin: bool,
    sub: Option<String>,
    /// Times in Unix seconds, perhaps with a fraction.
    exp: f64,
    nbf: Option<f64>,
    aud: Option<Audience>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

/// For clock skew.
const LEEWAY: Duration = Duration::from_secs(30);

impl<'a> SignedTicket<'a> {
    pub fn parse(ticket: &'a str) -> Result<Self, Problem> {
        let (signed, signature) = ticket.rsplit_once('.').ok_or_else(malformed)?;
        let (header, claims) = signed.split_once('.').ok_or_else(malformed)?;
        let header: Header = json_in(header)?;
        if header.crit.is_some() {
            // RFC 7515 section 4.1.11: a JWS with unsupported critical extensions must be rejected.
            let detail = "The ticket's critical extensions (`crit`) are not supported.";
            return Err(Problem::new(Code::TicketMalformed, detail));
        }
        Ok(Self { header, signed, claims, signature })
    }

    /// The claims, whose signature has been verified, if they are valid for this room, time (in Unix seconds) and audience.
    pub fn accept(&self, room: &RoomName, now: u64, audiences: &[String]) -> Result<Ticket, Problem> {
        let claims: Claims = json_in(self.claims)?;
        claims.check_time(now)?;
        claims.check_audience(audiences)?;
        claims.check_room(room)?;
        let Claims { name, create, admin, sub, .. } = claims;
        Ok(Ticket { name, create, admin, subject: sub })
    }
}

impl Claims {
    fn check_time(&self, now: u64) -> Result<(), Problem> {
        let (now, leeway) = (now as f64, LEEWAY.as_secs_f64());
        let refuse = |detail| Err(Problem::new(Code::TicketExpired, detail));
        match self.nbf {
            _ if self.exp + leeway < now => refuse("The ticket's `exp` has passed."),
            Some(start) if start - leeway > now => refuse("The ticket's `nbf` is in the future."),
            _ => Ok(()),
        }
    }

    /// RFC 7519 section 4.1.3: a service that is not named in `aud` must reject the ticket. A server with a name requires it, too, because
    /// other services may accept tickets that are signed with the same key.
    fn check_audience(&self, ours: &[String]) -> Result<(), Problem> {
        let detail = match &self.aud {
            None if ours.is_empty() => return Ok(()),
            None => "The ticket has no `aud`, which this server requires (`--ticket-audience`).",
            Some(_) if ours.is_empty() => "The ticket has an `aud`, but this server has no name (`--ticket-audience`).",
            Some(Audience::One(name)) if ours.contains(name) => return Ok(()),
            Some(Audience::Several(names)) if names.iter().any(|name| ours.contains(name)) => return Ok(()),
            Some(_) => "The ticket's `aud` names other services (`--ticket-audience`).",
        };
        Err(Problem::new(Code::TicketAudience, detail))
    }

    fn check_room(&self, room: &RoomName) -> Result<(), Problem> {
        let matches = match self.room.strip_suffix('*') {
            Some(prefix) => room.as_str().starts_with(prefix),
            None => room.as_str() == self.room,
        };
        let mismatch = || Problem::new(Code::TicketOtherRoom, "The ticket's `room` does not match this room.");
        if matches { Ok(()) } else { Err(mismatch()) }
    }
}

fn json_in<T: for<'de> Deserialize<'de>>(part: &str) -> Result<T, Problem> {
    let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| malformed())?;
    serde_json::from_slice(&bytes).map_err(|_| malformed())
}

pub fn malformed() -> Problem {
    Problem::new(Code::TicketMalformed, "The ticket must be a JWT with the claims `room` and `exp`.")
}

//! The seat of an encoder or player: the same admission, limits and quotas as any peer's.

use crate::{
    api::{
        Problem,
        auth::{admission::Admission, caller::Joiner},
        params::parse_name,
        whip::{
            call::{Seat, nobody},
            callers::Caller,
            kind::Kind,
        },
    },
    domain::{CreatorId, Identity, Joined, Refusal, Rights, Seq, Visitor},
};

/// Takes the seat, or takes it again. The room must exist: a person who opens the page is to be its creator.
pub async fn join(seat: &Seat, kind: Kind, caller: &Caller) -> Result<Joined, Problem> {
    let api = &seat.api;
    api.rates.check_misses(caller.address)?;
    let joiner = Joiner { room: caller.room.clone(), address: caller.address, returning: None };
    let bearer = caller.bearer.as_deref();
    let (ticket, secret) = if api.tickets.is_some() { (bearer, None) } else { (None, bearer) };
    let admission = Admission::check(api, caller.address, &caller.room, None, ticket, secret)?;
    let name = admission.name.as_deref().or(caller.name.as_deref()).unwrap_or(kind.default_name());
    let visitor = Visitor {
        identity: Identity::Returning { id: seat.peer, restart: Seq::at_unix_millis(api.clock.unix_millis()) },
        name: parse_name(Some(name))?,
        metadata: kind.metadata(),
        secret: admission.secret,
        capacity: None,
        // It creates no room.
        creator: CreatorId::from_bytes(*seat.peer.as_bytes()),
        keyed: None,
        page: Some(seat.page),
        rights: Rights { create: false, own: false, administer: false, ..admission.rights },
        subject: admission.subject,
        source: api.tokens.source(caller.address),
    };
    // Nothing may come between these: an attempt that is not concluded counts as a wrong guess.
    let attempt = admission.attempt(api, &joiner)?;
    let joined = api.engine.join(&caller.room, visitor).await;
    attempt.conclude(&joined);
    joined.map_err(|refusal| match refusal {
        Refusal::MayNotCreate => {
            api.rates.record_miss(caller.address, caller.room.as_str());
            nobody(kind, "The room does not exist. Open it in a browser first.")
        }
        refusal => admission.problem(refusal),
    })
}

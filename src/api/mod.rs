//! The HTTP edge, and the only place that knows actix: parse, ask the engine once, answer.

pub mod accept;
pub mod auth;
pub mod base_path;
pub mod dispatch;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
pub mod handlers;
pub mod idempotency;
pub mod json;
pub mod methods;
pub mod place;
pub mod problem;
pub mod request_metrics;
pub mod room_name;
pub mod router;
pub mod schema;

use std::sync::Arc;

use crate::{
    api::{
        auth::{rate_limit::Rates, ticket::TicketKeys, token::TokenKey},
        request_metrics::Observed,
    },
    transport::{client_address::TrustedProxies, limits::registry::Connections},
};
use sha2::{Digest, Sha256};
use twox_hash::XxHash3_64;

use crate::{
    api::problem::Problem,
    clock::Clock,
    domain::{Limits, Page, Refusal, Secret},
    engine::Engine,
    ice::IceConfig,
    stun::StunResponder,
};

/// What handlers work with.
#[derive(Clone, Debug)]
pub struct Api {
    pub engine: Engine,
    pub limits: Arc<Limits>,
    pub tokens: TokenKey,
    /// With them, nobody comes in without a ticket.
    pub tickets: Option<Arc<TicketKeys>>,
    pub rates: Arc<Rates>,
    pub proxies: Arc<TrustedProxies>,
    pub ice: Arc<IceConfig>,
    pub stun: Option<Arc<StunResponder>>,
    pub clock: Clock,
    pub observed: Arc<Observed>,
    pub connections: Arc<Connections>,
    /// `/metrics` has a listener of its own, and is not shown here.
    pub metrics_elsewhere: bool,
}

/// No answer of the API may be kept, and none may be changed on the way.
pub const NEVER_STORED: &str = "no-store, no-transform";

/// The longest secret of a room, in characters.
const SECRET_MAX: usize = 256;

/// A secret as the domain keeps it.
fn digest_secret(secret: &str) -> Result<Secret, Problem> {
    if !(1..=SECRET_MAX).contains(&secret.chars().count()) {
        return Err(Problem::invalid(format!("`secret` must have 1 to {SECRET_MAX} characters.")));
    }
    Ok(Secret::from_digest(Sha256::digest(secret.as_bytes()).into()))
}

/// Seats, as a visitor wishes them: also where the room is there already, nonsense is not passed over.
fn parse_capacity(capacity: Option<f64>, limits: &Limits) -> Result<Option<usize>, Problem> {
    let max = limits.room_capacity_max;
    // To JSON Schema 2.0 is as whole a number as 2.
    let fits = capacity.is_none_or(|seats| seats.fract() == 0.0 && (1.0..=max as f64).contains(&seats));
    if fits { Ok(capacity.map(|seats| seats as usize)) } else { Err(Refusal::CapacityInvalid { max }.into()) }
}

/// Which page is asking, as a number.
pub fn parse_page(text: &str) -> Result<Page, Problem> {
    if !(1..=64).contains(&text.chars().count()) {
        return Err(Problem::invalid("`page` must have 1 to 64 characters."));
    }
    Ok(Page(XxHash3_64::oneshot(text.as_bytes())))
}

/// Names the problems that an operation may answer with, for its documentation.
macro_rules! refusals {
    ($name:ident: $($code:ident),+ $(,)?) => {
        struct $name;

        impl utoipa::IntoResponses for $name {
            fn responses() -> std::collections::BTreeMap<String, utoipa::openapi::RefOr<utoipa::openapi::Response>> {
                use crate::api::problem::Code;
                crate::api::schema::openapi::problem_responses(&[$(Code::$code),+])
            }
        }
    };
}
use refusals;

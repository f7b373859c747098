//! From requests to responses: parse, ask the engine once, answer.
//!
//! Each operation is one async function in [`handlers`], listed once in [`router`]. The types of its arguments say who
//! may call it ([`auth::caller`]) and what it takes ([`operation::FromRequest`]). Every request arrives at
//! [`dispatch::Dispatch`], and every refusal is a [`problem::Problem`]. [`Api`] is what handlers work with.
//!
//! Nothing here may know how a request was read or where rooms are kept: no socket, no room lock, no Redis.

pub mod accept;
pub mod auth;
pub mod base_path;
pub mod cors;
pub mod dispatch;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
pub mod handlers;
pub mod idempotency;
pub mod json;
pub mod operation;
pub mod params;
pub mod problem;
pub mod request_metrics;
pub mod room_name;
pub mod router;
pub mod schema;

use std::sync::Arc;

use crate::{
    api::{
        auth::{rate_limit::RateLimiters, ticket::TicketKeys, token::TokenKey},
        request_metrics::RequestMetrics,
    },
    clock::Clock,
    domain::Limits,
    engine::Engine,
    ice::IceConfig,
    stun::StunResponder,
    transport::{client_address::TrustedProxies, limits::registry::ConnectionRegistry},
};

/// What handlers work with.
#[derive(Clone, Debug)]
pub struct Api {
    pub engine: Engine,
    pub limits: Arc<Limits>,
    pub tokens: TokenKey,
    /// With them, nobody comes in without a ticket.
    pub tickets: Option<Arc<TicketKeys>>,
    pub rates: Arc<RateLimiters>,
    pub proxies: Arc<TrustedProxies>,
    pub ice: Arc<IceConfig>,
    pub stun: Option<Arc<StunResponder>>,
    pub clock: Clock,
    pub request_metrics: Arc<RequestMetrics>,
    pub connections: Arc<ConnectionRegistry>,
    /// `/metrics` has a listener of its own, and is not shown here.
    pub has_metrics_listener: bool,
}

//! From requests to responses: parse, call the engine once, respond.
//!
//! Each operation is one async function in [`handlers`], listed once in [`router`]. The types of its arguments say who
//! may call it ([`auth::caller`]) and what it takes ([`operation::FromRequest`]). Every request enters through
//! [`dispatch::Dispatch`], every refusal is a [`problem::Problem`], and [`Api`] is the state that handlers share.
//!
//! Nothing here may depend on how requests are read or where rooms are stored: no sockets, no room locks, no Redis.

pub mod accept;
pub mod allowed_hosts;
pub mod auth;
pub mod base_path;
pub mod cors;
pub mod cross_origin;
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
pub mod whip;

pub use operation::{Call, FromRequest};
pub use problem::{Code, Problem};

use std::sync::Arc;

use crate::{
    api::{
        auth::{rate_limit::RateLimiters, ticket_keys::TicketKeys, token::TokenKey},
        base_path::BasePath,
        request_metrics::RequestMetrics,
    },
    clock::Clock,
    domain::Limits,
    engine::{Engine, latest_stats::LatestStats},
    ice::IceConfig,
    transport::{
        Request,
        client_address::{AddressKey, TrustedProxies},
        limits::registry::ConnectionRegistry,
    },
    turn::TurnServer,
};

/// The shared state of handlers.
#[derive(Clone, Debug)]
pub struct Api {
    pub engine: Engine,
    pub limits: Arc<Limits>,
    pub tokens: TokenKey,
    /// If set, new peers need a ticket.
    pub tickets: Option<Arc<TicketKeys>>,
    pub rates: Arc<RateLimiters>,
    pub proxies: Arc<TrustedProxies>,
    pub ice: Arc<IceConfig>,
    /// STUN and the relay, if either is served.
    pub turn: Option<Arc<TurnServer>>,
    pub clock: Clock,
    pub request_metrics: Arc<RequestMetrics>,
    pub connections: Arc<ConnectionRegistry>,
    pub latest_stats: Arc<LatestStats>,
    pub metrics_at: MetricsAt,
    /// For absolute paths, which only encoders need.
    pub base_path: BasePath,
}

/// Where metrics are served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricsAt {
    /// By the API.
    Here,
    /// Only on the address of `--metrics-listen`.
    OwnListener,
    /// The address is public, and nobody has asked for them.
    Nowhere,
}

impl Api {
    /// The address of a request's client, as limits count it.
    pub fn client_address(&self, request: &Request) -> AddressKey {
        self.proxies.client(request.peer().ip(), request.headers()).into()
    }
}

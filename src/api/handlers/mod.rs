//! The operations of the API, one file for each resource.
//!
//! A handler's arguments have been validated before it runs. It calls the engine once and writes the response. Rules
//! belong in the domain, tokens and rate limits in [`auth`](crate::api::auth), and the format of JSON in
//! [`json`](crate::api::json).

pub mod health;
pub mod ice_links;
pub mod ice_servers;
pub mod leave_beacon;
pub mod messages;
pub mod peers;
pub mod polls;
pub mod rooms;
pub mod sessions;
pub mod websocket_probe;
pub mod whip;

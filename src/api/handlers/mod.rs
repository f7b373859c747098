//! The operations of the API, a file for each resource.

pub mod health;
pub mod ice_servers;
pub mod leave_beacon;
pub mod messages;
pub mod peers;
pub mod polls;
pub mod rooms;
pub mod websocket_probe;

//! The HTTP API, asked as a client asks it: one file for each group of operations, and one for each rule that all
//! operations share. What bounds sockets and bytes is in `transport`.

mod base_path;
mod cors;
mod limits;
mod messages;
mod openapi;
mod pages;
mod parity;
mod peers;
mod polls;
mod rate_limits;
mod rooms;
mod tickets;
mod token_cache;
mod websocket_probe;

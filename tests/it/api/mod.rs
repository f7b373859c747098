//! The HTTP API as a client sees it: a file for each group of operations, and for each rule that operations share. Limits on
//! sockets and bytes are in `transport`.

mod base_path;
mod comments;
mod cors;
mod limits;
mod messages;
mod openapi;
mod pages;
mod parity;
mod peers;
mod polls;
mod post_and_poll;
mod rooms;
mod seats;
mod websocket_probe;
mod whip;

//! Sockets: TLS, HTTP/2, connections that break or never end, hostile clients, and the STUN responder. Bytes are written by
//! hand where an HTTP client would refuse to.

mod connections;
mod disconnects;
mod faults;
mod head_timeouts;
mod http1_attacks;
mod http2_attacks;
mod memory;
mod stun;
mod tls;
mod upgrades;

//! Sockets: TLS, HTTP/2, broken and endless connections, hostile clients, and the STUN responder. Requests are written by hand
//! where an HTTP client would refuse to send them.

mod connections;
mod disconnects;
mod expectations;
mod faults;
mod head_timeouts;
mod http1_attacks;
mod http2_attacks;
mod http2_frames;
mod memory;
mod other_sites;
mod stun;
mod tls;
mod upgrades;

//! What clients send and get: framing, credentials, requests and responses. No sockets.

pub mod binding;
pub mod credentials;
pub mod framing;
pub mod request;
pub mod response;

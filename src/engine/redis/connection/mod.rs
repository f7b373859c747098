//! Finds Redis servers, connects to them and watches them. [`router::Router`] is the way in: it sends a call to the server that
//! has the bucket, and says of a failed call whether it may have been done.

pub mod address;
pub mod capacity;
mod discovery;
mod permissions;
pub mod router;
mod server;
mod server_info;
pub mod session;
pub mod tls;

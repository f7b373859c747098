//! TLS by rustls, at little cost for a connection that waits: its buffers belong to the worker.
//!
//! rustls' buffered API, and tokio-rustls over it, keep at least 4 KiB of buffers for each connection. Nearly all of ours
//! wait. With the unbuffered API a connection borrows the worker's buffers while it is polled ([`scratch`]), and has
//! some of its own only for what one poll leaves over ([`session`]): part of a record, plaintext that its reader has no
//! room for, ciphertext that the socket does not take.

mod scratch;
mod session;
mod stream;

#[cfg(test)]
mod tests;

pub use stream::TlsStream;

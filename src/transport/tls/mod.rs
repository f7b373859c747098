//! TLS by rustls. A waiting connection holds no buffers: they belong to the worker.
//!
//! rustls' buffered API, and tokio-rustls on top of it, keep at least 4 KiB for each connection, and nearly all of our
//! connections wait. With the unbuffered API a connection borrows buffers while it is polled (`scratch`), and owns only
//! what a poll leaves over (`session`): part of a record, plaintext its reader has no room for, ciphertext the socket has
//! not taken.

mod scratch;
mod session;
mod stream;

#[cfg(test)]
mod tests;

pub use stream::TlsStream;

//! The client against the real server: `SIGNALPOST_BIN`, or the repository's debug build.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

mod behind;
mod cancel;
#[cfg(feature = "tls")]
mod https;
mod room;
#[cfg(feature = "sealed")]
mod sealed;
mod seat;
mod support;

//! Properties of the transport for any input, compiled for tests and fuzz targets only.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a fuzz target fails by panicking")]

mod address;
mod head;
mod http2;

pub use address::address;
pub use head::head;
pub use http2::http2;

/// The first lines of an input that encodes several values; missing ones are empty.
pub(crate) fn lines<const N: usize>(input: &[u8]) -> [&[u8]; N] {
    let mut rest = input.splitn(N, |byte| *byte == b'\n');
    std::array::from_fn(|_| rest.next().unwrap_or_default())
}

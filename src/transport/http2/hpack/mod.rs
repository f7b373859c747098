//! HPACK (RFC 7541): decodes the header blocks of requests and encodes those of responses.
//!
//! The decoder owns its dynamic table and nothing else. The encoder never adds to its client's table, so it has no state.

pub mod decoder;
pub mod dynamic_table;
pub mod encoder;
pub mod huffman;
pub mod static_table;

#[cfg(test)]
mod tests;

/// A header block that cannot be decoded (RFC 9113 section 4.3: the connection must be closed).
#[derive(Debug, PartialEq, Eq)]
pub struct HpackError;

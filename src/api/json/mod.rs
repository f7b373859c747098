//! JSON in requests and responses.
//!
//! [`body`] bounds and checks any body; [`message`] reads messages and keeps what they relay byte for byte. Most are
//! read by [`fast_parser`], the rest by serde. [`mod@write`] writes responses; [`schema`](crate::api::schema) describes
//! them for the OpenAPI document.

pub mod body;
pub mod envelope;
pub mod fast_parser;
pub mod message;
pub mod scan;
pub mod strict;
pub mod write;

//! JSON in requests and responses.
//!
//! [`body`] bounds and validates any body; [`message`] parses messages and keeps what they relay byte for byte, most of them
//! with [`fast_parser`], the others with serde. [`mod@write`] writes responses, which [`schema`](crate::api::schema)
//! describes for the OpenAPI document.

pub mod body;
pub mod envelope;
pub mod fast_parser;
pub mod message;
pub mod scan;
pub mod strict;
pub mod write;

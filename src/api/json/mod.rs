//! JSON as it comes in and goes out.

pub mod body;
pub mod envelope;
pub mod fast_parser;
pub mod message;
pub mod scan;
pub mod strict;
pub mod write;

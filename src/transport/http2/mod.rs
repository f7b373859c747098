//! HTTP/2, which actix-http speaks.

pub mod header_block_guard;
pub mod response_body;

//! The OpenAPI document, and the shapes in it.

pub mod openapi;
pub mod responses;
pub mod signal;

//! The OpenAPI document ([`openapi::document`]) and its schemas. They describe what [`json`](crate::api::json) reads
//! and writes, and are used for nothing else.

pub mod openapi;
pub mod problem_responses;
pub mod responses;
pub mod signal;

//! The OpenAPI document ([`openapi::document`]) and its schemas. They describe what [`json`](crate::api::json) reads
//! and writes, and serve no other purpose.

pub mod openapi;
pub mod problem_responses;
pub mod responses;
pub mod signal;

//! The OpenAPI document, and the shapes in it.

pub mod openapi;
pub mod problem_responses;
pub mod responses;
pub mod signal;

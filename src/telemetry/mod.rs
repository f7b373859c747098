//! What operators see.

mod logs;
mod metrics;

pub use logs::start as start_logs;
pub use metrics::render;

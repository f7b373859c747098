//! What operators see.

mod logs;
mod metrics;

pub use crate::telemetry::logs::{LogFormat, start as start_logs};
pub use crate::telemetry::metrics::{Figures, Format};

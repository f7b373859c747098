//! Logs and metrics, for operators.

mod logs;
mod metrics;

pub use crate::telemetry::logs::{LogFormat, start as start_logs};
pub use crate::telemetry::metrics::{Format, MetricsSnapshot};

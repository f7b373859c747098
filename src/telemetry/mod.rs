//! What operators see: logs and metrics. Metrics are never labelled by room or peer.

mod logs;
mod metrics;

pub use crate::telemetry::logs::{LogFormat, start as start_logs};
pub use crate::telemetry::metrics::{Figures, Format};

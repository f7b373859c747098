//! What operators see.

mod logs;
mod metrics;

pub use logs::{LogFormat, start as start_logs};
pub use metrics::{Figures, Format};

//! Logs, by `tracing`, to standard error.
//!
//! `error`: an operator must act. `warn`: something is open or off that perhaps should not be. `info`: the server's own
//! life. `debug`: rooms and requests. SDP, candidates, bodies and addresses are not logged above debug, tokens never.

use tracing_subscriber::{filter::Targets, layer::SubscriberExt, util::SubscriberInitExt};

/// Starts logging at a level (`info`), or at levels by part (`warn,signalpost=debug`).
pub fn start(filter: &Targets) {
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_target(false);
    // A second start, as in tests, changes nothing.
    let _ = tracing_subscriber::registry().with(lines).with(filter.clone()).try_init();
}

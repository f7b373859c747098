//! Logs, by `tracing`, to standard error.
//!
//! `error`: an operator must act. `warn`: something is open or off that perhaps should not be. `info`: the life of the
//! server, its rooms and its peers. `debug`: a line for each request. Room names are not logged above debug; bodies,
//! addresses and tokens not at all.

use std::io::IsTerminal;

use clap::ValueEnum;
use tracing_subscriber::{
    Layer,
    filter::{LevelFilter, Targets},
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people
    Text,
    /// One JSON object a line, for programs
    Json,
}

/// Starts logging at a level (`info`), or at levels by part (`warn,signalpost=debug`).
pub fn start(filter: &Targets, format: LogFormat) {
    let colours = std::io::stderr().is_terminal();
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(colours).with_target(false);
    let lines = match format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    // That crate complains about what strangers send, as often as they like.
    let filter = filter.clone().with_target("stun_types", LevelFilter::OFF);
    // A second start, as in tests, changes nothing.
    let _ = tracing_subscriber::registry().with(lines.with_filter(filter)).try_init();
}

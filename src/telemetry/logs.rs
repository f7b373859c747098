//! Logs to standard error, by `tracing`.
//!
//! `error`: an operator must act. `warn`: something is unprotected or disabled, perhaps unintentionally. `info`: the life
//! of the server, its rooms and its peers. `debug`: a line for each request, and what clients do wrong. Room names are logged at
//! `debug` only; bodies, addresses and tokens never.

use std::io::IsTerminal;

use clap::ValueEnum;
use tracing::{Level, Metadata};
use tracing_subscriber::{
    Layer,
    filter::{FilterExt, LevelFilter, Targets, filter_fn},
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

/// Starts logging at a level (`info`), or at a level for each module (`warn,signalpost=debug`).
///
/// `about_clients` names the targets whose warnings are about what clients do, and up to which level. Anybody can cause them, and
/// nobody has to act on them.
pub fn start(filter: &Targets, format: LogFormat, about_clients: &'static [(&'static str, Level)]) {
    // https://no-color.org
    let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let colours = std::io::stderr().is_terminal() && !no_color;
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(colours).with_target(false);
    let lines = match format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    // These crates log every malformed datagram, and anybody can send those.
    let filter = filter.clone().with_target("stun_types", LevelFilter::OFF).with_target("turn_types", LevelFilter::OFF);
    let for_operators = filter_fn(move |metadata| is_for_operators(metadata, about_clients));
    let filter = filter.and(for_operators.with_max_level_hint(LevelFilter::TRACE));
    // A second start, as in tests, changes nothing.
    let _ = tracing_subscriber::registry().with(lines.with_filter(filter)).try_init();
}

/// Whether a line may be as urgent as the crate that writes it says.
fn is_for_operators(metadata: &Metadata<'_>, about_clients: &[(&str, Level)]) -> bool {
    let level = *metadata.level();
    level > Level::WARN
        || !about_clients.iter().any(|(target, most)| metadata.target().starts_with(target) && level >= *most)
}

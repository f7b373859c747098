//! Every option, once: flag, environment variable, default and help text. [`Config`] holds their values and builds from
//! them what other modules need.

mod assemble;
mod engine;
mod environment;
mod host;
mod memory;
mod options;
mod origin;
mod relay;
mod relay_checks;
mod values;
mod warnings;

pub use crate::config::{
    environment::{ParsedArgs, parse},
    options::{Cli, Command, Config},
};

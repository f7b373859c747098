//! The options, and the preparations before a measurement.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::{
    process,
    servers::{self, Server, Setting},
    signal, wire,
    workload::Workload,
};

#[derive(Debug, Args)]
pub struct Options {
    /// A smoke test: small sizes, short windows, one repetition
    #[arg(long)]
    pub quick: bool,

    /// Only these workloads
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub workload: Vec<Workload>,

    /// Only these servers
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub server: Vec<Server>,

    /// Sizes to use instead of each workload's own: waiting peers, pairs, or concurrent calls
    #[arg(long, value_name = "N", value_delimiter = ',')]
    pub size: Vec<usize>,

    /// Repetitions of each measurement [default: 3, or 1 with --quick]
    #[arg(long, value_name = "N")]
    pub repetitions: Option<usize>,

    /// Seconds of each measurement [default: 2, or 0.5 with --quick]
    #[arg(long, value_name = "S")]
    pub seconds: Option<f64>,

    /// Processors for the server, as taskset(1) names them
    #[arg(long, value_name = "LIST", default_value = "0")]
    pub server_cpus: String,

    /// Processor for the generator, which has one thread
    #[arg(long, value_name = "LIST", default_value = "1")]
    pub generator_cpus: String,

    /// Worker threads of Signalpost and of the relay
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub workers: usize,

    /// Another build of Signalpost to compare with
    #[arg(long, value_name = "FILE")]
    pub other: Option<PathBuf>,

    /// Where results.md and the charts go
    #[arg(long, value_name = "DIR", default_value = "target/load")]
    pub out: PathBuf,

    /// Passed by cargo to every bench
    #[arg(long, hide = true)]
    pub bench: bool,
}

pub fn folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Prepares folders, the file descriptor limit and processor pinning.
pub fn prepare(options: &Options) -> Result<(PathBuf, Setting), String> {
    signal::check_the_check()?;
    wire::check_the_chunks()?;
    rlimit::increase_nofile_limit(u64::MAX).map_err(|error| format!("file descriptors: {error}"))?;
    let out = folder().join(&options.out);
    let folder = out.join("servers");
    std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    servers::write_certificate(&folder)?;
    let cpus = match process::pin_self(&options.generator_cpus) {
        Ok(()) => Some(options.server_cpus.clone()),
        Err(error) => {
            println!("Nothing is pinned to a processor, so expect noisy figures: {error}");
            None
        }
    };
    Ok((out, Setting { cpus, workers: options.workers, other: options.other.clone(), folder }))
}

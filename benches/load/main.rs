//! Signalpost compared with other long-polling servers: the cost of a waiting peer, a message and a call, encrypted and not.
//!
//! `cargo bench --bench load` runs everything; `cargo bench --bench load -- --help` lists the options. Each run
//! starts a fresh server on one processor and drives it from another. The servers take turns, several times. All traffic is
//! on loopback, every message is checked, and everything ends with this process.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::cast_possible_truncation,
    reason = "it measures time, it prints what it measured, and its numbers are small"
)]

mod chart;
mod charts;
mod crowd;
mod drivers;
mod http2;
mod instructions;
mod measure;
mod nodes;
mod options;
mod pace;
#[path = "../fleet/page.rs"]
mod page;
mod process;
mod publish;
mod relay;
mod report;
mod servers;
mod signal;
mod socket;
mod stage;
mod wire;
mod workload;
mod workloads;

use std::{io::Write, path::PathBuf, process::ExitCode, time::Instant};

use clap::{Parser, Subcommand, ValueEnum};

use options::{Options, folder, prepare};
use report::{GENERATOR_LIMIT, Results};
use servers::{Server, Setting};
use stage::Task;
use workload::Workload;

/// Compares Signalpost with a bare relay, nginx with nchan, and Socket.IO, Prosody and Janus over HTTP polling: memory,
/// processor time, latency.
///
/// Takes about 23 minutes; with --quick about two. Servers that are not installed are skipped, with a hint on how to install them.
/// With UPDATE_DOCS=1 in the environment, it writes the tables and charts of README.md and docs/performance.md. Fails if a message of
/// Signalpost was lost, duplicated, reordered or corrupted, or if one of its runs did not finish; failures of other servers are only
/// reported.
#[derive(Debug, Parser)]
#[command(bin_name = "cargo bench --bench load --", args_conflicts_with_subcommands = true, max_term_width = 110)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    options: Options,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the bare relay (used by the bench itself)
    #[command(hide = true)]
    Relay {
        #[arg(long, default_value_t = 1)]
        workers: usize,
        #[arg(long)]
        certificate: Option<PathBuf>,
    },
    /// Compare nodes on one Redis with a node that keeps its rooms in memory; UPDATE_DOCS=1 writes docs/scaling.md
    Nodes {
        /// A short smoke test
        #[arg(long)]
        quick: bool,
        #[arg(long, hide = true)]
        bench: bool,
    },
    /// Count the instructions of a join, a send and a receive under callgrind, also over HTTP/2; fails if one costs 5 % more than recorded
    Instructions {
        /// Record the counts as expected from now on
        #[arg(long)]
        record: bool,
        /// Count the instructions of the bare relay instead
        #[arg(long, conflicts_with = "record")]
        relay: bool,
        #[arg(long, hide = true)]
        bench: bool,
    },
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = match cli.command {
        Some(Command::Relay { workers, certificate }) => relay::run(workers, certificate.as_ref()).map(|()| true),
        Some(Command::Instructions { relay: true, .. }) => instructions::run_relay(&folder().join("target/load")),
        Some(Command::Instructions { record, .. }) => instructions::run(record, &folder().join("target/load")),
        Some(Command::Nodes { quick, .. }) => nodes::run(quick, &cli.options),
        None => run(&cli.options),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("load: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<bool, String> {
    let (out, setting) = prepare(options)?;
    let servers = installed(options, &setting);
    let tasks = plan(options, &servers);
    let estimate: f64 = tasks.iter().map(|task| task.estimate()).sum();
    println!("{} runs, about {:.0} min.\n", tasks.len(), (estimate / 60.0).ceil());

    let started = Instant::now();
    let mut results = Results::default();
    for (index, task) in tasks.iter().enumerate() {
        let Task { workload, size, server, .. } = *task;
        let what = format!(
            "{} {size}, {}",
            workload.to_possible_value().map_or_else(String::new, |v| v.get_name().to_owned()),
            server.name()
        );
        print!("[{:>3}/{}, {:>3.0} s] {what:<44}", index + 1, tasks.len(), started.elapsed().as_secs_f64());
        let _ = std::io::stdout().flush();
        match workloads::run(*task, &setting) {
            Ok(outcome) => {
                let (name, value) = outcome.figures.first().copied().unwrap_or(("", f64::NAN));
                let limit = if outcome.generator > GENERATOR_LIMIT { "  (limited by the generator)" } else { "" };
                let faults = if outcome.faults == Default::default() {
                    String::new()
                } else {
                    format!("  {:?}", outcome.faults)
                };
                println!("{name} {}{limit}{faults}", report::number(value));
                results.add(*task, outcome);
            }
            Err(error) => {
                println!("FAILED: {error}");
                results.fail(*task, &error);
            }
        }
    }
    let text = results.markdown(&conditions(options, &setting, &servers));
    let file = out.join("results.md");
    std::fs::write(&file, &text).map_err(|error| format!("{}: {error}", file.display()))?;
    println!("\n{text}");
    let written = charts::write(&results, &out)?;
    println!("Written: {}{}", file.display(), written.iter().map(|path| format!(", {path}")).collect::<String>());
    let is_fine = results.are_fine();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        let results = results.without(Server::Other);
        publish::publish(&results, folder(), &results.markdown(&conditions(options, &setting, &servers)))?;
    }
    let _ = std::fs::remove_dir_all(&setting.folder);
    Ok(is_fine)
}

fn installed(options: &Options, setting: &Setting) -> Vec<Server> {
    let mut wanted = options.server.clone();
    if wanted.is_empty() {
        wanted = Server::value_variants().to_vec();
        wanted.retain(|server| *server != Server::Other || options.other.is_some());
    }
    wanted.sort();
    wanted.dedup();
    wanted.retain(|server| match server.missing(setting) {
        None => true,
        Some(how) => {
            println!("Skipped: {} is not installed. {how}", server.name());
            false
        }
    });
    wanted
}

/// Alternating: all servers at one size of one workload, then again, and so on.
fn plan(options: &Options, servers: &[Server]) -> Vec<Task> {
    let (repetitions, seconds) = if options.quick { (1, 0.5) } else { (3, 2.0) };
    let repetitions = options.repetitions.unwrap_or(repetitions);
    let seconds = options.seconds.unwrap_or(seconds).clamp(0.1, 60.0);
    let all = Workload::value_variants();
    let workloads = if options.workload.is_empty() { all } else { &options.workload };
    let mut tasks = Vec::new();
    for workload in workloads.iter().copied() {
        let sizes = if options.size.is_empty() { workload.sizes(options.quick) } else { &options.size };
        for size in sizes.iter().copied() {
            for server in (0..repetitions).flat_map(|_| servers).copied() {
                let is_asked_for = !options.size.is_empty() || server.manages(workload, size);
                if is_asked_for && (!workload.is_encrypted() || server.has_tls()) {
                    let is_rare = server.is_slow() && workload.is_of_calls() || workload.is_quiet();
                    let seconds = if is_rare { 2.0 * seconds } else { seconds };
                    tasks.push(Task { workload, size: size.max(1), server, seconds });
                }
            }
        }
    }
    tasks
}

/// The conditions of the measurement.
fn conditions(options: &Options, setting: &Setting, servers: &[Server]) -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let processor = read("/proc/cpuinfo");
    let processor = processor.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("?");
    let kernel = read("/proc/sys/kernel/osrelease");
    let pinned = match &setting.cpus {
        Some(cpus) => format!("server on processor {cpus}, generator on {}", options.generator_cpus),
        None => "nothing pinned".into(),
    };
    let notes: String = servers.iter().filter_map(|server| server.note()).flat_map(|note| [note, " "]).collect();
    format!(
        "Signalpost {version} with JSON, tokens, rooms, cursors, leases and metrics; only its rate limits are off. \
         {workers} worker thread(s), {pinned}, loopback, connections kept alive, medians of all repetitions. \
         CPU is the server's, all threads. {notes}{processor}, Linux {kernel}.",
        version = env!("CARGO_PKG_VERSION"),
        workers = options.workers,
        processor = processor.trim_matches([':', ' ', '\t']),
        kernel = kernel.trim(),
    )
}

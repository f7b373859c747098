//! A fleet that loses a node, in virtual time: the product's own rooms, and clients that behave like ours.
//!
//! `cargo bench --bench fleet` simulates a million clients on one processor; `-- --quick` simulates a
//! tenth. `UPDATE_DOCS=1` writes the tables in docs/scaling.md.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::cast_possible_truncation,
    reason = "it measures its own time, it prints what it found, and its numbers are small"
)]

mod page;
mod storm;

use std::{
    fmt::Write,
    fs,
    process::ExitCode,
    time::{Duration, Instant},
};

use storm::{BUCKET_MS, Death, Outcome, Service, Setting, Sharing, Storm};

/// Processor time of a join and of half an empty poll, from docs/scaling.md.
const SERVICE: Service = Service { join: Duration::from_micros(90), poll: Duration::from_micros(32) };
/// Time that a script takes in Redis, from the same tables.
const OPERATION: Duration = Duration::from_micros(50);
const PARTS: usize = 16;

const HEAD: &str = "| Clients | Nodes | Rooms are | The node | Jitter | Clients lost it | Peak of joins per second | at one node \
    | Longest queue | 99 % are back after | All after | Gave up waiting |\n\
    | ---: | ---: | --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n";

fn main() -> ExitCode {
    let quick = std::env::args().any(|argument| argument == "--quick");
    match run(if quick { 100_000 } else { 1_000_000 }) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("fleet: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(clients: usize) -> Result<(), String> {
    let mut table = HEAD.to_owned();
    let mut curves = String::from("| ms after the death | with jitter | without |\n| ---: | ---: | ---: |\n");
    let mut killed = Vec::new();
    let store = Sharing::Store { parts: PARTS, operation: OPERATION };
    for (nodes, sharing, death) in [
        (10, Sharing::ByPath, Death::Killed),
        (10, Sharing::ByPath, Death::Drained),
        (10, Sharing::ByPath, Death::Silent),
        (100, Sharing::ByPath, Death::Killed),
        (6, Sharing::ByPath, Death::Killed),
        (4, Sharing::ByPath, Death::Killed),
        (10, store, Death::Killed),
        (10, store, Death::Store),
    ] {
        for jitter in [true, false] {
            let setting = Setting { clients, nodes, sharing, death, jitter, service: SERVICE, seed: 1 };
            let began = Instant::now();
            let outcome = Storm::run(setting)?;
            check(&setting, &outcome)?;
            let row = row(&setting, &outcome);
            println!(
                "{row}({:.1} s; {:?}; new seats {}; polls at most {} a span; {} bytes for each client)",
                began.elapsed().as_secs_f64(),
                outcome.refusals,
                outcome.seated,
                outcome.polls.iter().max().unwrap_or(&0),
                outcome.cost_of_client
            );
            table.push_str(&row);
            if killed.len() < 2 {
                killed.push(outcome);
            }
        }
    }
    for span in 0..30 {
        let at = |outcome: &Outcome| outcome.joins.get(span).copied().unwrap_or(0);
        let from = span as u64 * BUCKET_MS;
        if killed.iter().any(|outcome| at(outcome) > 0) {
            let _ = writeln!(curves, "| {from} – {} | {} | {} |", from + BUCKET_MS, at(&killed[0]), at(&killed[1]));
        }
    }
    println!("\n{table}\n{curves}\n{}", memory());
    if std::env::var_os("UPDATE_DOCS").is_some() {
        page::write("docs/scaling.md", "storms", &table)?;
        page::write("docs/scaling.md", "storm-curve", &curves)?;
    }
    Ok(())
}

/// If all clients came back, each must be in the same room as before.
fn check(setting: &Setting, outcome: &Outcome) -> Result<(), String> {
    if outcome.missing == 0 && outcome.strangers > 0 {
        return Err(format!("{setting:?}: {} rooms are incomplete", outcome.strangers));
    }
    Ok(())
}

fn row(setting: &Setting, outcome: &Outcome) -> String {
    let sharing = match setting.sharing {
        Sharing::ByPath => "on it, by path".to_owned(),
        Sharing::Store { parts, .. } => format!("in {parts} Redis"),
    };
    let death = match setting.death {
        Death::Killed => "is killed",
        Death::Drained => "drains",
        Death::Silent => "falls silent",
        Death::Store => "lives; Redis starts again",
    };
    let per_second = |spans: u32| u64::from(spans) * 1000 / BUCKET_MS;
    let back = |after: Duration| match outcome.missing {
        0 => format!("{:.1} s", after.as_secs_f64()),
        _ => "never".to_owned(),
    };
    format!(
        "| {} | {} | {sharing} | {death} | {} | {} | {} | {} | {:.1} s | {} | {} | {} |\n",
        outcome.clients,
        setting.nodes,
        if setting.jitter { "yes" } else { "no" },
        outcome.lost,
        per_second(outcome.peak),
        per_second(outcome.peak_of_node),
        outcome.longest_queue.as_secs_f64(),
        back(outcome.back_99),
        back(outcome.back_all),
        outcome.timeouts,
    )
}

/// This process's peak memory.
fn memory() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or_default().to_owned()
}

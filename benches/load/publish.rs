//! Publishes a run: a short table in the README, everything in docs/performance.md.

use std::{fmt::Write, path::Path};

use crate::{
    charts, page,
    report::{Results, number},
    servers::Server,
    workload::Workload,
};

/// Columns of the short table: heading, source of the figure, and its factor.
const COLUMNS: &[(&str, Workload, usize, &str, f64)] = &[
    ("memory of a waiting peer, KB", Workload::Parked, 10_000, "bytes per waiting peer", 1e-3),
    ("CPU of a message, µs (64 pairs)", Workload::PingPong, 64, "CPU µs per message", 1.0),
    ("512 pairs", Workload::PingPong, 512, "CPU µs per message", 1.0),
    ("2,000 pairs", Workload::PingPong, 2000, "CPU µs per message", 1.0),
    ("p99 from `POST` to answered poll, ms (64 pairs)", Workload::PingPong, 64, "p99 ms", 1.0),
    ("CPU of a call, ms (38 requests)", Workload::Call, 64, "CPU ms per call", 1.0),
    ("calls per CPU-second, batched", Workload::ClientCall, 64, "calls per CPU-second", 1.0),
];

pub fn publish(results: &Results, folder: &Path, full: &str) -> Result<(), String> {
    let charts = folder.join("docs/bench");
    std::fs::create_dir_all(&charts).map_err(|error| format!("{}: {error}", charts.display()))?;
    charts::write(results, &charts)?;
    page::write("README.md", "load", &short(results))?;
    page::write("docs/performance.md", "load", &full.replace("\n### ", "\n#### "))
}

fn short(results: &Results) -> String {
    let headings: Vec<&str> = COLUMNS.iter().map(|(heading, ..)| *heading).collect();
    let mut text = format!("| | {} |\n| --- |{}\n", headings.join(" | "), " ---: |".repeat(headings.len()));
    for server in [Server::Signalpost, Server::Relay, Server::Nchan, Server::SocketIo, Server::Prosody, Server::Janus] {
        let figure = |workload, size, name, scale| {
            let medians = results.medians(workload);
            let row = medians.iter().find(|row| row.size == size && row.server == server)?;
            let (_, value) = row.figures.iter().find(|(of, _)| *of == name)?;
            Some(number(value * scale))
        };
        let cells = COLUMNS.iter().map(|(_, workload, size, name, scale)| {
            figure(*workload, *size, *name, *scale).unwrap_or_else(|| "–".into())
        });
        let _ = writeln!(text, "| {} | {} |", server.name(), cells.collect::<Vec<_>>().join(" | "));
    }
    text
}

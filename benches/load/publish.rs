//! Publishes a run: a short table in the README, everything in docs/performance.md.

use std::{fmt::Write, path::Path};

use crate::{
    charts, page,
    report::{Results, number},
    servers::Server,
    workload::Workload,
};

/// A row of the short table: what it says, and the source of the figure with its factor.
type Row = (&'static str, Workload, usize, &'static str, f64);

const MEMORY: &str = "bytes per waiting peer";
const CPU: &str = "CPU µs per message";

/// Encrypted first, because that is how the server is used.
const ROWS: &[Row] = &[
    ("**TLS and HTTP/2:** memory of a waiting peer, KB (1,000 peers)", Workload::ParkedHttp2, 1000, MEMORY, 1e-3),
    ("CPU of a message, µs (64 pairs)", Workload::Tls, 64, CPU, 1.0),
    ("the same at 1,000 messages a second", Workload::PacedTls, 64, CPU, 1.0),
    ("p99 from `POST` to answered poll, ms (64 pairs)", Workload::Tls, 64, "p99 ms", 1.0),
    ("calls per CPU-second (64 at a time)", Workload::TlsCall, 64, "calls per CPU-second", 1.0),
    ("**TLS and HTTP/1.1:** memory of a waiting peer, KB (1,000 peers)", Workload::ParkedTls, 1000, MEMORY, 1e-3),
    ("**Without TLS:** memory of a waiting peer, KB (10,000 peers)", Workload::Parked, 10_000, MEMORY, 1e-3),
    ("CPU of a message, µs (64 pairs)", Workload::PingPong, 64, CPU, 1.0),
    ("512 pairs", Workload::PingPong, 512, CPU, 1.0),
    ("2,000 pairs", Workload::PingPong, 2000, CPU, 1.0),
    ("512 pairs at 1,000 messages a second", Workload::Paced1000, 512, CPU, 1.0),
    ("512 pairs at 5,000 messages a second", Workload::Paced5000, 512, CPU, 1.0),
    ("p99 from `POST` to answered poll, ms (64 pairs)", Workload::PingPong, 64, "p99 ms", 1.0),
    ("CPU of a call, candidates one by one, ms", Workload::Call, 64, "CPU ms per call", 1.0),
    ("calls per CPU-second, batched", Workload::ClientCall, 64, "calls per CPU-second", 1.0),
];

const SERVERS: [Server; 6] =
    [Server::Signalpost, Server::Relay, Server::Nchan, Server::SocketIo, Server::Prosody, Server::Janus];

/// Below the table; `charts.rs` draws them.
const PICTURES: [(&str, &str); 3] = [
    ("Memory of a waiting peer", "memory.svg"),
    ("Processor time for a message", "message.svg"),
    ("Processor time for a message, server not full", "paced.svg"),
];

pub fn publish(results: &Results, folder: &Path, full: &str) -> Result<(), String> {
    let charts = folder.join("docs/bench");
    std::fs::create_dir_all(&charts).map_err(|error| format!("{}: {error}", charts.display()))?;
    charts::write(results, &charts)?;
    page::write("README.md", "load", &short(results))?;
    page::write("docs/performance.md", "load", &full.replace("\n### ", "\n#### "))
}

fn short(results: &Results) -> String {
    let headings = SERVERS.map(Server::name).join(" | ");
    let mut text = format!("| | {headings} |\n| --- |{}\n", " ---: |".repeat(SERVERS.len()));
    for (heading, workload, size, name, scale) in ROWS {
        let medians = results.medians(*workload);
        let cells = SERVERS.map(|server| {
            let row = medians.iter().find(|row| row.size == *size && row.server == server);
            let figure = row.and_then(|row| row.figures.iter().find(|(of, _)| of == name));
            figure.map_or_else(|| "–".into(), |(_, value)| number(value * scale))
        });
        let _ = writeln!(text, "| {heading} | {} |", cells.join(" | "));
    }
    for (name, file) in PICTURES {
        let _ = writeln!(text, "\n![{name}](docs/bench/{file})");
    }
    text
}

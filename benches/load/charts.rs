//! The list of charts.

use std::path::Path;

use crate::{
    chart::{Chart, Group},
    report::{Median, Results},
    servers::Server,
    workload::Workload,
};

struct Drawing {
    file: &'static str,
    title: &'static str,
    unit: &'static str,
    /// In this order, each with how its headings begin.
    workloads: &'static [(Workload, &'static str)],
    figure: &'static str,
    /// To the figure, for the unit.
    scale: f64,
    /// What the size counts.
    sizes: &'static str,
}

/// A server in a group: the heading of the group, and its figures.
type Row = (String, Median);

const MESSAGES: &[(Workload, &str)] = &[(Workload::Tls, "TLS and HTTP/2, "), (Workload::PingPong, "without TLS, ")];

const DRAWINGS: &[Drawing] = &[
    Drawing {
        file: "memory.svg",
        title: "Memory of a waiting peer",
        unit: "KB each; less is better",
        workloads: &[
            (Workload::ParkedHttp2, "TLS and HTTP/2, "),
            (Workload::ParkedTls, "TLS and HTTP/1.1, "),
            (Workload::Parked, "without TLS, "),
        ],
        figure: "bytes per waiting peer",
        scale: 1e-3,
        sizes: "waiting peers",
    },
    Drawing {
        file: "message.svg",
        title: "Processor time for a message",
        unit: "µs from POST to answered poll, server only; less is better",
        workloads: MESSAGES,
        figure: "CPU µs per message",
        scale: 1.0,
        sizes: "pairs",
    },
    Drawing {
        file: "paced.svg",
        title: "Processor time for a message, server not full",
        unit: "µs from POST to answered poll, server only; less is better",
        workloads: &[
            (Workload::PacedTls, "TLS and HTTP/2, 1,000 messages a second, "),
            (Workload::Paced1000, "without TLS, 1,000 messages a second, "),
            (Workload::Paced5000, "without TLS, 5,000 messages a second, "),
        ],
        figure: "CPU µs per message",
        scale: 1.0,
        sizes: "pairs",
    },
    Drawing {
        file: "latency.svg",
        title: "From POST to answered poll",
        unit: "ms, 99 of 100 are quicker",
        workloads: MESSAGES,
        figure: "p99 ms",
        scale: 1.0,
        sizes: "pairs",
    },
    Drawing {
        file: "call.svg",
        title: "Whole calls, candidates one by one",
        unit: "calls per second of processor time; more is better",
        workloads: &[(Workload::Call, "")],
        figure: "calls per CPU-second",
        scale: 1.0,
        sizes: "calls at a time",
    },
    Drawing {
        file: "client-call.svg",
        title: "Whole calls as our client signals them",
        unit: "calls per second of processor time; more is better",
        workloads: &[(Workload::ClientCall, "")],
        figure: "calls per CPU-second",
        scale: 1.0,
        sizes: "calls at a time",
    },
];

/// Writes the charts that have figures; returns their paths.
pub fn write(results: &Results, folder: &Path) -> Result<Vec<String>, String> {
    let mut written = Vec::new();
    for drawing in DRAWINGS {
        let rows = rows(drawing, results);
        if rows.is_empty() {
            continue;
        }
        let longest = longest(drawing, &rows);
        let chart = Chart { title: drawing.title, unit: drawing.unit, longest, groups: groups(drawing, &rows) };
        let path = folder.join(drawing.file);
        std::fs::write(&path, chart.svg()).map_err(|error| format!("{}: {error}", path.display()))?;
        written.push(path.display().to_string());
    }
    Ok(written)
}

fn rows(drawing: &Drawing, results: &Results) -> Vec<Row> {
    let mut rows = Vec::new();
    for (workload, beginning) in drawing.workloads {
        let medians = results.medians(*workload).into_iter().filter(|row| row.server != Server::CrossOrigin);
        rows.extend(medians.map(|row| (format!("{beginning}{} {}", thousands(row.size), drawing.sizes), row)));
    }
    rows
}

/// Keeps a slow server from making all other bars too short to distinguish.
fn longest(drawing: &Drawing, rows: &[Row]) -> f64 {
    let values = |slow| {
        let rows = rows.iter().map(|(_, row)| row).filter(move |row| row.server.is_slow() == slow);
        rows.filter_map(|row| value(drawing, row)).filter(|value| value.is_finite()).reduce(f64::max)
    };
    values(false).or(values(true)).unwrap_or(1.0).max(f64::MIN_POSITIVE)
}

fn value(drawing: &Drawing, row: &Median) -> Option<f64> {
    let (_, value) = row.figures.iter().find(|(name, _)| *name == drawing.figure)?;
    Some(value * drawing.scale)
}

fn groups(drawing: &Drawing, rows: &[Row]) -> Vec<Group> {
    let bar = |(_, row): &Row| Some((row.server.name().to_owned(), row.server as usize, value(drawing, row)?));
    let same_heading = rows.chunk_by(|one, other| one.0 == other.0);
    same_heading.map(|rows| Group { heading: rows[0].0.clone(), bars: rows.iter().filter_map(bar).collect() }).collect()
}

fn thousands(size: usize) -> String {
    if size >= 1000 { format!("{},{:03}", size / 1000, size % 1000) } else { size.to_string() }
}

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
    workload: Workload,
    figure: &'static str,
    /// To the figure, for the unit.
    scale: f64,
    /// What the size counts.
    sizes: &'static str,
}

const DRAWINGS: &[Drawing] = &[
    Drawing {
        file: "memory.svg",
        title: "Memory of a waiting peer",
        unit: "KB each; less is better",
        workload: Workload::Parked,
        figure: "bytes per waiting peer",
        scale: 1e-3,
        sizes: "waiting peers",
    },
    Drawing {
        file: "message.svg",
        title: "Processor time for a message",
        unit: "µs from POST to answered poll, server only; less is better",
        workload: Workload::PingPong,
        figure: "CPU µs per message",
        scale: 1.0,
        sizes: "pairs",
    },
    Drawing {
        file: "latency.svg",
        title: "From POST to answered poll",
        unit: "ms, 99 of 100 are quicker",
        workload: Workload::PingPong,
        figure: "p99 ms",
        scale: 1.0,
        sizes: "pairs",
    },
    Drawing {
        file: "call.svg",
        title: "Whole calls, candidates one by one",
        unit: "calls per second of processor time; more is better",
        workload: Workload::Call,
        figure: "calls per CPU-second",
        scale: 1.0,
        sizes: "calls at a time",
    },
    Drawing {
        file: "client-call.svg",
        title: "Whole calls as our client signals them",
        unit: "calls per second of processor time; more is better",
        workload: Workload::ClientCall,
        figure: "calls per CPU-second",
        scale: 1.0,
        sizes: "calls at a time",
    },
];

/// Writes the charts that have figures; returns their paths.
pub fn write(results: &Results, folder: &Path) -> Result<Vec<String>, String> {
    let mut written = Vec::new();
    for drawing in DRAWINGS {
        let mut medians = results.medians(drawing.workload);
        medians.retain(|row| row.server != Server::CrossOrigin);
        if medians.is_empty() {
            continue;
        }
        let longest = longest(drawing, &medians);
        let chart = Chart { title: drawing.title, unit: drawing.unit, longest, groups: groups(drawing, &medians) };
        let path = folder.join(drawing.file);
        std::fs::write(&path, chart.svg()).map_err(|error| format!("{}: {error}", path.display()))?;
        written.push(path.display().to_string());
    }
    Ok(written)
}

/// Keeps a slow server from making all other bars too short to distinguish.
fn longest(drawing: &Drawing, medians: &[Median]) -> f64 {
    let values = |slow| {
        let rows = medians.iter().filter(move |row| row.server.is_slow() == slow);
        rows.filter_map(|row| value(drawing, row)).filter(|value| value.is_finite()).reduce(f64::max)
    };
    values(false).or(values(true)).unwrap_or(1.0).max(f64::MIN_POSITIVE)
}

fn value(drawing: &Drawing, row: &Median) -> Option<f64> {
    let (_, value) = row.figures.iter().find(|(name, _)| *name == drawing.figure)?;
    Some(value * drawing.scale)
}

fn groups(drawing: &Drawing, medians: &[Median]) -> Vec<Group> {
    let same_size = medians.chunk_by(|one, other| one.size == other.size);
    same_size
        .map(|rows| Group {
            heading: format!("{} {}", thousands(rows[0].size), drawing.sizes),
            bars: rows
                .iter()
                .filter_map(|row| Some((row.server.name().to_owned(), row.server as usize, value(drawing, row)?)))
                .collect(),
        })
        .collect()
}

fn thousands(size: usize) -> String {
    if size >= 1000 { format!("{},{:03}", size / 1000, size % 1000) } else { size.to_string() }
}

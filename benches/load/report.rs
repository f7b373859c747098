//! Medians and ratios of the runs, as tables.

use std::{collections::BTreeMap, fmt::Write};

use crate::{crowd::Faults, measure::Outcome, servers::Server, stage::Task, workload::Workload};

/// Above this load the generator is the bottleneck.
pub const GENERATOR_LIMIT: f64 = 0.9;

/// All outcomes, in order of arrival.
#[derive(Debug, Default)]
pub struct Results {
    cells: BTreeMap<(Workload, usize, Server), Vec<Outcome>>,
    failures: Vec<(Server, String)>,
}

/// The medians of one server at one size of a workload.
#[derive(Clone, Debug)]
pub struct Median {
    pub size: usize,
    pub server: Server,
    pub figures: Vec<(&'static str, f64)>,
    /// The generator was the bottleneck in at least half of the runs.
    pub generator_limited: bool,
}

impl Results {
    pub fn add(&mut self, task: Task, outcome: Outcome) {
        self.cells.entry((task.workload, task.size, task.server)).or_default().push(outcome);
    }

    pub fn fail(&mut self, task: Task, error: &str) {
        let place = format!("{} at {}, {}", task.workload.title(), task.size, task.server.name());
        self.failures.push((task.server, format!("{place}: {error}")));
    }

    /// All of Signalpost's runs finished without faults. Other servers' failures are only reported.
    pub fn are_fine(&self) -> bool {
        let ours = self.cells.iter().filter(|((.., server), _)| server.is_ours());
        let mut outcomes = ours.flat_map(|(_, outcomes)| outcomes);
        let failed = self.failures.iter().any(|(server, _)| server.is_ours());
        !failed && outcomes.all(|outcome| outcome.faults == Faults::default())
    }

    /// What is published: without the build that was measured beside this one.
    pub fn without(mut self, server: Server) -> Self {
        self.cells.retain(|(.., of), _| *of != server);
        self.failures.retain(|(of, _)| *of != server);
        self
    }

    pub fn workloads(&self) -> Vec<Workload> {
        let mut workloads: Vec<Workload> = self.cells.keys().map(|(workload, ..)| *workload).collect();
        workloads.dedup();
        workloads
    }

    pub fn medians(&self, workload: Workload) -> Vec<Median> {
        let cells = self.cells.iter().filter(|((of, ..), _)| *of == workload);
        cells
            .map(|((_, size, server), outcomes)| {
                let names = outcomes.first().map(|outcome| outcome.figures.iter().map(|(name, _)| *name));
                let figure = |name| {
                    let values = outcomes.iter().flat_map(|outcome| &outcome.figures);
                    (name, median(values.filter(|(other, _)| *other == name).map(|(_, value)| *value).collect()))
                };
                Median {
                    size: *size,
                    server: *server,
                    figures: names.into_iter().flatten().map(figure).collect(),
                    generator_limited: median(outcomes.iter().map(|outcome| outcome.generator).collect())
                        > GENERATOR_LIMIT,
                }
            })
            .collect()
    }

    fn faults(&self, server: Server) -> (u64, Faults) {
        let outcomes = self.cells.iter().filter(|((.., of), _)| *of == server).flat_map(|(_, outcomes)| outcomes);
        outcomes.fold((0, Faults::default()), |(checked, sum), outcome| {
            let Faults { lost, doubled, disordered, broken } = outcome.faults;
            let sum = Faults {
                lost: sum.lost + lost,
                doubled: sum.doubled + doubled,
                disordered: sum.disordered + disordered,
                broken: sum.broken + broken,
            };
            (checked + outcome.checked, sum)
        })
    }

    /// Everything, as Markdown.
    pub fn markdown(&self, conditions: &str) -> String {
        let mut text = format!("{conditions}\n");
        for workload in self.workloads() {
            let _ = write!(text, "\n### {}\n\n{}\n\n", workload.title(), workload.explanation());
            text.push_str(&table(&self.medians(workload)));
        }
        text.push_str(
            "\n### Messages checked\n\n| server | arrived | lost | doubled | out of order | wrong content |\n",
        );
        text.push_str("| --- | ---: | ---: | ---: | ---: | ---: |\n");
        let mut servers: Vec<Server> = self.cells.keys().map(|(.., server)| *server).collect();
        servers.sort();
        servers.dedup();
        for server in servers {
            let (checked, Faults { lost, doubled, disordered, broken }) = self.faults(server);
            let _ = writeln!(text, "| {} | {checked} | {lost} | {doubled} | {disordered} | {broken} |", server.name());
        }
        if !self.failures.is_empty() {
            text.push_str("\n### What did not come to its end\n\n");
            for (_, failure) in &self.failures {
                let _ = writeln!(text, "* {failure}");
            }
        }
        text
    }
}

/// One row for each size and server. The ratio is that of the first figure to the bare relay's at the same size.
fn table(medians: &[Median]) -> String {
    let Some(first) = medians.first() else { return String::new() };
    let names: Vec<&str> = first.figures.iter().map(|(name, _)| *name).collect();
    let mut text = format!("| server | size | {} | × relay |\n", names.join(" | "));
    let _ = writeln!(text, "| --- | ---: |{}", " ---: |".repeat(names.len() + 1));
    let mut limited = false;
    for row in medians {
        let star = if row.generator_limited { " *" } else { "" };
        limited |= row.generator_limited;
        let figures: Vec<String> = row.figures.iter().map(|(_, value)| number(*value)).collect();
        let relay = medians.iter().find(|other| other.size == row.size && other.server == Server::Relay);
        let ratio = relay.map_or(f64::NAN, |relay| row.figures[0].1 / relay.figures[0].1);
        let (name, size, figures) = (row.server.name(), row.size, figures.join(" | "));
        let _ = writeln!(text, "| {name}{star} | {size} | {figures} | {} |", number(ratio));
    }
    if limited {
        text.push_str("\n\\* Here the generator was the limit: times and rates would be better, CPU figures hold.\n");
    }
    text
}

/// Three significant digits.
pub fn number(value: f64) -> String {
    match value.abs() {
        _ if !value.is_finite() => "–".into(),
        0.0 => "0".into(),
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.retain(|value| value.is_finite());
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => f64::NAN,
        count if count % 2 == 1 => values[middle],
        _ => f64::midpoint(values[middle - 1], values[middle]),
    }
}

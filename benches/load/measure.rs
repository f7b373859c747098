//! What is measured: processor time over a window, and latencies.

use std::time::Instant;

use crate::{
    crowd::Faults,
    process::{Process, Usage},
};

/// The result of a run. Ratios use the first figure.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    pub figures: Vec<(&'static str, f64)>,
    pub faults: Faults,
    /// Messages that arrived.
    pub checked: u64,
    /// The generator's load; close to 1, it was the bottleneck.
    pub generator: f64,
}

/// A measured period.
pub struct Window {
    server: Usage,
    generator: Usage,
    began: Instant,
}

pub struct Spent {
    /// Of the server, in seconds.
    pub cpu: f64,
    pub kernel_share: Option<f64>,
    pub seconds: f64,
    /// The generator's share of its processor.
    pub generator: f64,
}

impl Window {
    pub fn open(server: &[Process]) -> Result<Self, String> {
        Ok(Self { server: Usage::of_all(server)?, generator: Usage::of("self")?, began: Instant::now() })
    }

    pub fn close(self, server: &[Process]) -> Result<Spent, String> {
        let (usage, seconds) = (Usage::of_all(server)?, self.began.elapsed().as_secs_f64());
        Ok(Spent {
            cpu: usage.seconds_since(&self.server),
            kernel_share: usage.kernel_share_since(&self.server),
            seconds,
            generator: Usage::of("self")?.seconds_since(&self.generator) / seconds,
        })
    }
}

/// How long things took, in microseconds.
#[derive(Debug, Default)]
pub struct Latencies(Vec<u64>);

impl Latencies {
    pub fn record(&mut self, micros: u64) {
        self.0.push(micros);
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The quantiles in milliseconds.
    pub fn quantiles<const N: usize>(&mut self, shares: [f64; N]) -> [f64; N] {
        self.0.sort_unstable();
        let last = self.0.len().saturating_sub(1);
        shares.map(|share| self.0.get((last as f64 * share).round() as usize).map_or(f64::NAN, |at| *at as f64 / 1e3))
    }
}

/// Processor time and latencies of messages.
pub fn figures(spent: &Spent, latencies: &mut Latencies) -> Vec<(&'static str, f64)> {
    let messages = latencies.len() as f64;
    let [p50, p99, p999] = latencies.quantiles([0.5, 0.99, 0.999]);
    vec![
        ("CPU µs per message", spent.cpu * 1e6 / messages),
        ("of it kernel %", spent.kernel_share.map_or(f64::NAN, |share| share * 100.0)),
        ("messages per CPU-second", messages / spent.cpu),
        ("messages per second", messages / spent.seconds),
        ("p50 ms", p50),
        ("p99 ms", p99),
        ("p99.9 ms", p999),
    ]
}

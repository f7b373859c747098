//! Figures for Prometheus, read when they are asked for. Never labelled by room or peer.

use std::fmt::Error;

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric, text::encode},
    metrics::{MetricType, counter::ConstCounter, gauge::ConstGauge},
    registry::Registry,
};

use crate::engine::{BUCKETS_MICROS, Stats};

/// Everything that is shown, as of one moment.
#[derive(Debug)]
pub struct Figures {
    pub stats: Stats,
    pub connections: usize,
    /// Memory for what is on its way.
    pub transit_bytes: usize,
    /// Refusals by the slug of their problem.
    pub refusals: Vec<(&'static str, u64)>,
    /// STUN questions answered and ignored, if the server answers any.
    pub stun: Option<(u64, u64)>,
}

/// How the figures are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Prometheus' text format 0.0.4, which everything reads.
    Text,
    /// OpenMetrics 1.0.0.
    OpenMetrics,
}

impl Format {
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

impl Figures {
    pub fn render(self, format: Format) -> String {
        let mut registry = Registry::with_prefix("signalpost");
        registry.register_collector(Box::new(self));
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = encode(&mut text, &registry);
        if format == Format::Text { without_open_metrics(&text) } else { text }
    }
}

/// The same in the older format: there a counter's `HELP` and `TYPE` have the name of its series, `_total` and all, there are no
/// units, and nothing says where the end is. Exemplars, which it does not know either, we have none of.
fn without_open_metrics(text: &str) -> String {
    let mut older = String::with_capacity(text.len());
    let mut help = None;
    for line in text.lines() {
        if line == "# EOF" || line.starts_with("# UNIT ") {
            continue;
        }
        if let Some(rest) = line.strip_prefix("# HELP ") {
            help = rest.split_once(' ').map(|(_, help)| help);
            continue;
        }
        match line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' ')) {
            Some((name, kind)) => {
                let total = if kind == "counter" { "_total" } else { "" };
                if let Some(help) = help.take() {
                    older += &format!("# HELP {name}{total} {help}\n");
                }
                older += &format!("# TYPE {name}{total} {kind}\n");
            }
            None => {
                older += line;
                older += "\n";
            }
        }
    }
    older
}

impl Collector for Figures {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), Error> {
        let flow = &self.stats.counters;
        for (name, help, value) in [
            ("rooms", "Rooms now", self.stats.rooms),
            ("peers", "Peers now", self.stats.peers),
            ("parked_polls", "Polls that wait now", self.stats.parked),
            ("rooms_bytes", "What rooms cost in memory now, as reckoned", self.stats.rooms_bytes),
            ("transit_bytes", "What requests and answers on their way take in memory now", self.transit_bytes),
            ("connections", "Connections now", self.connections),
            ("mailbox_messages_max", "Messages in the fullest mailbox so far", flow.fullest),
        ] {
            let gauge = ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX));
            gauge.encode(encoder.encode_descriptor(name, help, None, MetricType::Gauge)?)?;
        }
        for (name, help, value) in [
            ("messages_accepted", "Messages put into mailboxes", flow.accepted),
            ("accepted_bytes", "Bytes put into mailboxes", flow.accepted_bytes),
            ("messages_delivered", "Messages and events handed to polls, each once", flow.delivered),
            ("delivered_bytes", "Bytes handed to polls, each once", flow.delivered_bytes),
            ("leases_expired", "Peers whose lease ended without a goodbye", flow.expired),
        ] {
            ConstCounter::new(value).encode(encoder.encode_descriptor(name, help, None, MetricType::Counter)?)?;
        }
        let (answered, ignored) = self.stun.unwrap_or_default();
        for (name, help, value) in [
            ("stun_answered", "STUN questions answered", answered),
            ("stun_ignored", "Datagrams to the STUN port that were not STUN, or too many", ignored),
        ] {
            ConstCounter::new(value).encode(encoder.encode_descriptor(name, help, None, MetricType::Counter)?)?;
        }
        self.encode_refusals(&mut encoder)?;
        self.encode_waiting(&mut encoder)
    }
}

impl Figures {
    fn encode_refusals(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), Error> {
        let mut family =
            encoder.encode_descriptor("refusals", "Requests refused, by problem", None, MetricType::Counter)?;
        for (slug, count) in &self.refusals {
            ConstCounter::new(*count).encode(family.encode_family(&[("type", *slug)])?)?;
        }
        Ok(())
    }

    fn encode_waiting(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), Error> {
        let flow = &self.stats.counters;
        let bounds = BUCKETS_MICROS.iter().map(|micros| *micros as f64 / 1e6).chain([f64::INFINITY]);
        let buckets: Vec<(f64, u64)> = bounds.zip(flow.waited.iter().copied()).collect();
        let count = flow.waited.iter().sum();
        let help = "Time from a message's post to the answer of the poll that took it";
        let mut histogram = encoder.encode_descriptor("delivery_seconds", help, None, MetricType::Histogram)?;
        histogram.encode_histogram::<[(&str, &str); 0]>(flow.waited_micros as f64 / 1e6, count, &buckets, None)
    }
}

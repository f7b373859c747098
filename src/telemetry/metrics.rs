//! Metrics for Prometheus, collected at each scrape and never labelled by room or peer.

use std::fmt::Error;

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric, text::encode},
    metrics::{MetricType, counter::ConstCounter, gauge::ConstGauge},
    registry::Registry,
};

use crate::{
    engine::{BUCKETS_MICROS, Stats},
    turn::{
        RelayStats,
        counters::{DROPS, TRANSPORTS},
    },
};

/// All metrics at one moment.
#[derive(Debug)]
pub struct MetricsSnapshot {
    pub stats: Stats,
    pub connections: usize,
    pub transit_bytes: usize,
    /// Refusals by the slug of their problem.
    pub refusals: Vec<(&'static str, u64)>,
    pub turn: RelayStats,
}

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

impl MetricsSnapshot {
    pub fn render(self, format: Format) -> String {
        let mut registry = Registry::with_prefix("signalpost");
        registry.register_collector(Box::new(self));
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = encode(&mut text, &registry);
        if format == Format::Text { to_text_format(&text) } else { text }
    }
}

/// OpenMetrics in the older format: `HELP` and `TYPE` of a counter name its series, `_total` included, and there are no
/// units and no end mark. Exemplars, which it does not have either, are not used here.
fn to_text_format(open_metrics: &str) -> String {
    let mut text = String::with_capacity(open_metrics.len());
    let mut help = "";
    for line in open_metrics.lines().filter(|line| *line != "# EOF" && !line.starts_with("# UNIT ")) {
        let mut words = line.splitn(4, ' ').skip(1);
        match (words.next(), words.next(), words.next()) {
            (Some("HELP"), _, Some(rest)) => help = rest,
            (Some("TYPE"), Some(name), Some(kind)) => {
                let total = if kind == "counter" { "_total" } else { "" };
                text += &format!("# HELP {name}{total} {help}\n# TYPE {name}{total} {kind}\n");
            }
            _ => {
                text += line;
                text += "\n";
            }
        }
    }
    text
}

impl Collector for MetricsSnapshot {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), Error> {
        let flow = &self.stats.counters;
        for (name, help, value) in [
            ("rooms", "Open rooms", self.stats.rooms),
            ("peers", "Peers in rooms", self.stats.peers),
            ("parked_polls", "Polls waiting for messages", self.stats.parked),
            ("rooms_bytes", "Estimated memory of rooms", self.stats.rooms_bytes),
            ("transit_bytes", "Memory of request bodies and responses", self.transit_bytes),
            ("connections", "Open connections", self.connections),
            ("mailbox_messages_max", "Messages in the fullest mailbox since the start", flow.fullest),
        ] {
            let gauge = ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX));
            gauge.encode(encoder.encode_descriptor(name, help, None, MetricType::Gauge)?)?;
        }
        for (name, help, value) in [
            ("messages_accepted", "Messages put into mailboxes", flow.accepted),
            ("accepted_bytes", "Bytes put into mailboxes", flow.accepted_bytes),
            ("messages_delivered", "Messages and events delivered to polls, each counted once", flow.delivered),
            ("delivered_bytes", "Bytes delivered to polls, each counted once", flow.delivered_bytes),
            ("leases_expired", "Peers whose lease expired without a goodbye", flow.expired),
            ("stun_answered", "STUN requests answered", self.turn.counts.bindings),
            (
                "stun_ignored",
                "Messages to STUN or the relay that were neither or exceeded the rate",
                self.turn.counts.ignored(),
            ),
            ("relay_requests", "TURN requests answered, with success or error", self.turn.counts.requests),
            ("relay_seconds", "Time that relay allocations have existed, together", self.turn.time.as_secs()),
        ] {
            ConstCounter::new(value).encode(encoder.encode_descriptor(name, help, None, MetricType::Counter)?)?;
        }
        self.encode_refusals(&mut encoder)?;
        self.encode_relay(&mut encoder)?;
        self.encode_delivery_times(&mut encoder)
    }
}

impl MetricsSnapshot {
    fn encode_refusals(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), Error> {
        let mut family =
            encoder.encode_descriptor("refusals", "Requests refused, by problem", None, MetricType::Counter)?;
        for (slug, count) in &self.refusals {
            ConstCounter::new(*count).encode(family.encode_family(&[("type", *slug)])?)?;
        }
        Ok(())
    }

    /// By transport: how clients reach the relay.
    fn encode_relay(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), Error> {
        let label = |place: usize| [("transport", TRANSPORTS[place].1)];
        let mut family =
            encoder.encode_descriptor("relay_allocations", "Relay allocations", None, MetricType::Gauge)?;
        for (place, count) in self.turn.allocations.iter().enumerate() {
            let count = i64::try_from(*count).unwrap_or(i64::MAX);
            ConstGauge::new(count).encode(family.encode_family(&label(place))?)?;
        }
        let mut family = encoder.encode_descriptor("relay_packets", "Packets relayed", None, MetricType::Counter)?;
        for (place, (packets, _)) in self.turn.counts.relayed.iter().enumerate() {
            ConstCounter::new(*packets).encode(family.encode_family(&label(place))?)?;
        }
        let help = "Bytes relayed, without headers";
        let mut family = encoder.encode_descriptor("relay_bytes", help, None, MetricType::Counter)?;
        for (place, (_, bytes)) in self.turn.counts.relayed.iter().enumerate() {
            ConstCounter::new(*bytes).encode(family.encode_family(&label(place))?)?;
        }
        let help = "Packets and requests that the relay has dropped, by reason";
        let mut family = encoder.encode_descriptor("relay_drops", help, None, MetricType::Counter)?;
        for (count, (_, reason)) in self.turn.counts.drops.iter().zip(DROPS) {
            ConstCounter::new(*count).encode(family.encode_family(&[("reason", reason)])?)?;
        }
        Ok(())
    }

    fn encode_delivery_times(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), Error> {
        let flow = &self.stats.counters;
        let bounds = BUCKETS_MICROS.iter().map(|micros| *micros as f64 / 1e6).chain([f64::INFINITY]);
        let buckets: Vec<(f64, u64)> = bounds.zip(flow.waited.iter().copied()).collect();
        let count = flow.waited.iter().sum();
        let help = "Time from a message's post to the response of the poll that delivered it";
        let mut histogram = encoder.encode_descriptor("delivery_seconds", help, None, MetricType::Histogram)?;
        histogram.encode_histogram::<[(&str, &str); 0]>(flow.waited_micros as f64 / 1e6, count, &buckets, None)
    }
}

//! Figures for Prometheus, read when they are asked for.

use prometheus_client::{
    encoding::text::encode,
    metrics::{counter::ConstCounter, gauge::ConstGauge},
    registry::Registry,
};

use crate::engine::Stats;

/// The figures in the OpenMetrics text format, which Prometheus reads. Never labelled by room or peer.
pub fn render(stats: Stats) -> String {
    let mut registry = Registry::with_prefix("signalpost");
    let count = |number: usize| ConstGauge::new(i64::try_from(number).unwrap_or(i64::MAX));
    registry.register("rooms", "Rooms now", count(stats.rooms));
    registry.register("peers", "Peers now", count(stats.peers));
    registry.register("parked_polls", "Polls that wait now", count(stats.parked));
    registry.register("messages_accepted", "Messages put into mailboxes", ConstCounter::new(stats.accepted));
    registry.register("messages_delivered", "Messages and events handed to polls", ConstCounter::new(stats.delivered));
    registry.register("leases_expired", "Peers whose lease ended", ConstCounter::new(stats.expired));
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = encode(&mut text, &registry);
    text
}

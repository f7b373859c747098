//! Proactive content negotiation for `/metrics` (RFC 9110 section 12.5.1).

use std::cmp::Reverse;

use actix_web::{
    http::header::{Quality, QualityItem},
    mime::Mime,
};

use crate::telemetry::Format;

/// The preferred format of metrics. The default is text, which anything can read and browsers display.
pub fn metrics_format(accept: &[&str]) -> Format {
    let ranges = accept.iter().flat_map(|list| list.split(',')).filter_map(|range| range.trim().parse().ok());
    let ranges: Vec<QualityItem<Mime>> = ranges.collect();
    let text = preference(&ranges, ("text", "plain"), &["0.0.4", "1.0.0"]);
    let open_metrics = preference(&ranges, ("application", "openmetrics-text"), &["1.0.0"]);
    let is_acceptable = open_metrics.is_some_and(|(quality, ..)| quality > Quality::ZERO);
    if is_acceptable && open_metrics > text { Format::OpenMetrics } else { Format::Text }
}

/// The quality, specificity and position of the most specific range for a media type; greater is better.
fn preference(
    ranges: &[QualityItem<Mime>],
    media_type: (&str, &str),
    versions: &[&str],
) -> Option<(Quality, u8, Reverse<usize>)> {
    let matching = ranges.iter().enumerate().filter_map(|(position, QualityItem { item, quality })| {
        let version = item.get_param("version").map(|version| versions.contains(&version.as_str()));
        let specificity = match (item.type_().as_str(), item.subtype().as_str(), version) {
            ("*", "*", _) => 0,
            (kind, "*", _) if kind == media_type.0 => 1,
            range if (range.0, range.1) == media_type && version != Some(false) => 2 + u8::from(version.is_some()),
            _ => return None,
        };
        Some((*quality, specificity, Reverse(position)))
    });
    matching.max_by_key(|(quality, specificity, position)| (*specificity, *quality, *position))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_metrics_is_sent_if_preferred() {
        for accept in [
            "application/openmetrics-text",
            "application/openmetrics-text; version=1.0.0; charset=utf-8",
            "Application/OpenMetrics-Text;Version=\"1.0.0\"",
            "application/openmetrics-text, */*",
            "application/openmetrics-text, text/plain;q=0.9",
            "text/plain;q=0.5, application/openmetrics-text;q=0.6",
            "application/openmetrics-text, text/plain",
            "application/*",
            "*/*, text/plain;q=0",
            "text/*;q=0.1, */*",
            // Prometheus 2 and 3.
            "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,\
             text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
            "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;\
             version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
        ] {
            assert_eq!(metrics_format(&[accept]), Format::OpenMetrics, "{accept}");
        }
        assert_eq!(metrics_format(&["text/plain;q=0.5", "application/openmetrics-text"]), Format::OpenMetrics);
    }

    /// `Accept: text/plain` was answered with OpenMetrics.
    #[test]
    fn text_is_the_default() {
        for accept in [
            "",
            "*/*",
            "text/plain",
            "text/plain; version=0.0.4",
            "text/*",
            "text/plain, application/openmetrics-text",
            "text/plain, application/openmetrics-text;q=0.9",
            "application/openmetrics-text;q=0, */*",
            "application/openmetrics-text;q=nonsense",
            "application/openmetrics-text;version=0.0.1",
            "application/openmetrics-text;version=2.0.0, text/plain;q=0.1",
            "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
            "*/*;q=0",
            "x=\"a, application/openmetrics-text\", text/plain",
            "nonsense, ;, /",
        ] {
            assert_eq!(metrics_format(&[accept]), Format::Text, "{accept}");
        }
        assert_eq!(metrics_format(&[]), Format::Text);
    }
}

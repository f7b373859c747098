//! Which media type a client would rather have (RFC 9110 section 12.5.1).

/// How much a client wants something: its quality, how closely it is named, and how early. More is better.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
struct Wish {
    quality: f32,
    precision: u8,
    earliness: isize,
}

/// Whether the figures are asked for as OpenMetrics rather than in Prometheus' own text format. Who does not say, says both alike,
/// or wants neither, is given text: anything can read that, and a browser shows it.
pub fn prefers_open_metrics(accept: &[&str]) -> bool {
    let ranges: Vec<&str> = accept.iter().flat_map(|list| split(list)).collect();
    let text = wish(&ranges, ("text", "plain"), &["0.0.4", "1.0.0"]);
    let open_metrics = wish(&ranges, ("application", "openmetrics-text"), &["1.0.0"]);
    open_metrics.quality > 0.0 && open_metrics > text
}

/// The entries of a list; a comma in quotes is none that divides.
fn split(list: &str) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    list.split(move |c| {
        quoted ^= c == '"';
        c == ',' && !quoted
    })
}

/// What the range that names the type most closely says of it.
fn wish(ranges: &[&str], (kind, subtype): (&str, &str), versions: &[&str]) -> Wish {
    let none = Wish { quality: 0.0, precision: 0, earliness: isize::MIN };
    let wishes = ranges.iter().zip(0..).filter_map(|(range, at)| {
        let mut parts = range.split(';').map(str::trim);
        let (asked, asked_subtype) = parts.next()?.split_once('/')?;
        let is = |asked: &str, known: &str| asked.eq_ignore_ascii_case(known);
        let mut precision = match (asked, asked_subtype) {
            ("*", "*") => 0,
            (_, "*") if is(asked, kind) => 1,
            _ if is(asked, kind) && is(asked_subtype, subtype) => 2,
            _ => return None,
        };
        let mut quality = 1.0;
        for (name, value) in parts.filter_map(|parameter| parameter.split_once('=')) {
            let value = value.trim().trim_matches('"');
            match name.trim().to_ascii_lowercase().as_str() {
                "q" => quality = value.parse::<f32>().ok().filter(|q| q.is_finite()).map_or(0.0, |q| q.clamp(0.0, 1.0)),
                "version" if !versions.contains(&value) => return None,
                "version" => precision = 3,
                _ => {}
            }
        }
        Some(Wish { quality, precision, earliness: -at })
    });
    wishes.fold(none, |best, wish| {
        let closer = (wish.precision, wish.quality) > (best.precision, best.quality);
        if best.earliness == isize::MIN || closer { wish } else { best }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_metrics_is_for_those_who_would_rather_have_it() {
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
            assert!(prefers_open_metrics(&[accept]), "{accept}");
        }
        assert!(prefers_open_metrics(&["text/plain;q=0.5", "application/openmetrics-text"]));
    }

    /// `Accept: text/plain` was answered with OpenMetrics.
    #[test]
    fn everybody_else_is_given_text() {
        for accept in [
            "",
            "*/*",
            "text/plain",
            "text/plain; version=0.0.4",
            "text/*",
            "text/plain, application/openmetrics-text",
            "text/plain, application/openmetrics-text;q=0.9",
            "application/openmetrics-text;q=0, */*",
            "application/openmetrics-text;q=0",
            "application/openmetrics-text;q=nonsense",
            "application/openmetrics-text;version=0.0.1",
            "application/openmetrics-text;version=2.0.0, text/plain;q=0.1",
            "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
            "application/json",
            "*/*;q=0",
            "x=\"a, application/openmetrics-text\", text/plain",
            "nonsense, ;, /",
        ] {
            assert!(!prefers_open_metrics(&[accept]), "{accept}");
        }
        assert!(!prefers_open_metrics(&[]));
    }
}

//! Bar charts as SVG, readable on light and on dark pages.

use std::fmt::Write;

/// Bars in groups: for each group a heading, then a bar for each name.
pub struct Chart<'a> {
    pub title: &'a str,
    pub unit: &'a str,
    /// The value of a full-length bar. Longer bars are cut, and have a gap before their end.
    pub longest: f64,
    pub groups: Vec<Group>,
}

pub struct Group {
    pub heading: String,
    /// Name, colour and value.
    pub bars: Vec<(String, usize, f64)>,
}

/// Readable on white and on black, and distinguishable for colour-blind readers (Okabe and Ito).
const COLOURS: [&str; 7] = ["#0072b2", "#56b4e9", "#8c8c8c", "#e69f00", "#d55e00", "#009e73", "#cc79a7"];

const WIDTH: f64 = 760.0;
const NAMES: f64 = 170.0;
const VALUES: f64 = 70.0;
const FULL: f64 = WIDTH - NAMES - VALUES;
/// The position and width of the gap in a cut bar.
const CUT: f64 = FULL - 20.0;
const GAP: f64 = 6.0;
const BAR: f64 = 18.0;
const STEP: f64 = 22.0;
const HEADING: f64 = 28.0;
const TOP: f64 = 40.0;

impl Chart<'_> {
    pub fn svg(&self) -> String {
        let bars: usize = self.groups.iter().map(|group| group.bars.len()).sum();
        let height = TOP + self.groups.len() as f64 * HEADING + bars as f64 * STEP + 12.0;
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" \
             font-family=\"system-ui, sans-serif\" font-size=\"13\">\n<title>{title}</title>\n\
             <style>text{{fill:#1f2328}}.quiet{{fill:#59636e}}\
             @media (prefers-color-scheme:dark){{text{{fill:#e6edf3}}.quiet{{fill:#9198a1}}}}</style>\n\
             <text x=\"0\" y=\"18\" font-size=\"16\" font-weight=\"600\">{title}\
             <tspan class=\"quiet\" font-size=\"13\" font-weight=\"400\" dx=\"10\">{unit}</tspan></text>\n",
            title = escaped(self.title),
            unit = escaped(self.unit),
        );
        let mut y = TOP;
        for group in &self.groups {
            let _ =
                writeln!(svg, "<text class=\"quiet\" x=\"0\" y=\"{}\">{}</text>", y + 14.0, escaped(&group.heading));
            y += HEADING - 6.0;
            for (name, colour, value) in group.bars.iter().filter(|(.., value)| value.is_finite()) {
                let length = (value / self.longest * FULL).clamp(1.0, FULL);
                let parts = if *value > self.longest {
                    vec![(NAMES, CUT), (NAMES + CUT + GAP, FULL - CUT - GAP)]
                } else {
                    vec![(NAMES, length)]
                };
                let _ = write!(
                    svg,
                    "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>",
                    NAMES - 8.0,
                    y + 13.5,
                    escaped(name)
                );
                for (x, width) in parts {
                    let colour = COLOURS[colour % COLOURS.len()];
                    let _ = write!(
                        svg,
                        "<rect x=\"{x}\" y=\"{y}\" width=\"{width:.1}\" height=\"{BAR}\" rx=\"2\" fill=\"{colour}\"/>"
                    );
                }
                let _ = writeln!(
                    svg,
                    "<text x=\"{:.1}\" y=\"{}\">{}</text>",
                    NAMES + length + 6.0,
                    y + 13.5,
                    crate::report::number(*value)
                );
                y += STEP;
            }
            y += 6.0;
        }
        svg.push_str("</svg>\n");
        svg
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

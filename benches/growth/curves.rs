//! Curves over sizes, as a table and as SVG.

use std::fmt::Write;

pub struct Curves {
    pub title: &'static str,
    pub sizes: Vec<usize>,
    pub curves: Vec<Curve>,
}

pub struct Curve {
    name: &'static str,
    /// Nanoseconds, for each size.
    values: Vec<f64>,
}

/// Distinguishable for colour-blind readers, on light and dark backgrounds (Okabe and Ito).
const COLOURS: [&str; 4] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7"];
const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 320.0;
const LEFT: f64 = 60.0;
const RIGHT: f64 = 210.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 34.0;

impl Curve {
    pub fn new(name: &'static str) -> Self {
        Self { name, values: Vec::new() }
    }
}

impl Curves {
    /// Adds one value to each curve, at the newest size.
    pub fn add(&mut self, values: &[f64]) {
        for (curve, value) in self.curves.iter_mut().zip(values) {
            curve.values.push(value.max(0.0));
        }
    }

    pub fn table(&self) -> String {
        let mut text =
            format!("| ns each |{}\n", self.sizes.iter().fold(String::new(), |row, size| row + &format!(" {size} |")));
        let _ = writeln!(text, "| --- |{}", " ---: |".repeat(self.sizes.len()));
        for curve in &self.curves {
            let values = curve.values.iter().fold(String::new(), |row, value| row + &format!(" {value:.0} |"));
            let _ = writeln!(text, "| {} |{values}", curve.name);
        }
        text
    }

    pub fn svg(&self) -> String {
        let highest = self.curves.iter().flat_map(|curve| &curve.values).fold(1.0_f64, |most, value| most.max(*value));
        // Sizes are powers, so their steps are equal.
        let x = |index: usize| LEFT + index as f64 / (self.sizes.len() - 1).max(1) as f64 * (WIDTH - LEFT - RIGHT);
        let y = |value: f64| HEIGHT - BOTTOM - value / highest * (HEIGHT - TOP - BOTTOM);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" \
             font-family=\"system-ui, sans-serif\" font-size=\"13\">\n<title>{title}</title>\n\
             <style>text{{fill:#1f2328}}.quiet{{fill:#59636e}}line{{stroke:#8c959f;stroke-width:.5}}\
             @media (prefers-color-scheme:dark){{text{{fill:#e6edf3}}.quiet{{fill:#9198a1}}}}</style>\n\
             <text x=\"0\" y=\"18\" font-size=\"16\" font-weight=\"600\">{title}</text>\n",
            title = self.title
        );
        for step in 0..=4 {
            let value = highest * f64::from(step) / 4.0;
            let (at, right) = (y(value), WIDTH - RIGHT);
            let _ = writeln!(svg, "<line x1=\"{LEFT}\" y1=\"{at:.1}\" x2=\"{right}\" y2=\"{at:.1}\"/>");
            let label = at + 4.0;
            let _ = writeln!(
                svg,
                "<text class=\"quiet\" x=\"{}\" y=\"{label:.1}\" text-anchor=\"end\">{value:.0} ns</text>",
                LEFT - 6.0
            );
        }
        for (index, size) in self.sizes.iter().enumerate() {
            let (at, below) = (x(index), HEIGHT - 12.0);
            let _ =
                writeln!(svg, "<text class=\"quiet\" x=\"{at:.1}\" y=\"{below}\" text-anchor=\"middle\">{size}</text>");
        }
        let mut lowest = HEIGHT;
        let mut ends: Vec<(f64, usize)> = self
            .curves
            .iter()
            .enumerate()
            .map(|(index, curve)| (y(curve.values.last().copied().unwrap_or(0.0)), index))
            .collect();
        ends.sort_by(|one, other| other.0.total_cmp(&one.0));
        for (end, index) in ends {
            let (curve, colour) = (&self.curves[index], COLOURS[index % COLOURS.len()]);
            let points = curve.values.iter().enumerate().map(|(at, value)| format!("{:.1},{:.1}", x(at), y(*value)));
            let points = points.collect::<Vec<_>>().join(" ");
            let _ =
                writeln!(svg, "<polyline points=\"{points}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>");
            // Labels stand at the ends of their curves, and do not overlap.
            let at = (end + 4.0).min(lowest - 16.0);
            lowest = at;
            let _ = writeln!(
                svg,
                "<text x=\"{}\" y=\"{at:.1}\" style=\"fill:{colour}\">{}</text>",
                WIDTH - RIGHT + 8.0,
                curve.name
            );
        }
        svg.push_str("</svg>\n");
        svg
    }
}

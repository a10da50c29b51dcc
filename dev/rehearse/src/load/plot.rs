//! The figures as a picture: CPU for each call-second, and lateness, over the number of calls.

use super::LoadFigures;
use std::fmt::Write;

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 300.0;
const LEFT: f64 = 60.0;
const TOP: f64 = 40.0;
const BELOW: f64 = 50.0;
const RIGHT: f64 = 20.0;

/// A curve, and what it is held to.
struct Curve {
    title: &'static str,
    of: fn(&LoadFigures) -> f64,
    limit: f64,
}

const CURVES: [Curve; 2] = [
    Curve { title: "CPU of the media task, ms for each second of a call", of: |row| row.cpu_ms, limit: 8.0 },
    Curve {
        title: "Lateness of packets at the callers, p99, ms",
        of: |row| row.lateness.p99_ms,
        limit: 10.0,
    },
];

/// An SVG of both curves, one below the other. The dashed line is the limit.
pub(super) fn svg(rows: &[LoadFigures]) -> String {
    let height = HEIGHT * CURVES.len() as f64;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" font-family=\"sans-serif\" \
         font-size=\"13\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    for (n, curve) in CURVES.iter().enumerate() {
        let _ = writeln!(svg, "<g transform=\"translate(0 {})\">", HEIGHT * n as f64);
        draw(&mut svg, curve, rows);
        svg += "</g>\n";
    }
    svg + "</svg>\n"
}

/// Writing to a string cannot fail.
fn draw(svg: &mut String, curve: &Curve, rows: &[LoadFigures]) {
    let values: Vec<f64> = rows.iter().map(curve.of).collect();
    let highest = values.iter().copied().fold(curve.limit, f64::max) * 1.1;
    let most = rows.iter().map(|row| row.calls).max().unwrap_or(1) as f64;
    let x = |calls: usize| LEFT + (WIDTH - LEFT - RIGHT) * calls as f64 / most;
    let y = |value: f64| HEIGHT - BELOW - (HEIGHT - TOP - BELOW) * value / highest;
    let (left, right, floor, limit) = (LEFT, WIDTH - RIGHT, y(0.0), y(curve.limit));
    let _ = writeln!(svg, "<text x=\"{left}\" y=\"24\" font-weight=\"bold\">{}</text>", curve.title);
    let _ = writeln!(svg, "<path d=\"M{left} {TOP}V{floor}H{right}\" fill=\"none\" stroke=\"black\"/>");
    let _ = writeln!(
        svg,
        "<path d=\"M{left} {limit:.1}H{right}\" stroke=\"firebrick\" stroke-dasharray=\"6 4\"/>\
         <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
        left - 6.0,
        limit + 4.0,
        curve.limit
    );
    let points = rows.iter().zip(&values).map(|(row, value)| format!("{:.1},{:.1}", x(row.calls), y(*value)));
    let points: Vec<String> = points.collect();
    let _ = writeln!(
        svg,
        "<polyline points=\"{}\" fill=\"none\" stroke=\"steelblue\" stroke-width=\"2\"/>",
        points.join(" ")
    );
    for (row, value) in rows.iter().zip(&values) {
        let (x, y) = (x(row.calls), y(*value));
        let _ = writeln!(
            svg,
            "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\" fill=\"steelblue\"/>\
             <text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{value:.1}</text>\
             <text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{} calls</text>",
            y - 10.0,
            floor + 20.0,
            row.calls
        );
    }
}

#[cfg(test)]
mod tests {
    use super::super::figures::LoadFigures;
    use super::*;

    #[test]
    fn every_number_of_calls_is_a_point_of_each_curve() {
        let rows = [1, 50, 100].map(|calls| LoadFigures { calls, ..LoadFigures::default() });

        assert_eq!(svg(&rows).matches("<circle").count(), 3 * CURVES.len());
    }
}

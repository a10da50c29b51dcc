//! Metrics over time: a dot for each period with a value, joined to that of the period before where there is one.

use super::moment;
use super::paper::{Area, Drawn, FAINT, INK, LINE, colour, letters, width};
use crate::{Metric, Point, Recording, Row, Side};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::ops::Range;

const SIZE: u32 = 12;

/// From one line of the legend to the next, pixels.
const STEP: i32 = 17;

/// An hour, minutes.
const HOUR: f64 = 60.0;

/// Draws lines and legend.
pub(super) fn draw(metric: &Metric, recording: &Recording, span: (u64, u64), area: &Area<'_>) -> Drawn {
    let lines: Vec<_> = metric.rows.iter().map(|row| (row, recording.points(row, metric.period_s))).collect();
    let (wide, high) = area.dim_in_pixel();
    area.draw(&Text::new(
        format!("every {}", period(metric.period_s)),
        (wide as i32 - 14, 14),
        letters(SIZE, FAINT).pos(Pos::new(HPos::Right, VPos::Top)),
    ))?;
    let legend = legend(&lines, wide as i32);
    let legend_high = legend.last().map_or(0, |(_, (_, y))| y + STEP);
    explain(&legend, high as i32 - legend_high - 8, area)?;
    let time = Time::over(span, metric.period_s);
    let has_right = metric.rows.iter().any(|row| row.side == Side::Right);
    let [left, right] = [Side::Left, Side::Right].map(|side| height(metric, side, &lines));
    let mut chart = ChartBuilder::on(area)
        .margin_top(40)
        .margin_bottom(legend_high + 16)
        .margin_left(8)
        .margin_right(if has_right { 8 } else { 18 })
        .x_label_area_size(22)
        .y_label_area_size(44)
        .right_y_label_area_size(if has_right { 44 } else { 0 })
        .build_cartesian_2d(time.range(), left)?
        .set_secondary_coord(time.range(), right);
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(LINE)
        .axis_style(LINE)
        .label_style(letters(SIZE, FAINT))
        .x_labels(8)
        .x_label_formatter(&|minutes| time.label(*minutes))
        .y_labels(5)
        .y_label_formatter(&|value| short(*value))
        .draw()?;
    if has_right {
        chart
            .configure_secondary_axes()
            .axis_style(LINE)
            .label_style(letters(SIZE, FAINT))
            .y_labels(5)
            .y_label_formatter(&|value| short(*value))
            .draw()?;
    }
    for (n, (row, points)) in lines.iter().enumerate() {
        let ink = colour(n, row.colour);
        let dots = points.iter().map(|point| Circle::new(time.place(point), 2, ink.filled()));
        let runs = runs(points, metric.period_s).map(|run| {
            PathElement::new(
                run.iter().map(|point| time.place(point)).collect::<Vec<_>>(),
                ink.stroke_width(2),
            )
        });
        match row.side {
            Side::Left => {
                chart.draw_series(runs)?;
                chart.draw_series(dots)?;
            }
            Side::Right => {
                chart.draw_secondary_series(runs)?;
                chart.draw_secondary_series(dots)?;
            }
        }
    }
    Ok(())
}

/// The axis to the right: minutes since the hour in which it begins.
struct Time {
    hour_ms: u64,
    from: f64,
    to: f64,
}

impl Time {
    /// From the first period to the end of the last.
    fn over((from_ms, to_ms): (u64, u64), period_s: u64) -> Self {
        // All widgets have one time: that of the longest period we use.
        let period_ms = period_s.max(300) * 1_000;
        let hour_ms = from_ms / 3_600_000 * 3_600_000;
        let minutes = |ms: u64| (ms - hour_ms) as f64 / 60_000.0;
        let from = (from_ms / period_ms * period_ms).max(hour_ms);
        Self { hour_ms, from: minutes(from), to: minutes((to_ms / period_ms + 1) * period_ms) }
    }

    fn range(&self) -> Range<f64> {
        self.from..self.to
    }

    fn place(&self, point: &Point) -> (f64, f64) {
        ((point.at_ms as f64 - self.hour_ms as f64) / 60_000.0, point.value)
    }

    fn label(&self, minutes: f64) -> String {
        let form = if self.to - self.from > 48.0 * HOUR { "%-d %b" } else { "%H:%M" };
        moment(self.hour_ms + (minutes * 60_000.0).max(0.0) as u64, form)
    }
}

/// As the widget says, else from zero to a round number above all points.
fn height(metric: &Metric, side: Side, lines: &[(&Row, Vec<Point>)]) -> Range<f64> {
    let (min, max) = metric.axes.get(&side).copied().unwrap_or_default();
    let points = lines.iter().filter(|(row, _)| row.side == side).flat_map(|(_, points)| points);
    let most = points.map(|point| point.value).fold(0.0, f64::max);
    let min = min.unwrap_or(0.0);
    min..max.unwrap_or_else(|| end_of_axis(most)).max(min + 1.0)
}

/// A round number, a little further on; whole, and three at least: little is counted here by fractions.
fn end_of_axis(most: f64) -> f64 {
    let wanted = (most * 1.08).max(3.0);
    let decade = 10f64.powf(wanted.log10().floor());
    let steps = [1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0];
    decade * steps.into_iter().find(|step| step * decade >= wanted).unwrap_or(10.0)
}

/// Points of periods that follow each other.
fn runs(points: &[Point], period_s: u64) -> impl Iterator<Item = &[Point]> {
    points.chunk_by(move |one, next| next.at_ms - one.at_ms == period_s * 1_000).filter(|run| run.len() > 1)
}

/// An entry of the legend, its colour, and where it is.
type Entry = ((RGBColor, String, String), (i32, i32));

/// What each line is, beside each other where there is room.
fn legend(lines: &[(&Row, Vec<Point>)], wide: i32) -> Vec<Entry> {
    let (mut x, mut y) = (14, 0);
    let mut placed = vec![];
    for (n, (row, points)) in lines.iter().enumerate() {
        let missing = if points.is_empty() { ": nothing recorded" } else { "" };
        let side = if row.side == Side::Right { " (right)" } else { "" };
        let what = format!("{} {}{side}{missing}", row.name, row.statistic);
        let room = 16 + width(&row.label, SIZE) + 8 + width(&what, SIZE) + 18;
        if x > 14 && x + room > wide - 14 {
            (x, y) = (14, y + STEP);
        }
        placed.push(((colour(n, row.colour), row.label.clone(), what), (x, y)));
        x += room;
    }
    placed
}

fn explain(legend: &[Entry], top: i32, area: &Area<'_>) -> Drawn {
    for ((ink, label, what), (x, y)) in legend {
        let y = top + y;
        area.draw(&Rectangle::new([(*x, y + 2), (x + 10, y + 12)], ink.filled()))?;
        area.draw(&Text::new(label.clone(), (x + 16, y), letters(SIZE, INK)))?;
        let beside = x + 16 + width(label, SIZE) + 8;
        area.draw(&Text::new(what.clone(), (beside, y), letters(SIZE, FAINT)))?;
    }
    Ok(())
}

/// `5 min`.
fn period(seconds: u64) -> String {
    if seconds.is_multiple_of(60) { format!("{} min", seconds / 60) } else { format!("{seconds} s") }
}

/// As short as it can be.
fn short(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

//! Figures over another figure, as lines.

use crate::paper::{self, Area, Drawn, LIMIT, colour, end_of_axis, letters, short};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::ops::Range;

/// A picture of lines, both axes linear and from zero, or from the lowest value when that is below.
#[derive(Debug, Clone, PartialEq)]
pub struct Lines {
    /// What it shows.
    pub title: String,
    /// The axis to the right, with its unit.
    pub x: String,
    /// The axis upwards, with its unit.
    pub y: String,
    /// What is shown.
    pub series: Vec<Series>,
    /// What the figures are held against, by name.
    pub limit: Option<(String, f64)>,
}

/// A line.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// What it is.
    pub name: String,
    /// Its points, from left to right.
    pub points: Vec<(f64, f64)>,
}

impl Series {
    /// A line through these points.
    pub fn new(name: impl Into<String>, points: impl IntoIterator<Item = (f64, f64)>) -> Self {
        Self { name: name.into(), points: points.into_iter().collect() }
    }
}

impl Lines {
    /// As SVG. Values that are no numbers are left out.
    pub fn svg(&self) -> String {
        paper::draw(&self.title, |area| self.draw(area))
    }

    fn draw(&self, area: &Area<'_>) -> Drawn {
        let (xs, ys) = (self.width(), self.height());
        let legend = paper::explain(area, self.series.iter().map(|series| series.name.as_str()))?;
        let mut chart = ChartBuilder::on(area)
            .margin_top(legend)
            .x_label_area_size(44)
            .y_label_area_size(60)
            .build_cartesian_2d(xs.clone(), ys)?;
        let label = |value: &f64| short(*value);
        paper::rule(&mut chart, (&self.x, 10), &label, &self.y, &label)?;
        for (n, series) in self.series.iter().enumerate() {
            let (line, points) = (colour(n), series.drawable());
            let dots = points.iter().map(|&point| Circle::new(point, 3, line.filled()));
            chart.draw_series(dots)?;
            chart.draw_series(LineSeries::new(points, line.stroke_width(2)))?;
        }
        if let Some((name, limit)) = &self.limit {
            let ends = [(xs.start, *limit), (xs.end, *limit)];
            chart.draw_series(DashedLineSeries::new(ends, 6, 4, LIMIT.stroke_width(2)))?;
            let style = letters(13).color(&LIMIT).pos(Pos::new(HPos::Right, VPos::Bottom));
            chart.draw_series([Text::new(name.clone(), (xs.end, *limit), style)])?;
        }
        Ok(())
    }

    /// From zero to the last point.
    fn width(&self) -> Range<f64> {
        let (least, most) = reach(self.points().map(|(x, _)| x));
        least..if most > least { most } else { least + 1.0 }
    }

    /// From zero to a round number above all points and the limit.
    fn height(&self) -> Range<f64> {
        let limit = self.limit.iter().map(|(_, limit)| *limit);
        let (least, most) = reach(self.points().map(|(_, y)| y).chain(limit));
        let start = if least < 0.0 { -end_of_axis(-least) } else { 0.0 };
        start..end_of_axis(most)
    }

    fn points(&self) -> impl Iterator<Item = (f64, f64)> {
        self.series.iter().flat_map(Series::drawable)
    }
}

/// The lowest and the highest value, zero among them.
fn reach(values: impl Iterator<Item = f64>) -> (f64, f64) {
    values.fold((0.0, 0.0), |(least, most), value| (value.min(least), value.max(most)))
}

impl Series {
    fn drawable(&self) -> Vec<(f64, f64)> {
        self.points.iter().copied().filter(|(x, y)| x.is_finite() && y.is_finite()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_says_in_text_what_it_shows() {
        let svg = lines().svg();

        for words in
            ["CPU of the media task", "calls at once", "ms a call-second", "ahoy", "floor", "limit: 8 ms"]
        {
            assert!(svg.contains(words), "{words} is missing");
        }
        assert!(svg.contains("<text") && svg.contains("<polyline") && !svg.contains("<image"));
    }

    #[test]
    fn nothing_to_show_is_an_empty_picture() {
        let empty = Lines { series: vec![Series::new("none", [(f64::NAN, 1.0)])], ..lines() };

        assert!(empty.svg().contains("</svg>"));
    }

    fn lines() -> Lines {
        Lines {
            title: "CPU of the media task".into(),
            x: "calls at once".into(),
            y: "ms a call-second".into(),
            series: vec![
                Series::new("ahoy", [(1.0, 7.9), (10.0, 6.8), (50.0, 6.1), (100.0, 6.0), (150.0, 6.3)]),
                Series::new("floor", [(1.0, 4.2), (10.0, 4.2), (50.0, 4.3), (100.0, 4.2), (150.0, 4.2)]),
            ],
            limit: Some(("limit: 8 ms".into(), 8.0)),
        }
    }
}

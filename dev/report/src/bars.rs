//! Figures side by side, as groups of bars: a group for each category, in it a bar for each series.

use crate::paper::{self, Area, Drawn, colour, end_of_axis, letters, short};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// How much of a group's room its bars take.
const FILLED: f64 = 0.76;

/// More bars than this are not labelled: the figures would run into each other.
const MOST_LABELLED: usize = 24;

/// A picture of grouped bars.
#[derive(Debug, Clone, PartialEq)]
pub struct Bars {
    /// What it shows.
    pub title: String,
    /// The axis upwards, with its unit.
    pub y: String,
    /// A group of bars for each.
    pub categories: Vec<String>,
    /// In each group a bar for each: its name, and a value for each category.
    pub series: Vec<(String, Vec<f64>)>,
}

impl Bars {
    /// As SVG. Values that are no numbers are left out.
    pub fn svg(&self) -> String {
        paper::draw(&self.title, |area| self.draw(area))
    }

    fn draw(&self, area: &Area<'_>) -> Drawn {
        let groups = self.categories.len().max(1);
        let most =
            self.series.iter().flat_map(|(_, values)| values).copied().filter(|value| value.is_finite());
        let top = end_of_axis(most.fold(0.0, f64::max));
        let legend = paper::explain(area, self.series.iter().map(|(name, _)| name.as_str()))?;
        let mut chart = ChartBuilder::on(area)
            .margin_top(legend)
            .x_label_area_size(32)
            .y_label_area_size(60)
            .build_cartesian_2d(-0.5..groups as f64 - 0.5, 0.0..top)?;
        let none = |_: &f64| String::new();
        paper::rule(&mut chart, ("", 0), &none, &self.y, &|value| short(*value))?;
        self.name_categories(&mut chart)?;
        let width = FILLED / self.series.len().max(1) as f64;
        for (n, (_, values)) in self.series.iter().enumerate() {
            let from = |group: usize| group as f64 - FILLED / 2.0 + n as f64 * width;
            let shown = values.iter().copied().enumerate().filter(|(_, value)| value.is_finite());
            let bars = shown.clone().map(|(group, value)| {
                let corners = [(from(group), 0.0), (from(group) + width * 0.94, value)];
                Rectangle::new(corners, colour(n).filled())
            });
            chart.draw_series(bars)?;
            if self.series.len() * groups <= MOST_LABELLED {
                let style = letters(11).pos(Pos::new(HPos::Center, VPos::Bottom));
                let labels = shown.map(|(group, value)| {
                    Text::new(
                        short((value * 100.0).round() / 100.0),
                        (from(group) + width * 0.47, value),
                        style.clone(),
                    )
                });
                chart.draw_series(labels)?;
            }
        }
        Ok(())
    }

    fn name_categories<X, Y>(
        &self,
        chart: &mut plotters::chart::ChartContext<'_, SVGBackend<'_>, Cartesian2d<X, Y>>,
    ) -> Drawn
    where
        X: plotters::coord::ranged1d::Ranged<ValueType = f64>,
        Y: plotters::coord::ranged1d::Ranged<ValueType = f64>,
    {
        let style = letters(13).pos(Pos::new(HPos::Center, VPos::Top));
        let names = self.categories.iter().enumerate();
        let names = names.map(|(n, name)| {
            EmptyElement::at((n as f64, 0.0)) + Text::new(name.clone(), (0, 8), style.clone())
        });
        chart.draw_series(names)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_category_and_series_is_named_and_every_value_has_its_bar() {
        let svg = bars().svg();

        for words in ["Speech quality", "MOS", "wifi-lossy", "satellite", "with FEC", "without", "4.21"] {
            assert!(svg.contains(words), "{words} is missing");
        }
        // The paper, two in the legend, and ten bars.
        assert_eq!(svg.matches("<rect").count(), 1 + 2 + 10);
    }

    #[test]
    fn what_is_no_number_has_no_bar() {
        let mut bars = bars();
        bars.series[0].1[2] = f64::NAN;

        assert_eq!(bars.svg().matches("<rect").count(), 1 + 2 + 9);
    }

    fn bars() -> Bars {
        let profiles = ["wifi", "wifi-lossy", "cellular", "satellite", "congested"];
        Bars {
            title: "Speech quality by network".into(),
            y: "MOS".into(),
            categories: profiles.map(str::to_owned).to_vec(),
            series: vec![
                ("with FEC".into(), vec![4.21, 3.9, 3.77, 4.0, 3.2]),
                ("without".into(), vec![4.2, 3.4, 3.3, 3.9, 2.6]),
            ],
        }
    }
}

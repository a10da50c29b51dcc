//! Shared parts of all pictures: size, colours, lettering, axes that begin at zero and end at a round number.

use plotters::chart::ChartContext;
use plotters::coord::ranged1d::{Ranged, ValueFormatter};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// Pixels, width and height.
pub(crate) const SIZE: (u32, u32) = (800, 450);

/// Series, in their order. Told apart by colour-blind people too (Okabe and Ito).
const COLOURS: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(230, 159, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
    RGBColor(213, 94, 0),
    RGBColor(90, 90, 90),
];

/// A limit that is to be held.
pub(crate) const LIMIT: RGBColor = RGBColor(192, 32, 32);

/// Text and axes.
pub(crate) const INK: RGBColor = RGBColor(40, 40, 40);

/// Lines across the picture.
const GRID: RGBColor = RGBColor(225, 225, 225);

const PAPER: RGBColor = RGBColor(255, 255, 255);

/// Browsers have one of these.
const FONT: &str = "system-ui, Helvetica, Arial, sans-serif";

pub(crate) type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;

/// What may go wrong while drawing into a text: nothing.
pub(crate) type Drawn = Result<(), Broken>;

/// See [`Drawn`].
pub(crate) type Broken = Box<dyn std::error::Error>;

pub(crate) fn colour(n: usize) -> RGBColor {
    COLOURS[n % COLOURS.len()]
}

pub(crate) fn draw(title: &str, draw: impl FnOnce(&Area<'_>) -> Drawn) -> String {
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        let drawn = draw_under(title, &area, draw);
        drawn.expect("a text takes any drawing");
    }
    svg
}

fn draw_under(title: &str, area: &Area<'_>, draw: impl FnOnce(&Area<'_>) -> Drawn) -> Drawn {
    area.fill(&PAPER)?;
    let heading = letters(18).pos(Pos::new(HPos::Left, VPos::Top));
    area.draw(&Text::new(title.to_owned(), (24, 16), heading))?;
    draw(&area.margin(50, 14, 16, 24))?;
    Ok(area.present()?)
}

pub(crate) fn letters(size: u32) -> TextStyle<'static> {
    (FONT, size).into_font().color(&INK)
}

pub(crate) fn rule<X, Y>(
    chart: &mut ChartContext<'_, SVGBackend<'_>, Cartesian2d<X, Y>>,
    (x, x_labels): (&str, usize),
    x_label: &dyn Fn(&X::ValueType) -> String,
    y: &str,
    y_label: &dyn Fn(&Y::ValueType) -> String,
) -> Drawn
where
    X: Ranged + ValueFormatter<<X as Ranged>::ValueType>,
    Y: Ranged + ValueFormatter<<Y as Ranged>::ValueType>,
{
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(GRID)
        .axis_style(INK)
        .label_style(letters(13))
        .axis_desc_style(letters(14))
        .x_labels(x_labels)
        .x_desc(x)
        .x_label_formatter(x_label)
        .y_labels(8)
        .y_desc(y)
        .y_label_formatter(y_label)
        .draw()?;
    Ok(())
}

/// Draws what the colours mean, above the picture, where it hides nothing. So many pixels it takes; none for one series.
pub(crate) fn explain<'a>(
    area: &Area<'_>,
    names: impl ExactSizeIterator<Item = &'a str>,
) -> Result<i32, Broken> {
    if names.len() < 2 {
        return Ok(0);
    }
    let mut x = 62;
    for (n, name) in names.enumerate() {
        area.draw(&Rectangle::new([(x, 4), (x + 12, 16)], colour(n).filled()))?;
        let style = letters(13).pos(Pos::new(HPos::Left, VPos::Center));
        area.draw(&Text::new(name.to_owned(), (x + 18, 10), style))?;
        x += 40 + 7 * name.chars().count() as i32;
    }
    Ok(26)
}

/// The end of an axis that shows up to `most`: a round number, a little further on.
pub(crate) fn end_of_axis(most: f64) -> f64 {
    if most <= 0.0 || !most.is_finite() {
        return 1.0;
    }
    let wanted = most * 1.08;
    let decade = 10f64.powf(wanted.log10().floor());
    let steps = [1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0];
    decade * steps.into_iter().find(|step| step * decade >= wanted).unwrap_or(10.0)
}

/// A number as short as it can be: `100`, `2.5`, `0.04`.
pub(crate) fn short(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_end_at_a_round_number_above_all_that_they_show() {
        assert_eq!([0.0, 0.7, 8.0, 100.0, 149.0].map(end_of_axis), [1.0, 0.8, 10.0, 120.0, 200.0]);
    }

    #[test]
    fn numbers_are_short() {
        assert_eq!([100.0, 2.5, 0.04, 0.0].map(short), ["100", "2.5", "0.04", "0"]);
    }
}

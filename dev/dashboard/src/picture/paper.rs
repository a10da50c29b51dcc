//! Colours and lettering, near those of CloudWatch.

use plotters::coord::Shift;
use plotters::prelude::*;

/// Under the cards.
pub(super) const TABLE: RGBColor = RGBColor(243, 244, 246);

/// The cards.
pub(super) const PAPER: RGBColor = RGBColor(255, 255, 255);

/// Their edges, and lines across them.
pub(super) const LINE: RGBColor = RGBColor(222, 225, 230);

/// What is to be read.
pub(super) const INK: RGBColor = RGBColor(35, 40, 48);

/// What is to be read last.
pub(super) const FAINT: RGBColor = RGBColor(100, 108, 120);

/// Lines that say no colour of their own, in their order.
const COLOURS: [RGBColor; 6] = [
    RGBColor(31, 119, 180),
    RGBColor(255, 127, 14),
    RGBColor(44, 160, 44),
    RGBColor(148, 103, 189),
    RGBColor(23, 160, 175),
    RGBColor(140, 86, 75),
];

/// Browsers have one of these.
const FONT: &str = "system-ui, Helvetica, Arial, sans-serif";

/// Where things are drawn.
pub(super) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// What may go wrong: a query, or what the picture is drawn into.
pub(super) type Drawn = Result<(), Box<dyn std::error::Error>>;

/// The SVG backend writes sizes smaller by this.
const SHRINKS: f64 = 1.24;

/// Lettering of a size, pixels.
pub(super) fn letters(size: u32, colour: RGBColor) -> TextStyle<'static> {
    (FONT, f64::from(size) * SHRINKS).into_font().color(&colour)
}

/// The same, bold.
pub(super) fn bold(size: u32, colour: RGBColor) -> TextStyle<'static> {
    (FONT, f64::from(size) * SHRINKS, FontStyle::Bold).into_font().color(&colour)
}

/// The colour of the n-th line.
pub(super) fn colour(n: usize, own: Option<[u8; 3]>) -> RGBColor {
    own.map_or(COLOURS[n % COLOURS.len()], |[red, green, blue]| RGBColor(red, green, blue))
}

/// About how wide a text is, pixels: browsers' fonts differ.
pub(super) fn width(text: &str, size: u32) -> i32 {
    (text.chars().count() as f64 * f64::from(size) * 0.56).ceil() as i32
}

//! The picture: each widget in its place of the grid, over the time that was recorded.

mod chart;
mod paper;
mod sheet;

use crate::{Board, Recording, What, Widget};
use anyhow::{Context, anyhow};
use insights::Query;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use paper::{Area, Drawn, FAINT, INK, LINE, PAPER, TABLE, bold, letters};
use plotters::prelude::*;

/// Pixels of a column and of a row of the grid.
const CELL: (u32, u32) = (60, 50);

/// Columns of the grid.
const COLUMNS: u32 = 24;

/// Above the grid, pixels.
const HEAD: u32 = 62;

/// Around everything, pixels.
const MARGIN: u32 = 10;

/// The dashboard as SVG.
///
/// # Errors
/// When nothing was recorded, or a query cannot be read or run.
pub fn svg(board: &Board, recording: &Recording) -> anyhow::Result<String> {
    let span = recording.span_ms().context("no value of a metric was recorded")?;
    let rows = board.widgets.iter().map(|widget| widget.place.y + widget.place.height).max();
    let height = HEAD + rows.unwrap_or_default() * CELL.1 + MARGIN;
    let mut svg = String::new();
    {
        let size = (COLUMNS * CELL.0 + 2 * MARGIN, height);
        let area = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        draw(board, recording, span, &area).map_err(|error| anyhow!("{error}"))?;
    }
    Ok(svg)
}

fn draw(board: &Board, recording: &Recording, span: (u64, u64), area: &Area<'_>) -> Drawn {
    area.fill(&TABLE)?;
    area.draw(&Text::new("ahoy", (MARGIN as i32 + 6, 12), bold(20, INK)))?;
    area.draw(&Text::new(told(recording, span), (MARGIN as i32 + 6, 38), letters(13, FAINT)))?;
    for widget in &board.widgets {
        let place = widget.place;
        let left = (MARGIN + place.x * CELL.0) as i32;
        let top = (HEAD + place.y * CELL.1) as i32;
        let card = [
            (left + 3, top + 3),
            (left + (place.width * CELL.0) as i32 - 3, top + (place.height * CELL.1) as i32 - 3),
        ];
        area.draw(&Rectangle::new(card, PAPER.filled()))?;
        area.draw(&Rectangle::new(card, LINE.stroke_width(1)))?;
        let inside =
            area.clone().shrink(card[0], ((card[1].0 - card[0].0) as u32, (card[1].1 - card[0].1) as u32));
        self::widget(widget, recording, span, &inside)?;
    }
    Ok(area.present()?)
}

fn widget(widget: &Widget, recording: &Recording, span: (u64, u64), area: &Area<'_>) -> Drawn {
    area.draw(&Text::new(widget.title.clone(), (14, 12), bold(15, INK)))?;
    match &widget.what {
        What::Metric(metric) => chart::draw(metric, recording, span, area),
        What::Log(log) => {
            let query = Query::read(&log.query).map_err(|wrong| format!("{}: {wrong}", widget.title))?;
            let found = query.run(recording.lines.iter().map(String::as_str));
            sheet::draw(&found.map_err(|wrong| format!("{}: {wrong}", widget.title))?, area)
        }
    }
}

/// What was recorded, and when.
fn told(recording: &Recording, (from_ms, to_ms): (u64, u64)) -> String {
    let values = recording.samples.len();
    let day = |ms| moment(ms, "%-d %B %Y");
    let from = moment(from_ms, "%-d %B %Y, %H:%M");
    let to = moment(to_ms, if day(from_ms) == day(to_ms) { "%H:%M" } else { "%-d %B %Y, %H:%M" });
    format!("drawn from {values} values of metrics that rehearsals have logged: {from} to {to} UTC")
}

/// A time in UTC.
fn moment(ms: u64, form: &str) -> String {
    let at = i64::try_from(ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok()).unwrap_or_default();
    at.to_zoned(TimeZone::UTC).strftime(form).to_string()
}

//! What a query finds, as a table.

use super::paper::{Area, Drawn, FAINT, INK, LINE, bold, letters, width};
use insights::Table;
use plotters::prelude::*;

const SIZE: u32 = 13;

/// From one row to the next, pixels.
const STEP: i32 = 21;

/// Where the rows begin, pixels.
const TOP: i32 = 44;

/// Between two columns, pixels.
const GAP: i32 = 28;

/// As many rows as there is room for; of the others it is said how many they are.
pub(super) fn draw(table: &Table, area: &Area<'_>) -> Drawn {
    let (wide, high) = area.dim_in_pixel();
    let lefts = lefts(table);
    let line = |cells: &[String], y: i32, style: &TextStyle<'_>| -> Drawn {
        for (cell, x) in cells.iter().zip(&lefts) {
            area.draw(&Text::new(cell.clone(), (*x, y), style.clone()))?;
        }
        Ok(())
    };
    line(&table.columns, TOP, &bold(SIZE, FAINT))?;
    let room = ((high as i32 - TOP - STEP - 6) / STEP).max(0) as usize;
    let shown = if table.rows.len() > room { room.saturating_sub(1) } else { room };
    let mut y = TOP + STEP;
    for row in table.rows.iter().take(shown) {
        area.draw(&PathElement::new([(14, y - 4), (wide as i32 - 14, y - 4)], LINE))?;
        let row: Vec<String> =
            row.iter().map(|cell| if cell.is_empty() { "–".into() } else { cell.clone() }).collect();
        line(&row, y, &letters(SIZE, INK))?;
        y += STEP;
    }
    if table.rows.len() > shown {
        let more = format!("and {} more", table.rows.len() - shown);
        area.draw(&Text::new(more, (14, y), letters(SIZE, FAINT)))?;
    }
    Ok(())
}

/// Where each column begins.
fn lefts(table: &Table) -> Vec<i32> {
    let widest = |column: usize| {
        let cells =
            table.rows.iter().filter_map(|row| row.get(column)).chain(&table.columns[column..=column]);
        cells.map(|cell| width(cell, SIZE)).max().unwrap_or_default()
    };
    let mut x = 14;
    (0..table.columns.len())
        .map(|column| {
            let left = x;
            x += widest(column) + GAP;
            left
        })
        .collect()
}

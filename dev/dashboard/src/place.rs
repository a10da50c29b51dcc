//! Where a widget is in the grid.

use serde::Deserialize;

/// Columns and rows of the grid, from its left upper corner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Place {
    /// The first column, of 24.
    pub x: u32,
    /// The first row.
    pub y: u32,
    /// How many columns.
    pub width: u32,
    /// How many rows.
    pub height: u32,
}

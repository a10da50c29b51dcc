//! Rows under columns, as Markdown and as CSV.

use std::fmt::Write;

/// A table. Cells are texts; the caller rounds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// No rows under these columns.
    pub fn new(columns: &[&str]) -> Self {
        Self { columns: columns.iter().map(|&column| column.to_owned()).collect(), rows: vec![] }
    }

    /// With one more row.
    ///
    /// # Panics
    /// When it has not one cell for each column.
    #[must_use]
    pub fn row<C: Into<String>>(mut self, cells: impl IntoIterator<Item = C>) -> Self {
        self.push(cells);
        self
    }

    /// Adds a row.
    ///
    /// # Panics
    /// When it has not one cell for each column.
    pub fn push<C: Into<String>>(&mut self, cells: impl IntoIterator<Item = C>) {
        let cells: Vec<String> = cells.into_iter().map(Into::into).collect();
        assert_eq!(cells.len(), self.columns.len(), "a row has a cell for each column: {cells:?}");
        self.rows.push(cells);
    }

    /// As Markdown, padded so that it reads well in a terminal too. Columns of figures stand to the right.
    pub fn markdown(&self) -> String {
        let widths: Vec<usize> = (0..self.columns.len()).map(|column| self.width(column)).collect();
        let is_right: Vec<bool> = (0..self.columns.len()).map(|column| self.holds_figures(column)).collect();
        let line = |cells: &[String]| {
            let cells = cells.iter().zip(&widths).zip(&is_right).map(|((cell, &width), &is_right)| {
                let cell = cell.replace('|', "\\|");
                if is_right { format!(" {cell:>width$} ") } else { format!(" {cell:<width$} ") }
            });
            format!("|{}|\n", cells.collect::<Vec<_>>().join("|"))
        };
        let rule = widths.iter().zip(&is_right).map(|(&width, &is_right)| {
            let dashes = "-".repeat(width);
            if is_right { format!(" {dashes}:") } else { format!(" {dashes} ") }
        });
        let rule = format!("|{}|\n", rule.collect::<Vec<_>>().join("|"));
        let rows = self.rows.iter().map(|row| line(row));
        [line(&self.columns), rule].into_iter().chain(rows).collect()
    }

    /// As CSV (RFC 4180, but with plain line ends).
    pub fn csv(&self) -> String {
        let mut csv = String::new();
        for row in std::iter::once(&self.columns).chain(&self.rows) {
            let cells: Vec<String> = row.iter().map(|cell| quoted(cell)).collect();
            writeln!(csv, "{}", cells.join(",")).expect("a text takes any line");
        }
        csv
    }

    fn width(&self, column: usize) -> usize {
        let cells = std::iter::once(&self.columns).chain(&self.rows).map(|row| &row[column]);
        cells.map(|cell| cell.chars().count() + cell.matches('|').count()).max().unwrap_or_default()
    }

    /// Whether every cell begins like a number, or is empty.
    fn holds_figures(&self, column: usize) -> bool {
        let is_figure = |cell: &str| {
            let cell = cell.trim_start_matches(['-', '+', '−', '≤', '≥', '<', '>', ' ']);
            cell.is_empty() || cell.starts_with(|first: char| first.is_ascii_digit())
        };
        !self.rows.is_empty() && self.rows.iter().all(|row| is_figure(&row[column]))
    }
}

fn quoted(cell: &str) -> String {
    let needs_quotes = cell.contains([',', '"', '\n', '\r']);
    if needs_quotes { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markdown_is_padded_and_figures_stand_to_the_right() {
        let table = Table::new(&["profile", "loss"]).row(["wifi", "0.4 %"]).row(["cellular", "12 %"]);

        let expected = "\
| profile  |  loss |
| -------- | -----:|
| wifi     | 0.4 % |
| cellular |  12 % |
";
        assert_eq!(table.markdown(), expected);
    }

    #[test]
    fn what_would_break_a_cell_is_escaped() {
        let table = Table::new(&["a", "b"]).row(["x|y", "say \"no\", twice"]);

        assert!(table.markdown().contains("x\\|y"));
        assert_eq!(table.csv(), "a,b\nx|y,\"say \"\"no\"\", twice\"\n");
    }

    #[test]
    #[should_panic(expected = "a cell for each column")]
    fn a_row_that_does_not_fit_is_a_mistake() {
        let _ = Table::new(&["a", "b"]).row(["only one"]);
    }
}

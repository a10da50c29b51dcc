//! A measured figure, and a table of them.

use std::fmt;
use std::time::Duration;

/// How wide the first column of a table is.
pub(super) const WIDTH: usize = 62;

/// One measured figure.
#[derive(Debug, Clone)]
pub struct Figure {
    /// What, from where to where.
    pub what: &'static str,
    /// The median of the runs.
    pub median: Duration,
    /// The slowest of them.
    pub worst: Duration,
    /// What it should be at most.
    pub limit: Duration,
}

impl Figure {
    /// The figure of some runs, of which there must be one at least.
    pub(super) fn of(what: &'static str, mut took: Vec<Duration>, limit: Duration) -> Self {
        took.sort();
        let (median, worst) = (took[took.len() / 2], took[took.len() - 1]);
        Self { what, median, worst, limit }
    }

    /// Whether the median is within the limit.
    pub fn holds(&self) -> bool {
        self.median <= self.limit
    }
}

/// Figures, a line each.
pub(super) struct Table<'a>(pub &'a [Figure]);

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = |duration: Duration| format!("{:.1} ms", duration.as_secs_f64() * 1_000.0);
        writeln!(f, "  {:<WIDTH$} {:>10} {:>10} {:>10}", "", "median", "worst", "at most")?;
        for figure @ Figure { what, median, worst, limit } in self.0 {
            let mark = if figure.holds() { "" } else { "  MISSED" };
            writeln!(f, "  {what:<WIDTH$} {:>10} {:>10} {:>10}{mark}", ms(*median), ms(*worst), ms(*limit))?;
        }
        Ok(())
    }
}

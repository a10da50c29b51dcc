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
    /// Whether that holds for each run, not for the median.
    pub is_for_each: bool,
}

impl Figure {
    /// The figure of some runs, of which there must be one at least.
    pub(super) fn of(what: &'static str, mut took: Vec<Duration>, limit: Duration) -> Self {
        took.sort();
        let (median, worst) = (took[took.len() / 2], took[took.len() - 1]);
        Self { what, median, worst, limit, is_for_each: false }
    }

    /// The same with a limit that no run may exceed.
    pub(super) fn of_each(what: &'static str, took: Vec<Duration>, limit: Duration) -> Self {
        Self { is_for_each: true, ..Self::of(what, took, limit) }
    }

    /// Whether the median, or each run, is within the limit.
    pub fn holds(&self) -> bool {
        let judged = if self.is_for_each { self.worst } else { self.median };
        judged <= self.limit
    }

    /// The figure as a row of a table: what, median, worst and limit.
    pub(super) fn row(&self) -> Vec<String> {
        let ms = |duration: Duration| format!("{:.1} ms", duration.as_secs_f64() * 1_000.0);
        vec![self.what.to_owned(), ms(self.median), ms(self.worst), ms(self.limit)]
    }
}

/// Figures, a line each.
pub(super) struct Table<'a>(pub &'a [Figure]);

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "  {:<WIDTH$} {:>10} {:>10} {:>10}", "", "median", "worst", "at most")?;
        for figure in self.0 {
            let mark = if figure.holds() { "" } else { "  MISSED" };
            let cells = figure.row();
            let (what, rest) = cells.split_first().expect("a row begins with what was measured");
            let rest: String = rest.iter().map(|cell| format!(" {cell:>10}")).collect();
            writeln!(f, "  {what:<WIDTH$}{rest}{mark}")?;
        }
        Ok(())
    }
}

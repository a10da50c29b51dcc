//! The figures as pictures, over the number of calls.

use super::LoadFigures;
use report::{Lines, Series};

/// CPU for each call-second, beside what codec, encryption and messages cost by themselves.
pub(super) fn cpu(rows: &[LoadFigures], floor_ms: f64) -> String {
    let series = vec![series("media task", rows, |row| row.cpu_ms), series("the floor", rows, |_| floor_ms)];
    picture("What a call costs", "CPU, ms a call-second", series, 8.0)
}

pub(super) fn lateness(rows: &[LoadFigures]) -> String {
    let series =
        vec![series("p99", rows, |row| row.lateness.p99_ms), series("p50", rows, |row| row.lateness.p50_ms)];
    picture("How late packets are", "lateness at the callers, ms", series, 10.0)
}

fn series(name: &str, rows: &[LoadFigures], of: impl Fn(&LoadFigures) -> f64) -> Series {
    Series::new(name, rows.iter().map(|row| (row.calls as f64, of(row))))
}

fn picture(title: &str, y: &str, series: Vec<Series>, limit: f64) -> String {
    let limit = Some(("at most".to_owned(), limit));
    Lines { title: title.into(), x: "calls at once".into(), y: y.into(), series, limit }.svg()
}

//! What is made of the values of a metric, period by period.

use anyhow::bail;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// What is made of the values of a period.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Statistic {
    /// All of them together.
    Sum,
    /// Their mean.
    Average,
    /// The least.
    Minimum,
    /// So many of a hundred are no more than this.
    Percentile(f64),
}

/// What a metric was in a period.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// When the period began, ms since 1970.
    pub at_ms: u64,
    /// What it was.
    pub value: f64,
}

impl Statistic {
    /// The points of a metric's values, each with its time in ms since 1970; periods without a value have none.
    pub fn points(self, values: impl IntoIterator<Item = (u64, f64)>, period_s: u64) -> Vec<Point> {
        let period_ms = period_s * 1_000;
        let mut periods = BTreeMap::<u64, Vec<f64>>::new();
        for (at_ms, value) in values {
            periods.entry(at_ms / period_ms * period_ms).or_default().push(value);
        }
        periods.into_iter().map(|(at_ms, values)| Point { at_ms, value: self.of(values) }).collect()
    }

    /// There is one value at least.
    fn of(self, mut values: Vec<f64>) -> f64 {
        let sum: f64 = values.iter().sum();
        match self {
            Self::Sum => sum,
            Self::Average => sum / values.len() as f64,
            Self::Minimum => values.into_iter().fold(f64::INFINITY, f64::min),
            Self::Percentile(of_a_hundred) => {
                values.sort_by(f64::total_cmp);
                let rank = (of_a_hundred / 100.0 * values.len() as f64).ceil() as usize;
                values[rank.clamp(1, values.len()) - 1]
            }
        }
    }
}

impl FromStr for Statistic {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let percentile = text.strip_prefix('p').and_then(|number| number.parse().ok());
        Ok(match (text, percentile) {
            ("Sum", _) => Self::Sum,
            ("Average", _) => Self::Average,
            ("Minimum", _) => Self::Minimum,
            (_, Some(number)) if (0.0..=100.0).contains(&number) => Self::Percentile(number),
            _ => bail!("unknown statistic {text}"),
        })
    }
}

impl fmt::Display for Statistic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sum => f.write_str("Sum"),
            Self::Average => f.write_str("Average"),
            Self::Minimum => f.write_str("Minimum"),
            Self::Percentile(number) => write!(f, "p{number}"),
        }
    }
}

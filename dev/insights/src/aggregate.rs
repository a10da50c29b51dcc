//! Computes aggregates over many lines.

use crate::expression::Expression;
use crate::{Value, Wrong};

/// Something to compute of a group of lines.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Aggregate {
    /// What is made of the values.
    pub how: How,
    /// The value of each line; `None`: the line itself, which only counts.
    pub of: Option<Expression>,
}

/// What is made of the values of a group. Lines of which it is missing do not count.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum How {
    Count,
    CountDistinct,
    Sum,
    Avg,
    Min,
    Max,
    /// So many of a hundred are no larger.
    Pct(f64),
}

impl How {
    pub(crate) fn make(self, values: &[Value]) -> Result<Value, Wrong> {
        match self {
            Self::Count => return Ok(Value::Number(values.len() as f64)),
            Self::CountDistinct => {
                let mut different: Vec<&Value> = vec![];
                values.iter().for_each(|value| {
                    if !different.contains(&value) {
                        different.push(value);
                    }
                });
                return Ok(Value::Number(different.len() as f64));
            }
            Self::Sum | Self::Avg | Self::Min | Self::Max | Self::Pct(_) => {}
        }
        let numbers = values.iter().map(Value::number).collect::<Result<Vec<_>, _>>()?;
        let mut numbers: Vec<f64> = numbers.into_iter().flatten().collect();
        numbers.sort_by(f64::total_cmp);
        let sum: f64 = numbers.iter().sum();
        let made = match self {
            Self::Sum => Some(sum),
            Self::Avg => (!numbers.is_empty()).then(|| sum / numbers.len() as f64),
            Self::Min => numbers.first().copied(),
            Self::Max => numbers.last().copied(),
            Self::Pct(percent) => {
                let rank = (percent / 100.0 * numbers.len() as f64).ceil() as usize;
                numbers.get(rank.saturating_sub(1)).copied()
            }
            Self::Count | Self::CountDistinct => unreachable!("they are made already"),
        };
        Ok(made.map_or(Value::Missing, Value::Number))
    }
}

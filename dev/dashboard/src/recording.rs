//! What logs have recorded: values of metrics, in CloudWatch's embedded metric format, and all other lines.

use crate::{Point, Row};
use anyhow::{Context, bail, ensure};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// By this a line of the format is known.
const MARK: &str = "\"_aws\"";

/// What was recorded.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Recording {
    /// Values of metrics.
    pub samples: Vec<Sample>,
    /// All lines, as queries see them.
    pub lines: Vec<String>,
}

/// A value of a metric.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Whose metric it is.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its dimensions.
    pub dimensions: BTreeMap<String, String>,
    /// When it was written down, ms since 1970.
    pub at_ms: u64,
    /// The value.
    pub value: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct About {
    #[serde(rename = "Timestamp")]
    timestamp: u64,
    #[serde(rename = "CloudWatchMetrics")]
    metrics: Vec<Directive>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct Directive {
    namespace: String,
    dimensions: Vec<Vec<String>>,
    metrics: Vec<Named>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct Named {
    name: String,
    #[serde(rename = "Unit")]
    _unit: String,
}

impl Recording {
    /// Takes in a log.
    ///
    /// # Errors
    /// When a line of the metric format is not as the format says, with its number from 1.
    pub fn add(&mut self, log: &str) -> anyhow::Result<()> {
        for (n, line) in log.lines().enumerate() {
            if line.contains(MARK) {
                self.samples.extend(samples(line).with_context(|| format!("line {}", n + 1))?);
            }
            self.lines.push(line.to_owned());
        }
        Ok(())
    }

    /// The first and the last time at which something was counted, ms since 1970.
    pub fn span_ms(&self) -> Option<(u64, u64)> {
        let times = || self.samples.iter().map(|sample| sample.at_ms);
        Some((times().min()?, times().max()?))
    }

    /// The line of a dashboard's row.
    pub fn points(&self, row: &Row, period_s: u64) -> Vec<Point> {
        let same = self.samples.iter().filter(|sample| {
            sample.namespace == row.namespace
                && sample.name == row.name
                && sample.dimensions == row.dimensions
        });
        row.statistic.points(same.map(|sample| (sample.at_ms, sample.value)), period_s)
    }
}

fn samples(line: &str) -> anyhow::Result<Vec<Sample>> {
    let mut said: Map<String, Value> = serde_json::from_str(line).context("it is no JSON object")?;
    let about: About = serde_json::from_value(said.remove("_aws").context("it is about no metric")?)?;
    let mut samples = vec![];
    for Directive { namespace, dimensions, metrics } in about.metrics {
        for Named { name, .. } in metrics {
            let values = numbers(said.get(&name).with_context(|| format!("{name} has no value"))?)?;
            for names in &dimensions {
                let dimensions = names.iter().map(|name| {
                    let value = said.get(name).and_then(Value::as_str);
                    Ok((name.clone(), value.with_context(|| format!("{name} has no value"))?.to_owned()))
                });
                let dimensions = dimensions.collect::<anyhow::Result<BTreeMap<_, _>>>()?;
                samples.extend(values.iter().map(|value| Sample {
                    namespace: namespace.clone(),
                    name: name.clone(),
                    dimensions: dimensions.clone(),
                    at_ms: about.timestamp,
                    value: *value,
                }));
            }
        }
    }
    ensure!(!samples.is_empty(), "it says nothing");
    Ok(samples)
}

/// One value, or several.
fn numbers(value: &Value) -> anyhow::Result<Vec<f64>> {
    let numbers: Option<Vec<f64>> = match value {
        Value::Number(number) => Some(number.as_f64().into_iter().collect()),
        Value::Array(values) => values.iter().map(Value::as_f64).collect(),
        Value::Null | Value::Bool(_) | Value::String(_) | Value::Object(_) => None,
    };
    match numbers {
        Some(numbers) if !numbers.is_empty() => Ok(numbers),
        _ => bail!("{value} is no value of a metric"),
    }
}
